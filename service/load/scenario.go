package load

// scenario is a kind of load.
type scenario struct {
	name  string
	about string
	one   bool // everything happens at one stock level
	steps bool // reservations are taken further, so their ids are needed
	next  func(*session) operation
}

// all is the list of scenarios: each is a file.
var all = []scenario{hot, uniform, zipf, mixed}

// Scenarios are the names of what there is to run.
func Scenarios() []string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.name
	}
	return names
}

// About says what a scenario is, "" where there is none of that name.
func About(name string) string {
	s, _ := findScenario(name)
	return s.about
}

func findScenario(name string) (scenario, bool) {
	for _, s := range all {
		if s.name == name {
			return s, true
		}
	}
	return scenario{}, false
}
