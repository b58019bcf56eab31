package auth

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// How an issuer's keys are kept. Keys that it withdrew are gone within refreshEvery while it
// answers; while it doesn't, those at hand are trusted for trustFor. A token that no key at hand
// has signed makes the pod ask for new ones, but not again for some seconds:
// whoever sends junk must not make us hammer the issuer. (go-oidc's own key set has no such bound.)
const (
	refreshEvery = 5 * time.Minute
	trustFor     = 24 * time.Hour
	askTimeout   = 5 * time.Second

	usualAskAgain = 10 * time.Second
)

var errNeverAnswered = errors.New("the issuer has not told its keys yet")

// issuerKeys are the public keys of an issuer.
type issuerKeys struct {
	issuer   string
	askAgain time.Duration
	http     *http.Client
	log      *slog.Logger

	asking sync.Mutex // held while the issuer is asked

	mu   sync.Mutex
	told told
}

// told is what an issuer has told.
type told struct {
	keys    []jose.JSONWebKey
	at      time.Time // of the keys; zero: never
	asked   time.Time // the last time
	failing error     // why it didn't answer then
}

func newIssuerKeys(o TokenOptions) *issuerKeys {
	client := o.HTTP
	if client == nil {
		client = &http.Client{}
	}
	guarded := *client
	guarded.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > 3 {
			return errors.New("redirected too often")
		}
		return CheckIssuer(r.URL.String())
	}
	return &issuerKeys{issuer: o.Issuer, askAgain: cmp.Or(o.AskAgain, usualAskAgain), http: &guarded, log: o.Log, told: told{failing: errNeverAnswered}}
}

// verify checks a token's signature and then reads its claims into dest.
func (k *issuerKeys) verify(ctx context.Context, token *jwt.JSONWebToken, dest ...any) error {
	now := k.atHand()
	if signedBy(now.keys, token, dest) {
		return nil
	}
	if time.Since(now.asked) >= k.askAgain {
		if err := k.ask(ctx, now.asked); ctx.Err() != nil {
			return err
		}
		if now = k.atHand(); signedBy(now.keys, token, dest) {
			return nil
		}
	}
	if now.failing != nil && !names(now.keys, token.Headers[0].KeyID) {
		return unavailable(now.failing) // it may be a key that the issuer made meanwhile
	}
	return bad(errSignature)
}

// signedBy tries the keys that the token can mean. A key that says what it is for, or by which
// algorithm, is used for nothing else.
func signedBy(keys []jose.JSONWebKey, token *jwt.JSONWebToken, dest []any) bool {
	header := token.Headers[0]
	for _, key := range keys {
		switch {
		case header.KeyID != "" && key.KeyID != header.KeyID:
		case key.Algorithm != "" && key.Algorithm != header.Algorithm:
		case key.Use != "" && key.Use != "sig":
		case token.Claims(key.Key, dest...) == nil:
			return true
		}
	}
	return false
}

func names(keys []jose.JSONWebKey, id string) bool {
	return slices.ContainsFunc(keys, func(k jose.JSONWebKey) bool { return k.KeyID == id })
}

// atHand gives what is known of the issuer, and of its keys those that are still trusted.
func (k *issuerKeys) atHand() told {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.told
	if time.Since(now.at) > trustFor {
		now.keys = nil
	}
	return now
}

// ask asks the issuer for its keys, unless somebody else did since the time given. It is asked for
// all who wait: one that gives up doesn't stop it.
func (k *issuerKeys) ask(ctx context.Context, since time.Time) error {
	done := make(chan error, 1)
	go func() {
		k.asking.Lock()
		defer k.asking.Unlock()
		if now := k.atHand(); now.asked.After(since) {
			done <- now.failing
			return
		}
		done <- k.askNow(context.WithoutCancel(ctx))
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *issuerKeys) askNow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	began := time.Now()
	keys, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	first := k.told.asked.IsZero()
	switch {
	case err != nil && (first || k.told.failing == nil):
		k.log.Warn("the OIDC issuer does not answer; API keys work all the same", "issuer", k.issuer, "keys_at_hand", len(k.told.keys), "error", err)
	case err == nil && k.told.failing != nil:
		k.log.Info("the OIDC issuer has told its keys", "issuer", k.issuer, "keys", len(keys))
	}
	k.told.asked, k.told.failing = began, err
	if err == nil {
		k.told.keys, k.told.at = keys, began
	}
	return err
}

// run asks the issuer from time to time, and more often while it doesn't answer.
func (k *issuerKeys) run(ctx context.Context) {
	for {
		pause := refreshEvery
		if k.ask(ctx, k.atHand().asked) != nil {
			pause = k.askAgain
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
