package load

import (
	"cmp"
	"slices"
	"sync"
)

// Failure is a way in which attempts went wrong, and how often.
type Failure struct {
	Operation string `json:"operation"`
	Message   string `json:"message"`
	Attempts  int64  `json:"attempts"`
}

// failures keep one message each: a million alike are one line. Beyond a bound only those that are
// known already are counted.
type failures struct {
	mu   sync.Mutex
	seen map[Failure]int64
}

const maxFailures = 50

func (f *failures) add(k kind, message string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = map[Failure]int64{}
	}
	key := Failure{Operation: k.String(), Message: message}
	if _, known := f.seen[key]; known || len(f.seen) < maxFailures {
		f.seen[key]++
	}
}

// list gives the most frequent first.
func (f *failures) list() []Failure {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []Failure{}
	for key, n := range f.seen {
		key.Attempts = n
		list = append(list, key)
	}
	slices.SortFunc(list, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Attempts, a.Attempts), cmp.Compare(a.Message, b.Message))
	})
	return list
}
