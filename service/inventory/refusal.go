package inventory

import "fmt"

// RefusalKind says why a command was refused. The names are those of the public problems.
type RefusalKind string

// The refusals.
const (
	InsufficientStock  RefusalKind = "insufficient-stock"
	Conflict           RefusalKind = "conflict"
	ReservationExpired RefusalKind = "reservation-expired"
	VersionMismatch    RefusalKind = "version-mismatch"
	NotFound           RefusalKind = "not-found"
	Invalid            RefusalKind = "invalid-request"
	OverLimit          RefusalKind = "over-limit"
)

// Recorded says whether a refusal is kept under the command's idempotency key and given again:
// those that a decision on stock made are. A command that names what doesn't exist, or is
// malformed, was never taken in, and may be sent again under its key once that is mended.
func (k RefusalKind) Recorded() bool {
	switch k {
	case InsufficientStock, Conflict, ReservationExpired, VersionMismatch:
		return true
	case NotFound, Invalid, OverLimit:
		return false
	}
	return false
}

// Refusal is a command's "no". It is an error, an answer that is stored, and what clients see.
type Refusal struct {
	Kind      RefusalKind  `json:"kind"`
	Detail    string       `json:"detail"`
	Shortages []Shortage   `json:"shortages,omitempty"`
	Fields    []FieldError `json:"fields,omitempty"`
	Expected  int64        `json:"expected,omitzero"`
	Current   int64        `json:"current,omitzero"`
	Resource  string       `json:"resource,omitempty"`
	Name      string       `json:"name,omitempty"`
	// Item is the place of the refused command in an all-or-nothing batch, from 0.
	Item int `json:"item,omitzero"`
}

func (r *Refusal) Error() string { return string(r.Kind) + ": " + r.Detail }

// Shortage says which line of a command asked for more than there is. Line counts from 1. Location
// is empty where the line left it open; available is then what all locations together could give.
type Shortage struct {
	Line      int    `json:"line"`
	SKU       string `json:"sku"`
	Location  string `json:"location,omitempty"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// FieldError names an invalid field of a request by its JSON path and says what is wanted.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func conflict(format string, args ...any) *Refusal {
	return &Refusal{Kind: Conflict, Detail: fmt.Sprintf(format, args...)}
}

func invalid(field, message string) *Refusal {
	return &Refusal{Kind: Invalid, Detail: field + " " + message, Fields: []FieldError{{Field: field, Message: message}}}
}

func notFound(resource, name string) *Refusal {
	return &Refusal{Kind: NotFound, Detail: fmt.Sprintf("there is no %s %q", resource, name), Resource: resource, Name: name}
}

func insufficient(shortages []Shortage) *Refusal {
	s := shortages[0]
	detail := fmt.Sprintf("line %d asks for %d of SKU %q, %d available", s.Line, s.Requested, s.SKU, max(s.Available, 0))
	if len(shortages) > 1 {
		detail = fmt.Sprintf("%s, and %d more lines fall short", detail, len(shortages)-1)
	}
	return &Refusal{Kind: InsufficientStock, Detail: detail, Shortages: shortages}
}
