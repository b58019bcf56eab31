package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// Names of the contract's problems that callers decide by.
const (
	InsufficientStock    = "insufficient-stock"
	ReservationExpired   = "reservation-expired"
	Conflict             = "conflict"
	IdempotencyKeyReused = "idempotency-key-reused"
)

// Problem is a refusal by the server, RFC 9457. An answer that is none, from a proxy say, becomes
// one with its status and the beginning of its text.
type Problem struct {
	Type      string          `json:"type"` // /problems/<name>
	Title     string          `json:"title"`
	Status    int             `json:"status"`
	Detail    string          `json:"detail"`
	Instance  string          `json:"instance"` // the request id
	Shortages []Shortage      `json:"shortages,omitempty"`
	Errors    []FieldError    `json:"errors,omitempty"`
	Raw       json.RawMessage `json:"-"` // the whole document, for fields of other kinds
}

// Shortage is a line there is not enough stock for.
type Shortage struct {
	Line      int    `json:"line"`
	SKU       string `json:"sku"`
	Location  string `json:"location"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// FieldError names an invalid field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Name is the last part of the type: insufficient-stock of /problems/insufficient-stock.
func (p *Problem) Name() string {
	if p.Type == "" {
		return ""
	}
	return path.Base(p.Type)
}

// Error is one line with everything a person needs to correct the request.
func (p *Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", p.Status)
	for _, part := range []string{p.Name(), p.Detail} {
		if part != "" {
			b.WriteString(" " + part)
		}
	}
	for _, e := range p.Errors {
		fmt.Fprintf(&b, "; %s: %s", e.Field, e.Message)
	}
	if p.Instance != "" {
		fmt.Fprintf(&b, " (request %s)", p.Instance)
	}
	return b.String()
}

// IsProblem says whether err is the server's refusal of that name.
func IsProblem(err error, name string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Name() == name
}

func readProblem(got answer) *Problem {
	p := &Problem{}
	if err := json.Unmarshal(got.body, p); err != nil {
		p = &Problem{Detail: excerpt(got.body)}
	} else {
		p.Raw = got.body
	}
	p.Status = got.status
	if p.Title == "" {
		p.Title = http.StatusText(got.status)
	}
	if p.Detail == "" {
		p.Detail = p.Title
	}
	return p
}

// excerpt keeps an error page from flooding a terminal.
func excerpt(body []byte) string {
	const most = 200
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body), "?")), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + " ..."
	}
	return text
}
