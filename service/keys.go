package service

import (
	"bytes"
	"sync"
)

// recentKeys remembers which input each of the last idempotency keys of this pod stood for. A key
// lives in the home region of its command; one that comes back with a command of another home
// would not be found there. Asking every region about every key would make each command wait for
// the farthest one, so what is refused beyond the home region is what this pod remembers.
type recentKeys struct {
	mu       sync.Mutex
	now, old map[string][]byte // two generations: the older one is dropped as a whole
}

const keysRemembered = 20_000 // in each generation

// reused says that the key stood for another input.
func (r *recentKeys) reused(key string, hash []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.now[key]
	if !known {
		before, known = r.old[key]
	}
	return known && !bytes.Equal(before, hash)
}

// remember notes what a key stands for, once its command has an answer that is kept.
func (r *recentKeys) remember(key string, hash []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now == nil || len(r.now) >= keysRemembered {
		r.now, r.old = make(map[string][]byte, keysRemembered), r.now
	}
	r.now[key] = hash
}
