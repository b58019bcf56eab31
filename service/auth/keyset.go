package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// maxKeySet bounds what is read of an issuer's keys.
const maxKeySet = 1 << 20

// CheckIssuer makes sure that a URL can't be listened in on or answered by somebody else: https, or
// this very machine.
func CheckIssuer(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return errors.New("want a URL such as https://id.example.com/realms/shop")
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("%s: want https; http is for this machine only", u.Redacted())
}

// IsLoopback says whether a host is certainly this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetch reads the issuer's configuration, which names where its keys are, and the keys.
func (k *issuerKeys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.http), k.issuer)
	if err != nil {
		return nil, err
	}
	var about struct {
		KeySet string `json:"jwks_uri"`
	}
	if err := provider.Claims(&about); err != nil {
		return nil, err
	}
	if err := CheckIssuer(about.KeySet); err != nil {
		return nil, fmt.Errorf("its jwks_uri: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, about.KeySet, nil)
	if err != nil {
		return nil, err
	}
	answer, err := k.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("its keys: %s", answer.Status)
	}
	return readKeySet(io.LimitReader(answer.Body, maxKeySet))
}

// readKeySet reads a JWK set. Keys of kinds that no algorithm here is for are passed over: an issuer
// may publish some for others.
func readKeySet(from io.Reader) (keys []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(from).Decode(&set); err != nil {
		return nil, fmt.Errorf("its keys: %w", err)
	}
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil && key.Valid() && key.IsPublic() {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("its keys: there is none that can check signatures")
	}
	return keys, nil
}
