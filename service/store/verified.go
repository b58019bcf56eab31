package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"stockyard/service/auth"
)

// CheckVerified refuses a connection string by which a host that isn't this machine could be reached
// without encryption, or another one could pass itself off as it.
func CheckVerified(url string) error {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		return errUnreadableURL
	}
	if !verified(config.Host, config.TLSConfig) {
		return unverified(config.Host)
	}
	for _, f := range config.Fallbacks { // further hosts, and what modes such as "prefer" fall back to
		if !verified(f.Host, f.TLSConfig) {
			return unverified(f.Host)
		}
	}
	return nil
}

func verified(host string, t *tls.Config) bool {
	isSocket := strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@")
	return isSocket || auth.IsLoopback(host) || t != nil && !t.InsecureSkipVerify
}

func unverified(host string) error {
	return fmt.Errorf("the database host %q is not this machine, and the connection string doesn't make sure that nobody listens in "+
		"or answers in its place: add sslmode=verify-full, and sslrootcert=FILE where its certificate is from an authority of your own. "+
		"On a network that keeps everybody else out, say --allow-unverified-database", host)
}

var errUnreadableURL = errors.New("the database URL can't be read: want postgres://user@host:port/database?options, and the files that it names must be there")
