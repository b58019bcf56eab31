package pod

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"

	"stockyard/service/auth"
	"stockyard/service/config"
	"stockyard/service/store"
	"stockyard/service/telemetry"
	"stockyard/service/tlsfiles"
)

// access is who may come in, and over what: what the doors ask, and what must run beside them for it.
type access struct {
	authenticator auth.Authenticator
	tls           *tlsfiles.Files // nil: connections are plain
	run           []func(context.Context)
}

func newAccess(settings config.Settings, st *store.Store, metrics *telemetry.Metrics, log *slog.Logger) (a access, err error) {
	a.authenticator, a.run = newAuthenticator(settings.Access, st, metrics, log)
	if settings.TLSCert == "" {
		return a, nil
	}
	if a.tls, err = tlsfiles.Open(settings.Files(), log); err != nil {
		return a, err
	}
	metrics.WatchCertificate(a.tls.Expiry)
	a.run = append(a.run, a.tls.Run)
	return a, nil
}

// tlsConfig is that of a door which speaks these protocols; nil for plain connections.
func (a access) tlsConfig(protocols ...string) *tls.Config {
	if a.tls == nil {
		return nil
	}
	return a.tls.Config(protocols...)
}

func newAuthenticator(settings config.Access, st *store.Store, metrics *telemetry.Metrics, log *slog.Logger) (auth.Authenticator, []func(context.Context)) {
	if settings.Anonymous {
		log.Warn("this pod asks for no credentials: whoever reaches it may do everything")
		return auth.Anonymous{}, nil
	}
	keys := auth.NewKeys(keySource{st}, log)
	bearer := &auth.Bearer{Keys: keys, Observe: metrics.Authenticated}
	run := []func(context.Context){keys.Run}
	if settings.OIDCIssuer != "" {
		bearer.Tokens = auth.NewTokens(auth.TokenOptions{
			Issuer: settings.OIDCIssuer, Audience: settings.OIDCAudience, GrantsClaim: settings.OIDCGrantsClaim, Log: log,
		})
		run = append(run, bearer.Tokens.Run)
	}
	return bearer, run
}

// keySource is the store as auth wants it: auth knows no errors of the store.
type keySource struct{ *store.Store }

// Key implements auth.KeySource.
func (s keySource) Key(ctx context.Context, id string) (auth.Key, bool, error) {
	key, err := s.Store.Key(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return key, false, nil
	}
	return key, err == nil, err
}
