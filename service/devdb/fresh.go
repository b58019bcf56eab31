package devdb

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
)

// Fresh makes an empty database on a CockroachDB cluster that somebody else runs, and gives its
// connection strings, one for each of those given. drop removes it.
func Fresh(ctx context.Context, urls []string) (fresh []string, drop func() error, err error) {
	if len(urls) == 0 {
		return nil, nil, errors.New("no connection string given")
	}
	name := "soak_" + strings.ToLower(rand.Text()[:12])
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, nil, errors.New("a connection string is no URL")
		}
		u.Path = "/" + name
		fresh = append(fresh, u.String())
	}
	if err := execute(ctx, urls[0], "CREATE DATABASE "+name); err != nil {
		return nil, nil, err
	}
	return fresh, func() error { return execute(context.WithoutCancel(ctx), urls[0], "DROP DATABASE "+name+" CASCADE") }, nil
}
