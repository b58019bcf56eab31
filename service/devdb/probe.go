package devdb

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pollPause lies between two looks at a server that is on its way up or down.
	pollPause = 50 * time.Millisecond
	// pingTimeout is for a server that takes a connection and then says nothing.
	pingTimeout = 5 * time.Second
)

// ping says whether the server answers a query.
func ping(ctx context.Context, url string) error {
	_, _, err := identify(ctx, url)
	return err
}

// identify asks a server what it is.
func identify(ctx context.Context, url string) (Kind, string, error) {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	var banner string
	err := withConn(ctx, url, func(c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT version()").Scan(&banner)
	})
	if err != nil {
		return "", "", err
	}
	// "PostgreSQL 15.18 (Debian ...) on x86_64 ...", "CockroachDB CCL v21.1.0 (x86_64 ...) ..."
	words := strings.Fields(banner)
	switch {
	case len(words) > 1 && words[0] == "PostgreSQL":
		return PostgreSQL, words[1], nil
	case len(words) > 2 && words[0] == "CockroachDB":
		return CockroachDB, words[2], nil
	}
	return "", "", fmt.Errorf("a database Stockyard does not know: %s", banner)
}

// withConn runs fn on a connection of its own. Nothing here runs often enough for a pool.
func withConn(ctx context.Context, url string, fn func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	return fn(c)
}

func execute(ctx context.Context, url string, statements ...string) error {
	return withConn(ctx, url, func(c *pgx.Conn) error {
		for _, sql := range statements {
			if _, err := c.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
}
