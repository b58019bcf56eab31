package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// KeyInput asks for an API key.
type KeyInput struct {
	Name      string     `json:"name"`
	Grants    []string   `json:"grants"`               // such as "warehouse@region:europe-west1"
	ExpiresIn string     `json:"expires_in,omitempty"` // a duration as Go writes it; or
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// NewKey is a key that was made just now.
type NewKey struct {
	// Text is what its owner presents. It is kept nowhere, and can't be shown again.
	Text string `json:"key"`
	auth.Key
}

const (
	maxKeyName   = 100
	maxKeyGrants = 100
	maxKeyLife   = 10 * 365 * 24 * time.Hour
)

// CreateKey makes an API key.
func (s *Service) CreateKey(ctx context.Context, caller Caller, in KeyInput) (NewKey, error) {
	if err := s.may(caller, auth.CreateKey); err != nil {
		return NewKey{}, err
	}
	var c checker
	life := c.keyLife(in)
	key := auth.Key{Name: in.Name, Grants: c.grants(in.Grants, s.options.Topology.Has), CreatedBy: caller.Principal.Actor()}
	c.keyName(in.Name)
	if err := c.err(); err != nil {
		return NewKey{}, err
	}
	if in.ExpiresAt != nil {
		key.ExpiresAt = new(in.ExpiresAt.UTC().Truncate(time.Microsecond)) // what the database keeps
	}
	text := auth.NewAPIKey()
	key.ID, key.Hash = text.ID, text.Hash()
	key, err := s.changeKey(ctx, caller, auth.CreateKey, func(_ context.Context, tx *store.Tx, now time.Time) (auth.Key, error) {
		key.CreatedAt, key.Status = now, auth.KeyActive
		if life > 0 {
			key.ExpiresAt = new(now.Add(life))
		}
		return key, tx.AddKey(key)
	})
	if err != nil {
		return NewKey{}, err
	}
	return NewKey{Text: text.Reveal(), Key: key}, nil
}

// RevokeKey makes a key useless, within seconds at every pod. One that is revoked already stays so.
func (s *Service) RevokeKey(ctx context.Context, caller Caller, id string) (auth.Key, error) {
	if err := s.may(caller, auth.RevokeKey); err != nil {
		return auth.Key{}, err
	}
	if err := checkKeyID(id); err != nil {
		return auth.Key{}, err
	}
	return s.changeKey(ctx, caller, auth.RevokeKey, func(ctx context.Context, tx *store.Tx, now time.Time) (auth.Key, error) {
		key, err := tx.Key(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return key, missing("key", id)
		case err != nil:
			return key, err
		case key.RevokedAt == nil:
			tx.RevokeKey(id, now)
			key.RevokedAt, key.Status = &now, auth.KeyRevoked
		}
		return key, nil
	})
}

// changeKey is the one way in which keys are made and revoked.
func (s *Service) changeKey(ctx context.Context, caller Caller, op auth.Operation, decide func(context.Context, *store.Tx, time.Time) (auth.Key, error)) (key auth.Key, err error) {
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if key, err = decide(ctx, tx, now); err != nil {
			return err
		}
		tx.Audit(s.setting(caller, op, "key", key.ID, key))
		return nil
	})
	if errors.Is(err, store.ErrAmbiguous) {
		err = ErrOutcomeUnknown
	}
	return key, fromStore(err, false)
}

// Key gives what is known of a key, but for its secret.
func (s *Service) Key(ctx context.Context, caller Caller, id string) (auth.Key, error) {
	if err := s.may(caller, auth.GetKey); err != nil {
		return auth.Key{}, err
	}
	if err := checkKeyID(id); err != nil {
		return auth.Key{}, err
	}
	key, err := s.store.Key(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return key, missing("key", id)
	}
	return key, fromStore(err, false)
}

// Keys lists keys, a page at a time, by their ids; expired and revoked ones too.
func (s *Service) Keys(ctx context.Context, caller Caller, page Page) (Listed[auth.Key], error) {
	if err := s.may(caller, auth.ListKeys); err != nil {
		return Listed[auth.Key]{}, err
	}
	var last keysCursor
	if err := page.open(&last); err != nil {
		return Listed[auth.Key]{}, err
	}
	items, err := s.store.Keys(ctx, last.Key, page.Size+1)
	if err != nil {
		return Listed[auth.Key]{}, fromStore(err, false)
	}
	return listed(items, page, func(k auth.Key) any { return keysCursor{k.ID} })
}

// checkKeyID refuses what can't be a key's id, without repeating it: it may be a whole key.
func checkKeyID(id string) error {
	if !auth.IsKeyID(id) {
		return invalid(inventory.FieldError{Field: "id", Message: "must be the id of a key: the 16 characters between sy_ and the next _"})
	}
	return nil
}

func (c *checker) keyName(name string) {
	switch {
	case strings.TrimSpace(name) == "":
		c.add("name", "is required: what the key is for, or who holds it")
	case strings.ContainsAny(name, "\n\t"):
		c.add("name", "must be one line")
	default:
		c.add("name", inventory.CheckText(name, maxKeyName))
	}
}

// keyLife reads how long a key is to last; 0 where that is said otherwise, or not at all.
func (c *checker) keyLife(in KeyInput) time.Duration {
	switch {
	case in.ExpiresIn != "" && in.ExpiresAt != nil:
		c.add("expires_in", "and expires_at say the same: give one of them")
	case in.ExpiresAt != nil && time.Until(*in.ExpiresAt) <= 0:
		c.add("expires_at", "must be in the future")
	case in.ExpiresAt != nil && time.Until(*in.ExpiresAt) > maxKeyLife:
		c.add("expires_at", "must be within ten years")
	case in.ExpiresIn != "":
		life, err := time.ParseDuration(in.ExpiresIn)
		if err != nil || life < time.Second || life > maxKeyLife {
			c.add("expires_in", `must be a duration from 1s to 87600h, such as "720h"`)
		}
		return life
	}
	return 0
}

// grants reads grants. A location may be granted before it is there; a region is there or isn't.
func (c *checker) grants(texts []string, isRegion func(string) bool) []auth.Grant {
	switch {
	case len(texts) == 0:
		c.add("grants", `must have at least one grant, such as "viewer" or "warehouse@region:europe-west1"`)
	case len(texts) > maxKeyGrants:
		c.limit("grants", fmt.Sprintf("has %d grants; at most %d are allowed", len(texts), maxKeyGrants))
		return nil
	}
	grants := make([]auth.Grant, len(texts))
	for i, text := range texts {
		at := fmt.Sprintf("grants[%d]", i)
		g, err := auth.ParseGrant(text)
		if err != nil {
			c.add(at, err.Error())
		}
		for _, region := range g.Regions {
			if !isRegion(region) {
				c.add(at, fmt.Sprintf("names region %q, which is not in the topology", region))
			}
		}
		grants[i] = g
	}
	return grants
}
