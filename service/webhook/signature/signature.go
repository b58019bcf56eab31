// Package signature signs webhooks by the Standard Webhooks specification, and checks such
// signatures: HMAC-SHA256 over the message's id, its time and its body.
package signature

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Headers of a message.
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const (
	secretPrefix = "whsec_"
	minSecret    = 24
	maxSecret    = 64
	version      = "v1,"
)

// Tolerance is how far a message's time may be from the receiver's: what is older may be a replay.
const Tolerance = 5 * time.Minute

// Errors of Verify.
var (
	ErrHeaders   = errors.New("the headers webhook-id, webhook-timestamp and webhook-signature are required")
	ErrTime      = errors.New("the message's time is too far from now")
	ErrSignature = errors.New("no signature is one of this secret")
)

// ErrSecret says what a secret must look like.
var ErrSecret = fmt.Errorf("must be %s followed by %d to %d bytes in base64", secretPrefix, minSecret, maxSecret)

// Secret is what sender and receiver share.
type Secret struct{ key []byte }

// New makes a secret of 256 random bits.
func New() Secret {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the program instead
	return Secret{key}
}

// Parse reads a secret: "whsec_" and 24 to 64 bytes in base64. Errors: ErrSecret.
func Parse(text string) (Secret, error) {
	encoded, found := strings.CutPrefix(text, secretPrefix)
	if !found {
		return Secret{}, ErrSecret
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(key) < minSecret || len(key) > maxSecret || strings.ContainsAny(encoded, "\r\n") {
		return Secret{}, ErrSecret
	}
	return Secret{key}, nil
}

// Reveal gives the text that Parse reads.
func (s Secret) Reveal() string { return secretPrefix + base64.StdEncoding.EncodeToString(s.key) }

// Format shows nothing, however it is printed.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }

func (s Secret) sign(id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Sign sets the headers of a message that is sent at a time. While secrets are changed there are
// two, and a signature of each.
func Sign(h http.Header, id string, at time.Time, body []byte, secrets ...Secret) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		signatures[i] = version + base64.StdEncoding.EncodeToString(s.sign(id, timestamp, body))
	}
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, timestamp)
	h.Set(HeaderSignature, strings.Join(signatures, " "))
}

// Verify checks that a message that came at a time is signed by this secret.
// Errors: ErrHeaders, ErrTime, ErrSignature.
func (s Secret) Verify(h http.Header, body []byte, now time.Time) error {
	id, timestamp, signatures := h.Get(HeaderID), h.Get(HeaderTimestamp), h.Get(HeaderSignature)
	if id == "" || timestamp == "" || signatures == "" {
		return ErrHeaders
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrHeaders
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > Tolerance {
		return ErrTime
	}
	want := s.sign(id, timestamp, body)
	for signature := range strings.FieldsSeq(signatures) {
		encoded, known := strings.CutPrefix(signature, version)
		got, err := base64.StdEncoding.DecodeString(encoded)
		if known && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
