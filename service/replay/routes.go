package replay

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"stockyard/service/client"
)

// routes knows which targets are at home in which region, so that a warehouse's commands go where
// its rows are. Any target can run any command: a region without a target of its own costs time only.
type routes struct {
	anywhere *client.Client
	byRegion map[string][]*client.Client
	Silent   []string // targets that did not say where they are
}

// introduction is how long a target has to say where it is: a dead one must not hold up the rest.
const introduction = 5 * time.Second

// findRoutes asks every target for its region. It fails only where none answers.
func findRoutes(ctx context.Context, api *client.Client) (routes, error) {
	targets := api.Targets()
	regions, errs := make([]string, len(targets)), make([]error, len(targets))
	var group sync.WaitGroup
	for i := range targets {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, introduction)
			defer cancel()
			answer, _, err := api.Only(i).Regions(ctx)
			regions[i], errs[i] = answer.AnsweredBy, err
		})
	}
	group.Wait()
	found := routes{anywhere: api, byRegion: map[string][]*client.Client{}}
	for i, target := range targets {
		if errs[i] != nil {
			found.Silent = append(found.Silent, target)
			errs[i] = fmt.Errorf("%s: %w", target, errs[i])
			continue
		}
		found.byRegion[regions[i]] = append(found.byRegion[regions[i]], api.Via(i))
	}
	if len(found.Silent) == len(targets) {
		return found, errors.Join(errs...)
	}
	return found, nil
}

// to is the n-th command's way to a region, its targets in turn.
func (r routes) to(region string, n int) *client.Client {
	if near := r.byRegion[region]; len(near) > 0 {
		return near[n%len(near)]
	}
	return r.anywhere
}
