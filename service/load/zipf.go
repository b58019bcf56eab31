package load

var zipf = scenario{
	name:  "zipf",
	about: "reservations of one unit, few SKUs wanted often and most seldom: the n-th with a weight of n^-1.1",
	next: func(s *session) operation {
		return operation{kind: reserve, level: s.popular()}
	},
}

// popularity is the exponent of the distribution. That of sales is near 1, and the generator wants more.
const popularity = 1.1
