package service

import (
	"context"
	"errors"
	"slices"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Raised is how many alerts were raised, by kind; those that were there already don't count.
type Raised map[inventory.AlertKind]int

// FeedCursor is where the worker that has a lease goes on reading the change feed; "" where it never began.
func (s *Service) FeedCursor(ctx context.Context, lease store.Lease) (string, error) {
	cursor, err := s.store.FeedCursor(ctx, lease.Region, lease.Name)
	return cursor, fromStore(err, false)
}

// MoveFeedCursor keeps how far the worker that has a lease has come. Errors: ErrFenced, ErrUnavailable.
func (s *Service) MoveFeedCursor(ctx context.Context, lease store.Lease, cursor string) error {
	return s.underLease(ctx, lease, func(_ context.Context, tx *store.Tx) error {
		tx.QueueFeedCursor(lease, cursor)
		return nil
	})
}

// RaiseAlerts raises what events of a region give cause for, and moves the cursor, together or not at
// all. moved is false where there was no cause, and so nothing was written. Doing it again for the same events
// raises nothing again. Errors: ErrFenced, ErrUnavailable, ErrOutcomeUnknown, ErrOverloaded.
func (s *Service) RaiseAlerts(ctx context.Context, lease store.Lease, events []*inventory.Event, cursor string) (raised Raised, moved bool, err error) {
	var skus []string
	for _, e := range events {
		if !slices.Contains(skus, e.Key.SKU) {
			skus = append(skus, e.Key.SKU)
		}
	}
	rules, err := s.store.ThresholdsOf(ctx, skus)
	if err != nil {
		return nil, false, fromStore(err, false)
	}
	var alerts []inventory.Alert
	for _, e := range events {
		alerts = append(alerts, inventory.Crossings(e, rules)...)
	}
	looks, err := s.channelLooks(ctx, events, rules)
	if err != nil || len(alerts)+len(looks) == 0 {
		return nil, false, err
	}
	err = s.underLease(ctx, lease, func(ctx context.Context, tx *store.Tx) error {
		flips, err := decideChannels(ctx, tx, looks)
		if err != nil {
			return err
		}
		raised = tx.QueueAlerts(distinct(append(slices.Clip(alerts), flips...)))
		tx.QueueFeedCursor(lease, cursor)
		return nil
	})
	return raised, err == nil, err
}

// underLease writes something, unless the lease is another's by now.
func (s *Service) underLease(ctx context.Context, lease store.Lease, write func(context.Context, *store.Tx) error) error {
	err := s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		held, err := tx.Holds(ctx, lease)
		if err == nil && !held {
			err = ErrFenced
		}
		if err != nil {
			return err
		}
		return write(ctx, tx)
	})
	if errors.Is(err, store.ErrAmbiguous) {
		return ErrOutcomeUnknown
	}
	return fromStore(err, false)
}

// distinct leaves out what is there twice: the feed may give an event more than once.
func distinct(alerts []inventory.Alert) []inventory.Alert {
	seen := map[inventory.ID]bool{}
	return slices.DeleteFunc(alerts, func(a inventory.Alert) bool {
		twice := seen[a.ID]
		seen[a.ID] = true
		return twice
	})
}

// ruleOfSKU is what a channel's state is kept for.
type ruleOfSKU struct{ rule, sku string }

// channelLooks finds out which rules about channels events concern, and for which SKUs.
func (s *Service) channelLooks(ctx context.Context, events []*inventory.Event, rules []inventory.Threshold) (map[ruleOfSKU]*inventory.ChannelCrossing, error) {
	looks := map[ruleOfSKU]*inventory.ChannelCrossing{}
	for _, rule := range rules {
		if rule.Channel == "" {
			continue
		}
		channel, known, err := s.places.channel(ctx, rule.Channel)
		if err != nil {
			return nil, err
		}
		if !known || channel.ArchivedAt != nil {
			continue
		}
		for _, e := range events {
			if !rule.Concerns(e.Key) || !channel.Promises(e.Key.Location) {
				continue
			}
			at := ruleOfSKU{rule.Name, e.Key.SKU}
			if looks[at] == nil {
				looks[at] = &inventory.ChannelCrossing{Region: s.options.Topology.Primary, Rule: rule, Channel: channel}
			}
			looks[at].Events = append(looks[at].Events, e)
		}
	}
	return looks, nil
}

// decideChannels looks at what channels can sell now, and queues the states that changed.
func decideChannels(ctx context.Context, tx *store.Tx, looks map[ruleOfSKU]*inventory.ChannelCrossing) (alerts []inventory.Alert, err error) {
	if len(looks) == 0 {
		return nil, nil
	}
	var wanted []inventory.ThresholdState
	for at := range looks {
		wanted = append(wanted, inventory.ThresholdState{Rule: at.rule, SKU: at.sku})
	}
	found, levels, err := tx.ChannelStock(ctx, wanted)
	if err != nil {
		return nil, err
	}
	before := map[ruleOfSKU]inventory.ThresholdState{}
	for _, state := range append(wanted, found...) {
		before[ruleOfSKU{state.Rule, state.SKU}] = state
	}
	bySKU := map[string][]inventory.Level{}
	for _, l := range levels {
		bySKU[l.Key.SKU] = append(bySKU[l.Key.SKU], l)
	}
	var changed []inventory.ThresholdState
	for at, look := range looks {
		look := *look
		look.Levels = bySKU[at.sku]
		after, alert := look.Decide(before[at])
		if after != before[at] {
			changed = append(changed, after)
		}
		if alert != nil {
			alerts = append(alerts, *alert)
		}
	}
	tx.QueueThresholdStates(changed)
	return alerts, nil
}
