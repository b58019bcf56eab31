package service

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// Limits of a page of a list.
const (
	DefaultPageSize = 100
	MaxPageSize     = 1000
)

// Page asks for a part of a list. Token is what the page before gave; "" is the first.
type Page struct {
	Size  int
	Token string
}

// NewPage makes a page of a size that was asked for, nil for the default one, or says what is wrong
// with the size.
func NewPage(size *int64, token string) (Page, []inventory.FieldError) {
	switch {
	case size == nil:
		return Page{DefaultPageSize, token}, nil
	case *size < 1 || *size > MaxPageSize:
		return Page{}, []inventory.FieldError{{Field: "page_size", Message: fmt.Sprintf("must be from 1 to %d", MaxPageSize)}}
	}
	return Page{int(*size), token}, nil
}

// Listed is a page of a list. NextPageToken is "" on the last one.
type Listed[T any] struct {
	Items         []T    `json:"items"`
	NextPageToken string `json:"next_page_token"`

	// AsOf is a moment that no part of the page is older than.
	AsOf time.Time `json:"-"`
}

// cursor is where a page of a list ended. isOurs says whether the list could have written it.
type cursor interface{ isOurs() bool }

// open reads the page's token into the list's own cursor. What a token says only moves a window
// over a list that its reader may see anyway, so that it needs no signature, just care.
func (p Page) open(c cursor) error {
	if p.Token == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Token)
	if err == nil {
		err = json.Unmarshal(raw, c, json.RejectUnknownMembers(true))
	}
	if err != nil || !c.isOurs() {
		return badToken()
	}
	return nil
}

// Cursors of lists that are in the order of a name.
type (
	productsCursor struct {
		SKU string `json:"product"`
	}
	locationsCursor struct {
		Location string `json:"location"`
	}
	channelsCursor struct {
		Channel string `json:"channel"`
	}
	thresholdsCursor struct {
		Threshold string `json:"threshold"`
	}
	keysCursor struct {
		Key string `json:"key"`
	}
	webhooksCursor struct {
		Webhook string `json:"webhook"`
	}
)

func (c *productsCursor) isOurs() bool   { return inventory.CheckSKU(c.SKU) == "" }
func (c *locationsCursor) isOurs() bool  { return inventory.CheckIdentifier(c.Location) == "" }
func (c *channelsCursor) isOurs() bool   { return inventory.CheckIdentifier(c.Channel) == "" }
func (c *thresholdsCursor) isOurs() bool { return inventory.CheckIdentifier(c.Threshold) == "" }
func (c *keysCursor) isOurs() bool       { return auth.IsKeyID(c.Key) }
func (c *webhooksCursor) isOurs() bool   { return inventory.CheckIdentifier(c.Webhook) == "" }

func badToken() error {
	return invalid(inventory.FieldError{Field: "page_token", Message: "is not one that this list gave"})
}

// listed cuts a page off items, of which one more than the page's size was asked for.
func listed[T any](items []T, p Page, cursor func(last T) any) (Listed[T], error) {
	l := Listed[T]{Items: items}
	if l.Items == nil {
		l.Items = []T{}
	}
	if len(items) <= p.Size {
		return l, nil
	}
	l.Items = items[:p.Size]
	raw, err := json.Marshal(cursor(l.Items[p.Size-1]))
	l.NextPageToken = base64.RawURLEncoding.EncodeToString(raw)
	return l, err
}
