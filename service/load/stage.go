package load

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"stockyard/service/client"
)

// stage is what the load happens on: locations, one in each region that has a target, and SKUs. A
// level is a number: all SKUs of the first location, then those of the next.
type stage struct {
	prefix  string
	skus    int
	places  []string // locations
	regions []string // of each location
	placeOf []int    // location that a target's clients deal with: one of the target's region
}

func (s *stage) level(place, sku int) int { return place*s.skus + sku }

func (s *stage) levels() int { return len(s.places) * s.skus }

func (s *stage) appendSKU(b []byte, level int) []byte {
	b = append(append(b, s.prefix...), '-')
	return strconv.AppendInt(b, int64(level%s.skus), 10)
}

func (s *stage) sku(level int) string { return string(s.appendSKU(nil, level)) }

func (s *stage) location(level int) string { return s.places[level/s.skus] }

// find gives the level of that location and SKU, where it is one of ours.
func (s *stage) find(place int, sku string) (level int, ours bool) {
	number, ours := strings.CutPrefix(sku, s.prefix+"-")
	n, err := strconv.Atoi(number)
	if !ours || err != nil || n < 0 || n >= s.skus || strconv.Itoa(n) != number {
		return 0, false
	}
	return s.level(place, n), true
}

// setStage finds out which regions the targets are of, and so which locations there are.
func (r *run) setStage(ctx context.Context) error {
	r.stage = stage{prefix: r.plan.Prefix, skus: r.plan.SKUs}
	if r.scenario.one {
		r.stage.skus, r.plan.SKUs = 1, 1
	}
	known := map[string]int{}
	for i := range r.plan.Targets {
		topology, _, err := r.api.Only(i).Regions(ctx)
		if err != nil {
			return err
		}
		region := topology.AnsweredBy
		place, found := known[region]
		if !found {
			place = len(r.stage.places)
			known[region] = place
			r.stage.regions = append(r.stage.regions, region)
			r.stage.places = append(r.stage.places, r.plan.Prefix+"-"+region)
		}
		r.stage.placeOf = append(r.stage.placeOf, place)
	}
	if r.scenario.one {
		r.stage.places, r.stage.regions = r.stage.places[:1], r.stage.regions[:1]
	}
	return nil
}

// prepare makes what is missing, sets the stock, and reads the books as they are before the load.
// It can be run again, and changes what is there as little as it can.
func (r *run) prepare(ctx context.Context) error {
	if err := r.setStage(ctx); err != nil {
		return err
	}
	if !r.plan.Unproven {
		r.books = newBooks(r.stage.levels())
	}
	if r.plan.Prepared {
		return r.readBase(ctx)
	}
	for i, name := range r.stage.places {
		place := client.Location{Name: name, Title: "Load test, " + r.stage.regions[i], Region: r.stage.regions[i], Kind: "warehouse", Country: "US"}
		if _, err := r.api.PutLocation(ctx, place); err != nil {
			return err
		}
	}
	available := make([]int64, r.stage.levels())
	seen := make([]bool, r.stage.levels())
	if err := r.eachLevel(ctx, func(level int, l client.Level) {
		available[level], seen[level] = l.Available, true
	}); err != nil {
		return err
	}
	if err := r.makeProducts(ctx, seen); err != nil {
		return err
	}
	if err := r.setStock(ctx, available); err != nil {
		return err
	}
	return r.readBase(ctx)
}

// makeProducts imports those that there may be no product of: those without a level.
func (r *run) makeProducts(ctx context.Context, seen []bool) error {
	const tries = 3
	missing := 0
	for sku := range r.stage.skus {
		if !seen[sku] {
			missing++
		}
	}
	if missing == 0 {
		return nil
	}
	r.say("putting %d products into the catalogue", missing)
	for attempt := 1; ; attempt++ {
		body, write := io.Pipe()
		go func() {
			var err error
			for sku := 0; sku < r.stage.skus && err == nil; sku++ {
				if !seen[sku] {
					_, err = fmt.Fprintf(write, "{\"sku\":%q,\"name\":\"Load test\"}\n", r.stage.sku(sku))
				}
			}
			_ = write.CloseWithError(err) // never fails
		}()
		summary, _, err := r.api.ImportProducts(ctx, client.ImportFile{Body: body, MediaType: client.NDJSON}, func(row client.ImportRow) error {
			return fmt.Errorf("product %s: %w", row.SKU, row.Problem)
		})
		_ = body.Close()
		if err == nil && summary.Complete {
			return nil
		}
		if attempt == tries || ctx.Err() != nil {
			return fmt.Errorf("importing products: %w", err)
		}
	}
}

// setStock makes every level have the plan's stock available.
func (r *run) setStock(ctx context.Context, available []int64) error {
	const atOnce, most = 4, 1000 // lines of a movement
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	var lines []client.MovementLine
	moves, changed := 0, 0
	send := func() {
		batch, key := lines, fmt.Sprintf("%sstock-%d", r.tag, moves)
		lines, moves, changed = nil, moves+1, changed+len(lines)
		work.Go(func() error {
			_, _, err := r.api.Move(ctx, key, client.MovementRequest{Kind: "adjust", Lines: batch, Reason: "load test"})
			return err
		})
	}
	for level, now := range available {
		if now == r.plan.Stock {
			continue
		}
		lines = append(lines, client.MovementLine{Location: r.stage.location(level), SKU: r.stage.sku(level), Quantity: r.plan.Stock - now})
		if len(lines) == most {
			send()
		}
	}
	if len(lines) > 0 {
		send()
	}
	if changed > 0 {
		r.say("set the stock of %d levels to %d available", changed, r.plan.Stock)
	}
	return work.Wait()
}

// eachLevel reads all of our levels.
func (r *run) eachLevel(ctx context.Context, each func(level int, l client.Level)) error {
	if r.scenario.one {
		l, _, err := r.api.Level(ctx, r.stage.location(0), r.stage.sku(0))
		if client.IsProblem(err, "not-found") {
			return nil
		}
		if err == nil && l.Version > 0 {
			each(0, l)
		}
		return err
	}
	for place, name := range r.stage.places {
		for l, err := range r.api.Stock(ctx, client.StockFilter{Location: name, PageSize: 1000}) {
			if err != nil {
				return err
			}
			if level, ours := r.stage.find(place, l.SKU); ours {
				each(level, l)
			}
		}
	}
	return nil
}

func (r *run) readBase(ctx context.Context) error {
	if r.books == nil {
		return nil
	}
	return r.eachLevel(ctx, func(level int, l client.Level) {
		r.books.base[level] = balance{l.OnHand, l.Held, l.Allocated}
		r.books.rest[level] = rest{l.Quarantined, l.Incoming, l.Shortfall}
	})
}
