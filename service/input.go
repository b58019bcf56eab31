package service

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"stockyard/service/inventory"
)

// Lengths of free text, in characters.
const (
	maxReason    = 255
	maxReference = 255
)

// checker collects everything that is wrong with an input, so that all of it is named at once.
type checker struct {
	wrong []inventory.FieldError
	over  *inventory.FieldError // a limit of the contract that was passed
}

func (c *checker) add(field, message string) {
	if message != "" {
		c.wrong = append(c.wrong, inventory.FieldError{Field: field, Message: message})
	}
}

func (c *checker) limit(field, message string) {
	c.over = &inventory.FieldError{Field: field, Message: message}
}

// err gives what was collected, nil for nothing.
func (c *checker) err() error {
	if c.over != nil {
		return &inventory.Refusal{Kind: inventory.OverLimit, Detail: c.over.Field + " " + c.over.Message, Fields: []inventory.FieldError{*c.over}}
	}
	if len(c.wrong) == 0 {
		return nil
	}
	return invalid(c.wrong...)
}

// Invalid refuses a request for what a door itself found wrong with it.
func Invalid(wrong ...inventory.FieldError) *inventory.Refusal { return invalid(wrong...) }

func invalid(wrong ...inventory.FieldError) *inventory.Refusal {
	detail := wrong[0].Field + " " + wrong[0].Message
	if len(wrong) > 1 {
		detail = fmt.Sprintf("%s; %d more fields are invalid", detail, len(wrong)-1)
	}
	return &inventory.Refusal{Kind: inventory.Invalid, Detail: detail, Fields: wrong}
}

func missing(resource, name string) *inventory.Refusal {
	return &inventory.Refusal{
		Kind: inventory.NotFound, Resource: resource, Name: name,
		Detail: fmt.Sprintf("there is no %s %q", resource, name),
	}
}

func (c *checker) lines(n int) {
	switch {
	case n == 0:
		c.add("lines", "must have at least one line")
	case n > MaxLines:
		c.limit("lines", fmt.Sprintf("has %d lines; at most %d are allowed in a command", n, MaxLines))
	}
}

// lineAt is what the fields of a line are named by. Every command needs it, and few have a field that
// is wrong: it is cheap.
func lineAt(i int) string { return "lines[" + strconv.Itoa(i) + "]." }

// words checks what a caller may say about a command.
func (c *checker) words(reason, reference string) {
	c.add("reason", inventory.CheckText(reason, maxReason))
	c.add("reference", inventory.CheckText(reference, maxReference))
}

// checkKey makes sure that a command that changes stock can be repeated safely.
func checkKey(caller Caller) error {
	const field = "Idempotency-Key"
	switch {
	case caller.DryRun && caller.Key == "":
		return nil
	case caller.Key == "":
		return invalid(inventory.FieldError{Field: field, Message: "is required: 1 to 255 printable ASCII characters that name this command, the same again when it is repeated"})
	case len(caller.Key) > 255:
		return invalid(inventory.FieldError{Field: field, Message: fmt.Sprintf("has %d characters; at most 255 are allowed", len(caller.Key))})
	}
	for _, r := range caller.Key {
		if r < ' ' || r > '~' {
			return invalid(inventory.FieldError{Field: field, Message: "must be printable ASCII"})
		}
	}
	return nil
}

// effective reads the time at which something happened in the world. It may lie in the past, and
// in the future only as far as clocks differ.
func (c *checker) effective(at *time.Time) time.Time {
	const tolerance = 5 * time.Minute
	if at == nil {
		return time.Time{}
	}
	switch {
	case at.Year() < 1900:
		c.add("effective_at", "must not be before the year 1900")
	case time.Until(*at) > tolerance:
		c.add("effective_at", "must not be in the future")
	}
	return at.UTC().Truncate(time.Microsecond)
}

// level resolves a location and a SKU. Whether the SKU exists shows when the level is read.
func (s *Service) level(ctx context.Context, location, sku string) (inventory.LevelKey, error) {
	l, ok, err := s.places.location(ctx, location)
	switch {
	case err != nil:
		return inventory.LevelKey{}, err
	case !ok:
		return inventory.LevelKey{}, missing("location", location)
	}
	return inventory.LevelKey{Region: l.Region, SKU: sku, Location: location}, nil
}

// checkChannel resolves a channel; "" is none.
func (s *Service) checkChannel(ctx context.Context, name string) (inventory.Channel, error) {
	if name == "" {
		return inventory.Channel{}, nil
	}
	c, ok, err := s.places.channel(ctx, name)
	switch {
	case err != nil:
		return c, err
	case !ok || c.ArchivedAt != nil:
		return c, missing("channel", name)
	}
	return c, nil
}
