package pod

import (
	"context"
	"errors"
	"log/slog"

	"stockyard/service/auth"
	"stockyard/service/config"
	"stockyard/service/store"
	"stockyard/service/telemetry"
)

// access is who may come in: what the doors ask, and what must run beside them for it.
type access struct {
	authenticator auth.Authenticator
	run           []func(context.Context)
}

func newAccess(settings config.Access, st *store.Store, metrics *telemetry.Metrics, log *slog.Logger) access {
	if settings.Anonymous {
		log.Warn("this pod asks for no credentials: whoever reaches it may do everything")
		return access{authenticator: auth.Anonymous{}}
	}
	keys := auth.NewKeys(keySource{st}, log)
	bearer := &auth.Bearer{Keys: keys, Observe: metrics.Authenticated}
	a := access{authenticator: bearer, run: []func(context.Context){keys.Run}}
	if settings.OIDCIssuer != "" {
		bearer.Tokens = auth.NewTokens(auth.TokenOptions{
			Issuer: settings.OIDCIssuer, Audience: settings.OIDCAudience, GrantsClaim: settings.OIDCGrantsClaim, Log: log,
		})
		a.run = append(a.run, bearer.Tokens.Run)
	}
	return a
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
