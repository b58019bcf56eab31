// Package trial is one run of a soak on one database: clients and trouble side by side, at intervals
// peace, in which everything that anybody was told is compared with the ledger.
package trial

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"stockyard/service/client"
	"stockyard/service/inventory"
	"stockyard/service/soak/book"
	"stockyard/service/soak/clients"
	"stockyard/service/soak/faults"
	"stockyard/service/soak/linear"
	"stockyard/service/soak/yard"
)

// Options of a trial.
type Options struct {
	Yard     yard.Options
	Seed     uint64
	Duration time.Duration // of the trouble
	Phases   int           // how often it pauses for a judgement
	Shoppers int
	Levels   int           // hot levels whose linearizability is checked
	Probers  int           // of each of them
	History  int           // operations of one history
	Hot      int           // SKUs that all shoppers want
	Cold     int           // SKUs besides
	Pace     time.Duration // about the rest between faults
	Patience time.Duration // of one call; it is repeated for three times as long
	Rounds   int           // of rolling restarts at the end
	// Operations is how many of them the histories have together, at the least: there are more phases
	// until then, up to three times as many.
	Operations int
	Log        func(format string, args ...any)
}

// Trial is a run under way.
type Trial struct {
	options   Options
	yard      *yard.Yard
	balancers []*yard.Balancer
	book      *book.Book
	trouble   *faults.Trouble
	api       *client.Client // for what is no part of the trial, patient
	began     time.Time
	wares     clients.Range
	shoppers  []*clients.Shopper
	hots      []*clients.Hot
	probers   []*clients.Prober
	checks    checks
	report    Report
}

// Run runs a trial. What it finds is in the report, as far as it came; an error is about the trial itself.
func Run(ctx context.Context, o Options) (report *Report, err error) {
	y, err := yard.Start(ctx, o.Yard)
	if err != nil {
		return nil, err
	}
	defer func() {
		if stopped := y.Stop(); err == nil {
			err = stopped
		}
	}()
	t := &Trial{options: o, yard: y, book: book.New("soak-" + rand.Text()[:8]), trouble: faults.New(y, o.Seed, o.Pace), began: time.Now()}
	t.report.Database, t.report.Seed = y.Version, o.Seed
	defer func() {
		for _, b := range t.balancers {
			b.Close()
		}
	}()
	if err := t.open(ctx); err != nil {
		return nil, err
	}
	err = t.run(ctx)
	t.report.Commands, t.report.Faults = t.book.Summary(), t.trouble.Count()
	t.report.Histories, t.report.Took = t.checks.all(), time.Since(t.began)
	return &t.report, err
}

// run goes on until it is done or somebody was lied to.
func (t *Trial) run(ctx context.Context) error {
	o := t.options
	for phase := 0; phase < o.Phases || phase < 3*o.Phases && t.checks.operations() < o.Operations; phase++ {
		if err := t.phase(ctx, phase); err != nil || len(t.report.Lies) > 0 {
			return err
		}
	}
	if o.Rounds == 0 {
		return nil
	}
	return t.rolling(ctx)
}

// client is one that asks the region's balancer first.
func (t *Trial) client(first int, elapsed, attempt time.Duration) (*client.Client, error) {
	var urls []string
	for _, b := range t.balancers {
		urls = append(urls, b.URL)
	}
	c, err := client.New(urls, client.Options{MaxElapsed: elapsed, AttemptTimeout: attempt})
	if err != nil {
		return nil, err
	}
	return c.Via(first % len(urls)), nil
}

// open makes the catalogue, the opening stock, and everybody.
func (t *Trial) open(ctx context.Context) (err error) {
	names := t.options.Yard.Topology.Names()
	for _, region := range names {
		b, err := t.yard.NewBalancer(ctx, region)
		if err != nil {
			return err
		}
		t.balancers = append(t.balancers, b)
	}
	if t.api, err = t.client(0, time.Minute, 20*time.Second); err != nil {
		return err
	}
	run := t.book.Run
	for i, region := range names {
		site := fmt.Sprintf("%s-%d", run, i+1)
		t.wares.Sites = append(t.wares.Sites, site)
		if _, err := t.api.PutLocation(ctx, client.Location{Name: site, Title: site, Region: region, Kind: "warehouse", Country: "US"}); err != nil {
			return err
		}
	}
	for i := range t.options.Hot {
		t.wares.Hot = append(t.wares.Hot, fmt.Sprintf("%s-hot-%d", run, i+1))
	}
	for i := range t.options.Cold {
		t.wares.Cold = append(t.wares.Cold, fmt.Sprintf("%s-cold-%d", run, i+1))
	}
	for _, skus := range [][]string{t.wares.Hot, t.wares.Cold} {
		for _, sku := range skus {
			if err := t.product(ctx, sku); err != nil {
				return err
			}
		}
	}
	for _, site := range t.wares.Sites {
		const opening = 25
		e := t.book.Issue(ctx, t.api, "opening", clients.Opening(site, opening, t.wares))
		if e.Outcome != book.Accepted {
			return fmt.Errorf("opening stock of %s: %s %s", site, e.Outcome, e.Problem)
		}
	}
	return t.people()
}

