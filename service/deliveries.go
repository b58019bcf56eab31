package service

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"stockyard/service/auth"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// DeliveryStatuses lists what may become of a delivery.
func DeliveryStatuses() []string {
	return []string{store.DeliveryPending, store.DeliveryDelivered, store.DeliveryParked}
}

// DeliveryAnswer is an entry of the change feed on its way to a webhook.
type DeliveryAnswer struct {
	// ID is what the message carries as webhook-id, each time that it is sent.
	ID       string `json:"id"`
	Type     string `json:"type"`
	Subject  string `json:"subject"`
	Sequence int64  `json:"sequence"`
	Status   string `json:"status"`
	Attempts int64  `json:"attempts"`
	// NextAttemptAt is when it may be tried again, where it is pending. One that comes after others
	// of its subject waits for them.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	LastStatus    int64      `json:"last_status,omitzero"`
	LastError     string     `json:"last_error,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

type deliveriesCursor struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"delivery"`
}

func (c *deliveriesCursor) isOurs() bool { return !c.At.IsZero() && c.ID != uuid.UUID{} }

// Deliveries lists what a webhook was told and has yet to be told, newest first; status "" is any.
// Delivered ones are kept for 7 days, parked ones for 30.
func (s *Service) Deliveries(ctx context.Context, caller Caller, name, status string, page Page) (none Listed[DeliveryAnswer], err error) {
	if err := s.may(caller, auth.ListDeliveries); err != nil {
		return none, err
	}
	if status != "" {
		var c checker
		c.oneOf("status", status, DeliveryStatuses()...)
		if err := c.err(); err != nil {
			return none, err
		}
	}
	f := store.DeliveryFilter{Status: status, Before: time.Now().Add(time.Hour), Limit: page.Size + 1} // whatever the clocks say
	var last deliveriesCursor
	if err := page.open(&last); err != nil {
		return none, err
	}
	if page.Token != "" {
		f.Before, f.BeforeID = last.At, last.ID
	}
	w, err := s.webhook(ctx, name)
	if err != nil {
		return none, err
	}
	f.Region, f.Webhook = w.Region, w.UUID
	found, err := s.store.Deliveries(ctx, f)
	if err != nil {
		return none, fromStore(err, false)
	}
	list, err := listed(found, page, func(d store.Delivery) any { return deliveriesCursor{d.CreatedAt, d.UUID} })
	if err != nil {
		return none, err
	}
	answer := Listed[DeliveryAnswer]{Items: []DeliveryAnswer{}, NextPageToken: list.NextPageToken}
	for _, d := range list.Items {
		answer.Items = append(answer.Items, describeDelivery(d))
	}
	return answer, nil
}

// Redeliver has a delivery tried again, whatever became of it: at once, if nothing of its subject
// waits before it.
func (s *Service) Redeliver(ctx context.Context, caller Caller, name, id string) (answer DeliveryAnswer, err error) {
	if err := s.may(caller, auth.Redeliver); err != nil {
		return answer, err
	}
	key, err := uuid.Parse(id)
	if err != nil || key.String() != id {
		return answer, invalid(inventory.FieldError{Field: "id", Message: "must be the id of a delivery, such as its list gives"})
	}
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Webhook(ctx, s.options.Topology.Primary, name)
		if errors.Is(err, store.ErrNotFound) {
			return missing("webhook", name)
		}
		if err != nil {
			return err
		}
		d, err := tx.Redeliver(ctx, w, key)
		if errors.Is(err, store.ErrNotFound) {
			return missing("delivery", id)
		}
		if err != nil {
			return err
		}
		answer = describeDelivery(d)
		tx.Audit(s.setting(caller, auth.Redeliver, "webhook", name, answer))
		return nil
	})
	if errors.Is(err, store.ErrAmbiguous) {
		err = ErrOutcomeUnknown
	}
	return answer, fromStore(err, false)
}

func describeDelivery(d store.Delivery) DeliveryAnswer {
	a := DeliveryAnswer{
		ID: uuid.UUID(d.UUID).String(), Type: d.Kind, Subject: d.Subject, Sequence: d.Sequence, Status: d.Status, Attempts: d.Attempts,
		LastStatus: d.LastStatus, LastError: d.LastError, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if d.Status == store.DeliveryPending {
		a.NextAttemptAt = &d.NextAttemptAt
	}
	return a
}
