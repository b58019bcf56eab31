package load

var mixed = scenario{
	name:  "mixed",
	about: "70 % availability reads, 20 % reservations, 4 % confirmations, 4 % fulfilments, 2 % movements (receive, sell); SKUs as in zipf",
	steps: true,
	next: func(s *session) operation {
		switch dice := s.random.IntN(100); {
		case dice < 70:
			return operation{kind: availability, level: s.popular()}
		case dice < 74:
			if p, ok := s.held.take(); ok {
				return operation{kind: confirm, level: p.level, id: p.id}
			}
		case dice < 78:
			if p, ok := s.allocated.take(); ok {
				return operation{kind: fulfil, level: p.level, id: p.id}
			}
		case dice == 78:
			return operation{kind: receive, level: s.popular()}
		case dice == 79:
			return operation{kind: sell, level: s.popular()}
		}
		// Also in place of a step that there is no reservation for yet.
		return operation{kind: reserve, level: s.popular()}
	},
}
