package service

import (
	"context"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

func channelEntry(name string) entry[inventory.Channel] {
	return entry[inventory.Channel]{
		resource: "channel", name: name,
		read:  func(ctx context.Context, tx *store.Tx) (inventory.Channel, error) { return tx.Channel(ctx, name) },
		write: func(tx *store.Tx, c inventory.Channel) error { return tx.PutChannel(c) },
		stamp: func(c *inventory.Channel) *inventory.Stamp { return &c.Stamp },
	}
}

// PutChannel makes a channel or replaces it; an archived one comes back.
func (s *Service) PutChannel(ctx context.Context, caller Caller, c inventory.Channel, pre Precondition) (inventory.Channel, bool, error) {
	if err := s.may(caller, auth.PutChannel); err != nil {
		return c, false, err
	}
	places, err := s.places.reload(ctx)
	if err != nil {
		return c, false, err
	}
	if err := checkChannelInput(c, places); err != nil {
		return c, false, err
	}
	c, created, err := change(ctx, s, caller, auth.PutChannel, channelEntry(c.Name), pre, func(context.Context, *store.Tx, inventory.Channel, bool) (inventory.Channel, error) {
		c.Stamp = inventory.Stamp{}
		return c, nil
	})
	return c, created, s.refreshed(ctx, err)
}

func checkChannelInput(c inventory.Channel, places *placesSnapshot) error {
	if wrong := c.Check(); len(wrong) > 0 {
		return invalid(wrong...)
	}
	for _, name := range c.Locations {
		if l, ok := places.locations[name]; !ok || l.ArchivedAt != nil {
			return missing("location", name)
		}
	}
	return nil
}

// PatchChannel applies a change to a channel.
func (s *Service) PatchChannel(ctx context.Context, caller Caller, name string, pre Precondition, patch func(inventory.Channel) (inventory.Channel, error)) (inventory.Channel, error) {
	if err := s.may(caller, auth.PatchChannel); err != nil {
		return inventory.Channel{}, err
	}
	// Read before the channel is locked: on CockroachDB reading all channels waits for that lock.
	places, err := s.places.reload(ctx)
	if err != nil {
		return inventory.Channel{}, err
	}
	c, _, err := change(ctx, s, caller, auth.PatchChannel, channelEntry(name), pre, func(_ context.Context, _ *store.Tx, before inventory.Channel, exists bool) (inventory.Channel, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("channel", name)
		}
		after, err := patch(before)
		if err != nil {
			return before, err
		}
		after.Name, after.Stamp = name, inventory.Stamp{}
		return after, checkChannelInput(after, places)
	})
	return c, s.refreshed(ctx, err)
}

// ArchiveChannel takes a channel out of use.
func (s *Service) ArchiveChannel(ctx context.Context, caller Caller, name string, pre Precondition) error {
	if err := s.may(caller, auth.ArchiveChannel); err != nil {
		return err
	}
	_, _, err := change(ctx, s, caller, auth.ArchiveChannel, channelEntry(name), pre, func(_ context.Context, _ *store.Tx, before inventory.Channel, exists bool) (inventory.Channel, error) {
		if !exists || before.ArchivedAt != nil {
			return before, missing("channel", name)
		}
		before.Stamp = archived
		return before, nil
	})
	return s.refreshed(ctx, err)
}

// Channel gives a channel that is not archived.
func (s *Service) Channel(ctx context.Context, caller Caller, name string) (inventory.Channel, error) {
	if err := s.may(caller, auth.GetChannel); err != nil {
		return inventory.Channel{}, err
	}
	snapshot, err := s.places.reload(ctx)
	if err != nil {
		return inventory.Channel{}, err
	}
	c, ok := snapshot.channels[name]
	if !ok || c.ArchivedAt != nil {
		return c, missing("channel", name)
	}
	return c, nil
}

// Channels lists channels, a page at a time, by name.
func (s *Service) Channels(ctx context.Context, caller Caller, page Page) (Listed[inventory.Channel], error) {
	if err := s.may(caller, auth.ListChannels); err != nil {
		return Listed[inventory.Channel]{}, err
	}
	snapshot, err := s.places.reload(ctx)
	if err != nil {
		return Listed[inventory.Channel]{}, err
	}
	var last channelsCursor
	if err := page.open(&last); err != nil {
		return Listed[inventory.Channel]{}, err
	}
	items := sortedAfter(snapshot.channels, last.Channel, func(c inventory.Channel) bool { return c.ArchivedAt == nil })
	return listed(items, page, func(c inventory.Channel) any { return channelsCursor{c.Name} })
}
