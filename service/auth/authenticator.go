package auth

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// What a door tells a caller who isn't known. Why a credential is bad is in the error, for the log;
// the caller hears the same words whatever the reason.
var (
	ErrNoCredential  = errors.New("this needs a credential: Authorization: Bearer, and an API key or a token")
	ErrBadCredential = errors.New("this credential is not accepted")
	ErrUnavailable   = errors.New("credentials can't be checked at the moment")
)

func bad(reason error) error         { return fmt.Errorf("%w: %w", ErrBadCredential, reason) }
func unavailable(reason error) error { return fmt.Errorf("%w: %w", ErrUnavailable, reason) }

// Authenticator finds out who asks.
type Authenticator interface {
	// Authenticate reads the value of an Authorization header, or of the metadata of that name.
	// Errors: ErrNoCredential, ErrBadCredential, ErrUnavailable, or the context's.
	Authenticate(ctx context.Context, authorization string) (Principal, error)
}

// Anonymous takes everybody for Nobody, who may do everything: for `stockyard dev` alone.
type Anonymous struct{}

// Authenticate implements Authenticator.
func (Anonymous) Authenticate(context.Context, string) (Principal, error) { return Nobody, nil }

// Bearer takes API keys and an issuer's tokens, where it has what checks them.
type Bearer struct {
	Keys   *Keys
	Tokens *Tokens
	// Observe is told how it went: accepted, refused or unavailable. It may be nil.
	Observe func(kind Kind, result string)
}

// maxCredential bounds what is parsed; tokens of issuers that put much into them have some KiB.
const maxCredential = 16 << 10

var (
	errNotBearer = errors.New("the scheme is not Bearer")
	errTooLong   = fmt.Errorf("it is longer than %d bytes", maxCredential)
	errNoKeys    = errors.New("API keys are not accepted")
	errNoIssuer  = errors.New("it is no API key, and no issuer of tokens is configured")
)

// Authenticate implements Authenticator.
func (b *Bearer) Authenticate(ctx context.Context, authorization string) (Principal, error) {
	scheme, credential, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	credential = strings.TrimSpace(credential)
	switch {
	case scheme == "":
		return Principal{}, ErrNoCredential
	case !strings.EqualFold(scheme, "Bearer"):
		return Principal{}, bad(errNotBearer)
	case credential == "":
		return Principal{}, ErrNoCredential
	case len(credential) > maxCredential:
		return Principal{}, bad(errTooLong)
	}
	kind, check := KindToken, b.token
	if IsAPIKey(credential) {
		kind, check = KindKey, b.key
	}
	p, err := check(ctx, credential)
	if b.Observe != nil {
		b.Observe(kind, resultOf(err))
	}
	return p, err
}

func (b *Bearer) key(ctx context.Context, credential string) (Principal, error) {
	if b.Keys == nil {
		return Principal{}, bad(errNoKeys)
	}
	return b.Keys.Authenticate(ctx, credential)
}

func (b *Bearer) token(ctx context.Context, credential string) (Principal, error) {
	if b.Tokens == nil {
		return Principal{}, bad(errNoIssuer)
	}
	return b.Tokens.Authenticate(ctx, credential)
}

func resultOf(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case errors.Is(err, ErrBadCredential):
		return "refused"
	}
	return "unavailable"
}
