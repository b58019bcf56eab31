package service

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/secrets"
	"stockyard/service/store"
	"stockyard/service/webhook/egress"
	"stockyard/service/webhook/signature"
)

// WebhookOptions is what webhooks need. Without keys for secrets there are none.
type WebhookOptions struct {
	// Secrets encrypt what webhooks are signed with; nil: this pod takes no webhooks.
	Secrets *secrets.Keys
	// AllowPrivate allows http, and addresses of this machine and of private networks.
	AllowPrivate bool
	// From gives where a new webhook begins to read the feed.
	From func(context.Context) (cursor string, err error)
}

// WebhookFilter is what of the change feed a webhook gets; an empty list selects all.
type WebhookFilter = store.WebhookFilter

// WebhookInput is what can be said of a webhook.
type WebhookInput struct {
	URL string `json:"url"`
	// Secret is what messages are signed with; "" keeps the one that there is, or makes one.
	Secret string        `json:"secret,omitempty"`
	Filter WebhookFilter `json:"filter,omitzero"`
	Active *bool         `json:"active,omitempty"` // nil: it is
}

// WebhookAnswer is a webhook as callers see it.
type WebhookAnswer struct {
	Name   string        `json:"name"`
	URL    string        `json:"url"`
	Filter WebhookFilter `json:"filter"`
	Active bool          `json:"active"`
	// Secret is there in the answer to the PUT that made it, and never again.
	Secret         string     `json:"secret,omitempty"`
	OldSecretUntil *time.Time `json:"old_secret_until,omitempty"`
	FailingSince   *time.Time `json:"failing_since,omitempty"`
	NextAttemptAt  *time.Time `json:"next_attempt_at,omitempty"`
	SwitchedOff    string     `json:"switched_off,omitempty"`
	Version        int64      `json:"version"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
}

// SecretOverlap is how long a webhook's secrets still sign after another one took the last one's place.
const SecretOverlap = 24 * time.Hour

// oldSecrets is how many of them do, at most: whoever mends what he put in haste takes nobody's away.
const oldSecrets = 3

// WebhookOwner is whom a webhook's secrets are sealed for.
func WebhookOwner(name string) string { return "webhook/" + name }

func (s *Service) webhookEntry(name string) entry[store.Webhook] {
	region := s.options.Topology.Primary
	return entry[store.Webhook]{
		resource: "webhook", name: name,
		read:  func(ctx context.Context, tx *store.Tx) (store.Webhook, error) { return tx.Webhook(ctx, region, name) },
		write: func(tx *store.Tx, w store.Webhook) error { return tx.PutWebhook(w) },
		stamp: func(w *store.Webhook) *inventory.Stamp { return &w.Stamp },
	}
}

// PutWebhook makes a webhook or replaces it. One that was switched off, or fails, starts anew; what
// waits for it stays.
func (s *Service) PutWebhook(ctx context.Context, caller Caller, name string, in WebhookInput, pre Precondition) (answer WebhookAnswer, created bool, err error) {
	if err := s.may(caller, auth.PutWebhook); err != nil {
		return answer, false, err
	}
	given, err := s.checkWebhook(ctx, caller, name, in)
	if err != nil {
		return answer, false, err
	}
	from, err := s.options.Webhooks.From(ctx)
	if err != nil {
		return answer, false, err
	}
	fresh, id := signature.New(), random()
	shown := ""
	w, created, err := change(ctx, s, caller, auth.PutWebhook, s.webhookEntry(name), pre, func(ctx context.Context, tx *store.Tx, w store.Webhook, exists bool) (store.Webhook, error) {
		shown = ""
		if !exists {
			w = store.Webhook{Region: s.options.Topology.Primary, UUID: id, Name: name}
		}
		if w.Cursor == "" {
			w.Cursor = from
		}
		w.URL, w.Filter, w.Active = in.URL, in.Filter, in.Active == nil || *in.Active
		w.FailingSince, w.NextAttemptAt, w.SwitchedOff = nil, nil, ""
		now, err := tx.Now(ctx)
		if err != nil {
			return w, err
		}
		made, err := s.resecret(&w, given, fresh, now)
		if made {
			shown = fresh.Reveal()
		}
		return w, err
	})
	answer = describeWebhook(w)
	answer.Secret = shown
	return answer, created, err
}

// checkWebhook gives the secret that was asked for, nil for none.
func (s *Service) checkWebhook(ctx context.Context, caller Caller, name string, in WebhookInput) (given *signature.Secret, err error) {
	if s.options.Webhooks.Secrets == nil {
		return nil, &inventory.Refusal{
			Kind: inventory.Conflict,
			Detail: "this pod has no keys to encrypt the secrets of webhooks with: --secret-keys-file or STOCKYARD_SECRET_KEYS gives it some, " +
				"and `stockyard secrets new` makes them",
		}
	}
	var c checker
	c.add("webhook", inventory.CheckIdentifier(name))
	c.add("url", egress.CheckURL(in.URL, s.options.Webhooks.AllowPrivate))
	if in.Secret != "" {
		secret, err := signature.Parse(in.Secret)
		if err != nil {
			c.add("secret", err.Error())
		}
		given = &secret
	}
	_, err = s.Watch(ctx, caller, WatchQuery(in.Filter))
	var refusal *inventory.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Kind == inventory.Invalid:
		for _, f := range refusal.Fields {
			c.add("filter."+f.Field+"s", f.Message)
		}
	case errors.As(err, &refusal) && refusal.Kind == inventory.OverLimit:
		c.limit("filter."+refusal.Fields[0].Field+"s", refusal.Fields[0].Message)
	case err != nil && c.err() == nil:
		return nil, err
	}
	return given, c.err()
}

// resecret gives a webhook the secret that was asked for, or a fresh one where it has none; made says that the fresh one was taken. The one before still signs for a while.
func (s *Service) resecret(w *store.Webhook, given *signature.Secret, fresh signature.Secret, now time.Time) (made bool, err error) {
	keys, owner := s.options.Webhooks.Secrets, WebhookOwner(w.Name)
	if w.OldSecretUntil != nil && !now.Before(*w.OldSecretUntil) {
		w.OldSecret, w.OldSecretUntil = nil, nil
	}
	current, err := keys.Open(owner, w.Secret)
	usable := err == nil
	switch {
	case given == nil && usable:
		return false, nil
	case given == nil && len(w.Secret) > 0: // another pod may well have the key
		return false, &inventory.Refusal{
			Kind:   inventory.Conflict,
			Detail: "the secret of this webhook is encrypted with a key that this pod doesn't have: come back when all pods have the same keys, or give a secret",
		}
	}
	next := fresh
	if given != nil {
		next = *given
	}
	text := []byte(next.Reveal())
	if usable {
		if bytes.Equal(current, text) {
			return false, nil
		}
		if w.OldSecret, err = keys.Seal(owner, []byte(strings.Join(s.stillSigning(w, string(current), string(text)), " "))); err != nil {
			return false, err
		}
		w.OldSecretUntil = new(now.Add(SecretOverlap))
	}
	w.Secret, err = keys.Seal(owner, text)
	return given == nil, err
}

// stillSigning are the secrets before the next one, newest first.
func (s *Service) stillSigning(w *store.Webhook, current, next string) []string {
	all := []string{current}
	if older, err := s.options.Webhooks.Secrets.Open(WebhookOwner(w.Name), w.OldSecret); err == nil {
		all = append(all, strings.Fields(string(older))...)
	}
	all = slices.DeleteFunc(all, func(text string) bool { return text == next })
	return all[:min(len(all), oldSecrets)]
}

// DeleteWebhook ends a webhook. What it has yet to be told, it isn't told.
func (s *Service) DeleteWebhook(ctx context.Context, caller Caller, name string, pre Precondition) error {
	if err := s.may(caller, auth.DeleteWebhook); err != nil {
		return err
	}
	e := s.webhookEntry(name)
	e.write = func(tx *store.Tx, w store.Webhook) error {
		tx.DeleteWebhook(w)
		return nil
	}
	_, _, err := change(ctx, s, caller, auth.DeleteWebhook, e, pre, func(_ context.Context, _ *store.Tx, w store.Webhook, exists bool) (store.Webhook, error) {
		if !exists {
			return w, missing("webhook", name)
		}
		w.Active = false
		return w, nil
	})
	return err
}

// Webhook gives a webhook, but for its secret.
func (s *Service) Webhook(ctx context.Context, caller Caller, name string) (WebhookAnswer, error) {
	if err := s.may(caller, auth.GetWebhook); err != nil {
		return WebhookAnswer{}, err
	}
	w, err := s.webhook(ctx, name)
	return describeWebhook(w), err
}

func (s *Service) webhook(ctx context.Context, name string) (store.Webhook, error) {
	w, err := s.store.Webhook(ctx, s.options.Topology.Primary, name)
	if errors.Is(err, store.ErrNotFound) {
		return w, missing("webhook", name)
	}
	return w, fromStore(err, false)
}

// Webhooks lists webhooks, a page at a time, by their names.
func (s *Service) Webhooks(ctx context.Context, caller Caller, page Page) (none Listed[WebhookAnswer], err error) {
	if err := s.may(caller, auth.ListWebhooks); err != nil {
		return none, err
	}
	var last webhooksCursor
	if err := page.open(&last); err != nil {
		return none, err
	}
	found, err := s.store.Webhooks(ctx, s.options.Topology.Primary, last.Webhook, page.Size+1)
	if err != nil {
		return none, fromStore(err, false)
	}
	items := make([]WebhookAnswer, len(found))
	for i, w := range found {
		items[i] = describeWebhook(w)
	}
	return listed(items, page, func(w WebhookAnswer) any { return webhooksCursor{w.Name} })
}

func describeWebhook(w store.Webhook) WebhookAnswer {
	return WebhookAnswer{
		Name: w.Name, URL: w.URL, Filter: w.Filter, Active: w.Active, OldSecretUntil: w.OldSecretUntil, FailingSince: w.FailingSince,
		NextAttemptAt: w.NextAttemptAt, SwitchedOff: w.SwitchedOff, Version: w.Version, CreatedAt: w.CreatedAt, UpdatedAt: w.UpdatedAt,
	}
}
