package store_test

import (
	"strings"
	"testing"

	"stockyard/service/store"
)

func TestOnlyVerifiedHostsAreReached(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for url, refused := range map[string]string{
		"postgres://127.0.0.1:26257/x?sslmode=disable":                       "",
		"postgres://localhost/x":                                             "",
		"postgres://[::1]:26257/x":                                           "",
		"postgres:///x?host=/var/run/postgresql":                             "",
		"host=/var/run/postgresql dbname=x":                                  "",
		"postgres://crdb.example.com/x?sslmode=verify-full":                  "",
		"postgres://a.example.com,b.example.com/x?sslmode=verify-full":       "",
		"postgres://crdb.example.com/x?sslrootcert=system":                   "",
		"postgres://crdb.example.com/x":                                      "crdb.example.com",
		"postgres://crdb.example.com/x?sslmode=disable":                      "crdb.example.com",
		"postgres://crdb.example.com/x?sslmode=allow":                        "crdb.example.com",
		"postgres://crdb.example.com/x?sslmode=prefer":                       "crdb.example.com",
		"postgres://crdb.example.com/x?sslmode=require":                      "crdb.example.com",
		"postgres://crdb.example.com/x?sslmode=verify-ca":                    "crdb.example.com",
		"postgres://127.0.0.1,crdb.example.com/x?sslmode=require":            "crdb.example.com",
		"postgres://10.1.2.3/x?sslmode=disable":                              "10.1.2.3",
		"postgres://app:s3cret@crdb.example.com/x":                           "crdb.example.com",
		"postgres://crdb.example.com/x?sslmode=verify-full&sslrootcert=none": "can't be read",
		"postgres://app:s3cret@crdb.example.com/x?sslmode=nonsense":          "can't be read",
	} {
		err := store.CheckVerified(url)
		if (err == nil) != (refused == "") || err != nil && !strings.Contains(err.Error(), refused) {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: a password is in %v", url, err)
		}
	}
}
