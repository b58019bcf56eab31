package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Bounds of a batch. Where the catalogue is GLOBAL a commit waits for all regions, some hundred
// milliseconds, whatever is in it; a bad batch is run again row by row.
const (
	maxBatchRows  = 1000
	maxBatchBytes = 1 << 20
	// linger is how long a batch waits for more: rows of a slow sender are not kept back.
	linger = 50 * time.Millisecond
)

// importing is one import on its way: rows are read, cut into batches in the order of the file, and
// a few batches run at once.
type importing struct {
	service *Service
	ctx     context.Context // ends when no more rows are wanted
	caller  Caller
	read    chan ImportRow
	batches chan *importBatch
	rows    int64
}

// importBatch is some rows on their way. done is closed once their results are there, or err.
type importBatch struct {
	results  []ImportResult
	products []inventory.Product // beside results
	size     int
	skus     map[string]bool
	done     chan struct{}
	err      error
}

func (b *importBatch) isFull() bool { return len(b.results) >= maxBatchRows || b.size >= maxBatchBytes }

// add judges a row by itself. Those that pass are left without a status.
func (i *importing) add(b *importBatch, row ImportRow) {
	i.rows++
	r := ImportResult{Row: i.rows, Line: row.Line, SKU: row.Product.SKU}
	if row.Wrong == nil {
		if wrong := row.Product.Check(); len(wrong) > 0 {
			row.Wrong = invalid(wrong...)
		}
	}
	if row.Wrong != nil {
		r.Status, r.Err = ImportRefused, row.Wrong
	} else {
		b.skus[r.SKU] = true
	}
	b.results, b.products, b.size = append(b.results, r), append(b.products, row.Product), b.size+row.Size
}

func (i *importing) cutBatches() {
	var underWay []*importBatch
	var b *importBatch
	var late <-chan time.Time
	send := func() {
		if b != nil {
			underWay = i.start(b, underWay)
		}
		b, late = nil, nil
	}
	for {
		select {
		case row, more := <-i.read:
			if !more {
				send()
				return
			}
			if b == nil {
				b, late = &importBatch{skus: map[string]bool{}, done: make(chan struct{})}, time.After(linger)
			}
			if i.add(b, row); b.isFull() {
				send()
			}
		case <-late:
			send()
		}
	}
}

// start runs a batch beside those under way, but after those that have a SKU of its. Once the import
// has ended it runs nothing more.
func (i *importing) start(b *importBatch, underWay []*importBatch) []*importBatch {
	underWay = slices.DeleteFunc(underWay, (*importBatch).isDone)
	for _, before := range underWay {
		for sku := range b.skus {
			if before.skus[sku] {
				<-before.done
				break
			}
		}
	}
	turns := i.service.imports.turns
	select {
	case turns <- struct{}{}:
	case <-i.ctx.Done():
		return underWay
	}
	if i.ctx.Err() != nil {
		<-turns
		return underWay
	}
	go func() {
		defer close(b.done)
		defer func() { <-turns }()
		b.err = survive(func() error { return i.run(b) })
	}()
	i.batches <- b
	return append(underWay, b)
}

func (b *importBatch) isDone() bool {
	select {
	case <-b.done:
		return true
	default:
		return false
	}
}

// run puts the rows that have no status yet. One statement takes a SKU only once, so that each
// further row of a SKU takes one more.
func (i *importing) run(b *importBatch) error {
	var waves [][]int
	seen := map[string]int{}
	for n, r := range b.results {
		if r.Status != "" {
			continue
		}
		if seen[r.SKU] == len(waves) {
			waves = append(waves, nil)
		}
		waves[seen[r.SKU]] = append(waves[seen[r.SKU]], n)
		seen[r.SKU]++
	}
	for _, wave := range waves {
		if err := i.put(b, wave); err != nil {
			return err
		}
	}
	return nil
}

// put puts some rows, each of another SKU. Where the database refuses them for something in them,
// they are put one by one, so that one bad row harms no other.
func (i *importing) put(b *importBatch, rows []int) error {
	err := i.putAll(b, rows)
	switch {
	case err == nil || !isOwnFault(err):
		return err
	case len(rows) > 1:
		for _, n := range rows {
			if err := i.put(b, []int{n}); err != nil {
				return err
			}
		}
		return nil
	}
	r := &b.results[rows[0]]
	i.service.options.OnInternal(&Failure{i.ctx, fmt.Sprintf("import, row %d", r.Row), i.caller.RequestID, err})
	r.Status, r.Err = ImportRefused, errors.Join(ErrInternal, err)
	return nil
}

func (i *importing) putAll(b *importBatch, rows []int) error {
	s := i.service
	products := make([]inventory.Product, len(rows))
	for at, n := range rows {
		products[at] = b.products[n]
	}
	var versions map[string]int64
	if !i.caller.DryRun {
		err := i.insist(func(ctx context.Context) (err error) {
			versions, err = s.store.ImportProducts(ctx, products)
			return err
		})
		if err != nil {
			return err
		}
	}
	rest := make([]inventory.Product, 0, len(rows)-len(versions))
	for at, n := range rows {
		switch versions[products[at].SKU] {
		case 0:
			rest = append(rest, products[at])
		case 1:
			b.results[n].Status = ImportCreated
		default:
			b.results[n].Status = ImportUpdated
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return i.settleRest(b, rows, rest)
}

// settleRest says what became of rows that were not written: those that are there as they are given
// stay so, and archived ones come back.
func (i *importing) settleRest(b *importBatch, rows []int, rest []inventory.Product) error {
	var found map[string]store.Comparison
	err := i.insist(func(ctx context.Context) (err error) {
		found, err = i.service.store.CompareProducts(ctx, rest)
		return err
	})
	if err != nil {
		return err
	}
	for _, n := range rows {
		r := &b.results[n]
		if r.Status != "" {
			continue
		}
		there, known := found[r.SKU]
		switch {
		case known && !there.Archived && there.Equal:
			r.Status = ImportUnchanged
		case !i.caller.DryRun:
			err = i.bringBack(b.products[n], r)
		case known && !there.Archived:
			r.Status = ImportUpdated
		default:
			r.Status = ImportCreated
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *importing) bringBack(p inventory.Product, r *ImportResult) error {
	r.Status = ImportUpdated
	return i.insist(func(ctx context.Context) error {
		_, created, err := i.service.putProduct(ctx, i.caller, auth.ImportProducts, p, Precondition{})
		if created {
			r.Status = ImportCreated
		}
		return err
	})
}

// insist tries again while the database is away: a whole file should not be sent again because one
// node died. What has begun is seen through though the import may have ended.
func (i *importing) insist(do func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(i.ctx), 2*i.service.options.TxTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		last := err
		err = do(ctx)
		err = fromStore(err, errors.Is(err, store.ErrAmbiguous))
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errors.Join(ErrUnavailable, last)
		case isOwnFault(err):
			return err
		case i.ctx.Err() != nil:
			return err
		}
		_ = wait(ctx, min(time.Duration(attempt)*50*time.Millisecond, time.Second))
	}
}
