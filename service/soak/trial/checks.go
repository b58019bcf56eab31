package trial

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"stockyard/service/soak/linear"
)

// patience is how long the check of one history may take. Most take milliseconds; with many operations
// at once of which nobody knows, some take for ever, and decide nothing.
const patience = 30 * time.Second

// checks are histories that are checked one at a time, so that they leave the machine to the trial.
type checks struct {
	mu       sync.Mutex
	verdicts []linear.Verdict
	wrong    []string
	running  sync.WaitGroup
	turn     sync.Mutex
}

func (c *checks) start(h *linear.History, picture string) {
	c.running.Go(func() {
		c.turn.Lock()
		defer c.turn.Unlock()
		picture = strings.ReplaceAll(picture, h.Name, strings.ReplaceAll(h.Name, "/", "_"))
		v, err := h.Check(patience, picture)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.verdicts = append(c.verdicts, v)
		switch {
		case err != nil:
			c.wrong = append(c.wrong, fmt.Sprintf("%s: its history can't be shown: %v", v.Name, err))
		case !v.Holds && !v.Undecided:
			c.wrong = append(c.wrong, fmt.Sprintf("%s: %d operations are not linearizable: see %s", v.Name, v.Operations, picture))
		}
	})
}

func (c *checks) wait() { c.running.Wait() }

func (c *checks) lies() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrong
}

func (c *checks) all() []linear.Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.verdicts
}

// operations is how many the histories have of which it was decided that they hold.
func (c *checks) operations() (n int) {
	for _, v := range c.all() {
		if v.Holds {
			n += v.Operations
		}
	}
	return n
}
