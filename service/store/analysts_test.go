package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"stockyard/service/devdb"
	"stockyard/service/store/storetest"
)

func query[T any](t *testing.T, conn *pgx.Conn, sql string) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

const views = `SELECT table_name::text FROM information_schema.views WHERE table_schema = 'public' ORDER BY 1`

// An analyst reads every view, and nothing else, and changes nothing.
func TestAnalystsReadViewsAndNothingElse(t *testing.T) {
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		for range 2 {
			if err := db.GrantAnalysts(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		owner := connect(t, db.URLs[0])
		name := "analyst_" + strings.ToLower(rand.Text())
		statements := []string{"CREATE USER " + name, "GRANT stockyard_analyst TO " + name}
		address, err := url.Parse(db.URLs[0])
		if err != nil {
			t.Fatal(err)
		}
		address.User = url.User(name)
		if db.Kind == devdb.PostgreSQL {
			statements[0] += " PASSWORD 'secret'"
			address.User = url.UserPassword(name, "secret")
		}
		for _, s := range statements {
			if _, err := owner.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		t.Cleanup(func() {
			if _, err := owner.Exec(context.WithoutCancel(t.Context()), "DROP USER "+name); err != nil {
				t.Error(err)
			}
		})
		all := query[string](t, owner, views)
		if !slices.Contains(all, "stock_now") || !slices.Contains(all, "ledger") {
			t.Fatalf("views are %v", all)
		}
		analyst := connect(t, address.String())
		for _, view := range all {
			if _, err := analyst.Exec(t.Context(), "SELECT * FROM "+view+" LIMIT 1"); err != nil {
				t.Errorf("%s: %v", view, err)
			}
		}
		for _, statement := range []string{
			"SELECT * FROM stock_levels", "SELECT * FROM stock_events", "SELECT * FROM api_keys", "SELECT * FROM webhooks",
			"DELETE FROM stock_levels", "UPDATE products SET name = 'x'", "UPDATE catalogue SET name = 'x'", "CREATE VIEW mine AS SELECT * FROM stock_levels", "DROP VIEW stock_now",
		} {
			_, err := analyst.Exec(t.Context(), statement)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) {
				t.Errorf("%s: %v", statement, err)
			} else if db.Kind == devdb.PostgreSQL && refused.Code != "42501" {
				t.Errorf("%s: %s", statement, refused.Message)
			}
		}
	})
}

var described = regexp.MustCompile("(?m)^\\| `([a-z_, `]+)` \\|")

// Every column of every view is described in the book for analysts, and no other.
func TestEveryColumnOfAViewIsDescribed(t *testing.T) {
	book, err := os.ReadFile("../../sql/README.md")
	if err != nil {
		t.Fatal(err)
	}
	storetest.EachShared(t, func(t *testing.T, db *storetest.DB) {
		owner := connect(t, db.URLs[0])
		for _, view := range query[string](t, owner, views) {
			_, rest, found := strings.Cut(string(book), "#### `"+view+"`\n")
			if !found {
				t.Errorf("%s isn't described", view)
				continue
			}
			text, _, _ := strings.Cut(rest, "\n#")
			var names []string
			for _, row := range described.FindAllStringSubmatch(text, -1) {
				names = append(names, strings.Split(row[1], "`, `")...)
			}
			columns := query[string](t, owner, fmt.Sprintf("SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '%s' ORDER BY ordinal_position", view))
			if !slices.Equal(names, columns) {
				t.Errorf("%s has   %v\nthe book: %v", view, columns, names)
			}
		}
	})
}