func (t *Trial) product(ctx context.Context, sku string) error {
	_, err := t.api.PutProduct(ctx, client.Product{SKU: sku, Name: sku})
	return err
}

func (t *Trial) people() error {
	o := t.options
	number := uint64(0)
	for i := range o.Levels {
		t.hots = append(t.hots, &clients.Hot{
			Site: t.wares.Sites[i%len(t.wares.Sites)], Prefix: fmt.Sprintf("%s-level-%d", t.book.Run, i+1),
			Most: o.History, Unknown: 5, Fresh: t.product, Done: t.check,
		})
		for n := range o.Probers {
			by, err := t.client(n, 3*o.Patience, o.Patience)
			if err != nil {
				return err
			}
			number++
			t.probers = append(t.probers, clients.NewProber(t.book, by, t.hots[i], o.Seed, number))
		}
	}
	for n := range o.Shoppers {
		by, err := t.client(n, 3*o.Patience, o.Patience)
		if err != nil {
			return err
		}
		number++
		t.shoppers = append(t.shoppers, clients.NewShopper(t.book, by, t.wares, o.Seed, number))
	}
	return nil
}

// phase is clients and trouble for a while, then peace and judgement.
func (t *Trial) phase(ctx context.Context, phase int) error {
	stop := make(chan struct{})
	var people, trouble sync.WaitGroup
	for _, s := range t.shoppers {
		people.Go(func() { s.Run(ctx, stop) })
	}
	for _, p := range t.probers {
		people.Go(func() { p.Run(ctx, stop) })
	}
	var broken error
	trouble.Go(func() { broken = t.trouble.Run(ctx, stop) })
	select {
	case <-ctx.Done():
	case <-time.After(t.options.Duration / time.Duration(t.options.Phases)):
	}
	close(stop)
	trouble.Wait()
	healed := t.yard.Heal(ctx)
	people.Wait()
	t.book.Pause()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, h := range t.hots {
		h.Retire()
	}
	t.checks.wait()
	if broken != nil || healed != nil {
		return fmt.Errorf("phase %d: %w", phase+1, firstOf(broken, healed))
	}
	return t.judge(ctx, fmt.Sprintf("phase %d", phase+1))
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// judge settles what is unknown, and compares everything with everything.
func (t *Trial) judge(ctx context.Context, after string) error {
	unknown := len(t.book.With(book.Unknown))
	t.report.Settled += unknown
	t.book.Settle(ctx, t.api)
	began := time.Now()
	v, err := t.yard.Store.Verify(ctx)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	t.report.Verified++
	for _, c := range v.Checks {
		for _, violation := range c.Violations {
			t.report.lie("verify: %s: %s: %s", c.Name, violation.Key, violation.Detail)
		}
	}
	ledger, err := book.ReadLedger(ctx, t.yard.Store, t.book.Run, t.began.Add(-time.Hour), t.levels())
	if err != nil {
		return err
	}
	t.report.Lies = append(t.report.Lies, t.book.Judge(ledger)...)
	t.report.Lies = append(t.report.Lies, t.checks.lies()...)
	t.report.Lies = append(t.report.Lies, t.yard.Findings()...)
	t.options.Log("%s: %d commands and %d operations in checked histories so far; %d had no known outcome and were repeated; judged and verified in %s; %d lies",
		after, t.book.Len(), t.checks.operations(), unknown, time.Since(began).Round(time.Millisecond), len(t.report.Lies))
	return nil
}

// levels are all that the trial has touched.
func (t *Trial) levels() (keys []inventory.LevelKey) {
	regions := map[string]string{}
	for i, site := range t.wares.Sites {
		regions[site] = t.options.Yard.Topology.Names()[i]
	}
	places := t.wares.Places()
	for _, h := range t.hots {
		places = append(places, h.Places()...)
	}
	for _, p := range places {
		keys = append(keys, inventory.LevelKey{Region: regions[p.Location], SKU: p.SKU, Location: p.Location})
	}
	return keys
}

// check checks a history beside the rest of the trial.
func (t *Trial) check(h *linear.History) {
	t.checks.start(h, filepath.Join(t.options.Yard.Dir, h.Name+".html"))
}
