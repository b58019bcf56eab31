package book

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Ledger is what a database has of a run.
type Ledger struct {
	Commands map[string][]store.AuditEntry             // by key
	Events   map[[16]byte][]inventory.Event            // by the id of their command, wherever that lives
	Sums     map[inventory.LevelKey]inventory.Balances // after the last event
	Levels   map[inventory.LevelKey]inventory.Balances // as they are read; lapsed holds don't count
}

// page is how many rows are read at once.
const page = 1000

// ReadLedger reads all events of levels, and all commands whose keys begin with a run's name, that
// are not older than since.
func ReadLedger(ctx context.Context, st *store.Store, run string, since time.Time, levels []inventory.LevelKey) (*Ledger, error) {
	l := &Ledger{
		Commands: map[string][]store.AuditEntry{}, Events: map[[16]byte][]inventory.Event{},
		Sums: map[inventory.LevelKey]inventory.Balances{}, Levels: map[inventory.LevelKey]inventory.Balances{},
	}
	for _, region := range st.Regions() {
		if err := l.readCommands(ctx, st, region, run, since); err != nil {
			return nil, fmt.Errorf("commands of %s: %w", region, err)
		}
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, key := range levels {
		group.Go(func() error {
			events, err := eventsOf(ctx, st, key)
			if err != nil {
				return fmt.Errorf("events of %s at %s: %w", key.SKU, key.Location, err)
			}
			level, _, err := st.Level(ctx, key)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("level of %s at %s: %w", key.SKU, key.Location, err)
			}
			mu.Lock()
			defer mu.Unlock()
			l.Levels[key] = level.Balances
			for _, e := range events {
				l.Events[e.Command.UUID] = append(l.Events[e.Command.UUID], e)
				l.Sums[key] = e.Balances
			}
			return nil
		})
	}
	return l, group.Wait()
}

func eventsOf(ctx context.Context, st *store.Store, key inventory.LevelKey) (all []inventory.Event, err error) {
	for after := int64(0); ; {
		events, err := st.Events(ctx, key, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, events...)
		if len(events) < page {
			return all, nil
		}
		after = events[len(events)-1].Version
	}
}

func (l *Ledger) readCommands(ctx context.Context, st *store.Store, region, run string, since time.Time) error {
	f := store.AuditFilter{Region: region, Resource: "stock", Since: since, Before: time.Now().Add(time.Hour), Limit: page}
	for {
		found, err := st.AuditLog(ctx, f)
		if err != nil {
			return err
		}
		for _, c := range found {
			if strings.HasPrefix(c.Name, run+"/") {
				l.Commands[c.Name] = append(l.Commands[c.Name], c)
			}
		}
		if len(found) < page {
			return nil
		}
		last := found[len(found)-1]
		f.Before, f.BeforeID = last.At, last.ID
	}
}
