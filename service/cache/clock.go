package cache

import (
	"sync/atomic"
	"time"
)

// clock is the database's, as far as this pod knows it: never behind, and ahead by no more than a
// reading took to come. The pod's own clock may be wrong by any amount; only how fast it goes counts.
type clock struct{ seen atomic.Pointer[sighting] }

// sighting is a moment of the database's, which was taken after the pod asked for it.
type sighting struct{ moment, asked time.Time }

func (s *sighting) now() time.Time { return s.moment.Add(time.Since(s.asked)) }

// trusted bounds how long a sighting counts: clocks don't go equally fast, and some are set.
const trusted = 30 * time.Second

func (c *clock) saw(moment, asked time.Time) {
	s, before := &sighting{moment, asked}, c.seen.Load()
	if before == nil || time.Since(before.asked) > trusted || s.now().Before(before.now()) {
		c.seen.Store(s)
	}
}

// now is zero before the first sighting; nothing is kept then either.
func (c *clock) now() time.Time {
	if s := c.seen.Load(); s != nil {
		return s.now()
	}
	return time.Time{}
}
