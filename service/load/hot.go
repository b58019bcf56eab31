package load

var hot = scenario{
	name:  "hot",
	about: "reservations of one unit of one SKU at one location: what everybody wants at once",
	one:   true,
	next:  func(*session) operation { return operation{kind: reserve} },
}
