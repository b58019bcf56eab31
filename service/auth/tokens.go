package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// algorithms are those by which tokens may be signed: with a private key that only the issuer has.
// A token of another one isn't even parsed; `none` and the symmetric ones, for which an issuer's
// public key could be passed off as the secret, are not here.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// leeway is how far the issuer's clock and this one's may be apart.
const leeway = 30 * time.Second

// TokenOptions say whose tokens are taken.
type TokenOptions struct {
	Issuer      string // as it stands in the tokens; where its OIDC discovery is found
	Audience    string // what tokens must be made for
	GrantsClaim string // an array of grants' texts, or one string of them with spaces between
	HTTP        *http.Client
	// AskAgain is how long junk can't make us ask the issuer for new keys again; 10s.
	AskAgain time.Duration
	Log      *slog.Logger
}

// Tokens checks the JWTs of one OIDC issuer.
type Tokens struct {
	options TokenOptions
	keys    *issuerKeys
}

// NewTokens makes a checker of tokens. It asks the issuer nothing yet; Run does.
func NewTokens(o TokenOptions) *Tokens {
	return &Tokens{options: o, keys: newIssuerKeys(o)}
}

// Run keeps the issuer's keys at hand until the context ends. While the issuer has never answered,
// it is asked again and again.
func (t *Tokens) Run(ctx context.Context) { t.keys.run(ctx) }

var (
	errSignature = errors.New("the signature is none of the issuer's keys'")
	errNoExpiry  = errors.New("it has no exp")
	errSubject   = errors.New("its sub is not 1 to 255 printable characters")
)

// Authenticate finds out whom a token is about. Errors: ErrBadCredential, ErrUnavailable, or the
// context's.
func (t *Tokens) Authenticate(ctx context.Context, raw string) (Principal, error) {
	token, err := jwt.ParseSigned(raw, algorithms)
	if err != nil {
		return Principal{}, bad(err)
	}
	var std jwt.Claims
	var all map[string]json.RawMessage
	if err := t.keys.verify(ctx, token, &std, &all); err != nil {
		return Principal{}, err
	}
	if err := t.checkClaims(std); err != nil {
		return Principal{}, bad(err)
	}
	grants, err := grantsOf(all[t.options.GrantsClaim])
	if err != nil {
		return Principal{}, bad(fmt.Errorf("its claim %q: %w", t.options.GrantsClaim, err))
	}
	return Principal{Kind: KindToken, ID: std.Issuer + "|" + std.Subject, Name: nameOf(all, std.Subject), Grants: grants}, nil
}

func (t *Tokens) checkClaims(c jwt.Claims) error {
	if c.Expiry == nil {
		return errNoExpiry
	}
	if !isPrintable(c.Subject) {
		return errSubject
	}
	return c.ValidateWithLeeway(jwt.Expected{
		Issuer: t.options.Issuer, AnyAudience: jwt.Audience{t.options.Audience}, Time: time.Now(),
	}, leeway)
}

// isPrintable says whether a claim may stand in events, logs and the audit log.
func isPrintable(s string) bool {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, odd)
}

// grantsOf reads the claim that holds grants. Without one there are none: its bearer is known, and
// may do nothing. A word that is no grant spoils the token, so that nobody has less than the issuer
// meant without the log saying why.
func grantsOf(claim json.RawMessage) ([]Grant, error) {
	if len(claim) == 0 {
		return nil, nil
	}
	var words []string
	var one string
	if json.Unmarshal(claim, &words) != nil {
		if err := json.Unmarshal(claim, &one); err != nil {
			return nil, errors.New("is neither an array of strings nor a string")
		}
		words = strings.Fields(one)
	}
	grants := make([]Grant, len(words))
	for i, word := range words {
		var err error
		if grants[i], err = ParseGrant(word); err != nil {
			return nil, err
		}
	}
	return grants, nil
}

// nameOf finds what people call the token's bearer.
func nameOf(claims map[string]json.RawMessage, subject string) string {
	for _, claim := range []string{"preferred_username", "email"} {
		var name string
		if json.Unmarshal(claims[claim], &name) == nil && isPrintable(name) {
			return name
		}
	}
	return subject
}
