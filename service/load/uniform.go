package load

var uniform = scenario{
	name:  "uniform",
	about: "reservations of one unit, every SKU as likely as any other",
	next: func(s *session) operation {
		return operation{kind: reserve, level: s.levelOf(s.random.IntN(s.run.plan.SKUs))}
	},
}
