package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Level is the stock of one SKU at one location; an untouched one is all zeros at version 0.
type Level struct {
	Location    string    `json:"location"`
	SKU         string    `json:"sku"`
	Region      string    `json:"region"`
	OnHand      int64     `json:"on_hand"`
	Held        int64     `json:"held"`
	Allocated   int64     `json:"allocated"`
	Quarantined int64     `json:"quarantined"`
	Incoming    int64     `json:"incoming"`
	Shortfall   int64     `json:"shortfall"`
	Available   int64     `json:"available"`
	Version     int64     `json:"version"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// StockFilter narrows a list of levels; empty fields don't.
type StockFilter struct {
	SKU, Location, Region string
	PageSize              int // 0: the server's default
}

// StockPage is a part of a list; an empty token says it was the last.
type StockPage struct {
	Items         []Level `json:"items"`
	NextPageToken string  `json:"next_page_token"`
}

// Level reads one level.
func (c *Client) Level(ctx context.Context, location, sku string) (Level, Call, error) {
	var out Level
	at := "/v1/stock/" + url.PathEscape(location) + "/" + url.PathEscape(sku)
	call, err := c.do(ctx, request{method: http.MethodGet, path: at}, &out)
	return out, call, err
}

// StockPage reads one page of levels; an empty token asks for the first.
func (c *Client) StockPage(ctx context.Context, f StockFilter, token string) (StockPage, Call, error) {
	query := url.Values{}
	for name, value := range map[string]string{
		"sku": f.SKU, "location": f.Location, "region": f.Region, "page_token": token,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.PageSize > 0 {
		query.Set("page_size", strconv.Itoa(f.PageSize))
	}
	var out StockPage
	call, err := c.do(ctx, request{method: http.MethodGet, path: "/v1/stock", query: query}, &out)
	return out, call, err
}

// Stock reads all levels of a list, page by page; an error ends it.
func (c *Client) Stock(ctx context.Context, f StockFilter) iter.Seq2[Level, error] {
	return func(yield func(Level, error) bool) {
		token := ""
		for {
			page, _, err := c.StockPage(ctx, f, token)
			if err != nil {
				yield(Level{}, err)
				return
			}
			for _, level := range page.Items {
				if !yield(level, nil) {
					return
				}
			}
			if token = page.NextPageToken; token == "" {
				return
			}
		}
	}
}
