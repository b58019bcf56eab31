package signature_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stockyard/service/webhook/signature"
)

// The example of the Standard Webhooks libraries: their own signature, not one of ours.
func TestSignaturesAreThoseOfTheSpecification(t *testing.T) {
	secret, err := signature.Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	const id, want = "msg_p5jXN8AQM9LWM0D4loKWxJek", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	body, at := []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)
	h := http.Header{}
	signature.Sign(h, id, at, body, secret)
	if h.Get("webhook-signature") != want || h.Get("webhook-timestamp") != "1614265330" || h.Get("webhook-id") != id {
		t.Errorf("signed as %v", h)
	}
	if err := secret.Verify(h, body, at); err != nil {
		t.Error(err)
	}
}

func TestOnlyWhatWasSignedIsAccepted(t *testing.T) {
	secret, other := signature.New(), signature.New()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		at := time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 0)
		h := http.Header{}
		signature.Sign(h, "a", at, body, other, secret)
		for name, check := range map[string]struct {
			change func(http.Header)
			body   []byte
			late   time.Duration
			want   error
		}{
			"as it is": {late: rapid.Custom(func(t *rapid.T) time.Duration {
				return time.Duration(rapid.IntRange(-300, 300).Draw(t, "late")) * time.Second
			}).Draw(t, "late")},
			"another body": {body: append([]byte("x"), body...), want: signature.ErrSignature},
			"another id":   {change: func(h http.Header) { h.Set("webhook-id", "b") }, want: signature.ErrSignature},
			"too late":     {late: 301 * time.Second, want: signature.ErrTime},
			"too early":    {late: -301 * time.Second, want: signature.ErrTime},
			"no id":        {change: func(h http.Header) { h.Del("webhook-id") }, want: signature.ErrHeaders},
			"no time":      {change: func(h http.Header) { h.Set("webhook-timestamp", "now") }, want: signature.ErrHeaders},
			"no signature": {change: func(h http.Header) { h.Del("webhook-signature") }, want: signature.ErrHeaders},
			"another version": {change: func(h http.Header) {
				h.Set("webhook-signature", strings.ReplaceAll(h.Get("webhook-signature"), "v1,", "v2,"))
			}, want: signature.ErrSignature},
			"nothing but spaces": {change: func(h http.Header) { h.Set("webhook-signature", "v1, v1,! ,") }, want: signature.ErrSignature},
		} {
			changed := h.Clone()
			if check.change != nil {
				check.change(changed)
			}
			if check.body == nil {
				check.body = body
			}
			if err := secret.Verify(changed, check.body, at.Add(check.late)); !errors.Is(err, check.want) {
				t.Errorf("%s: %v, want %v", name, err, check.want)
			}
		}
	})
}

func TestSecretsAreReadStrictlyAndNotShown(t *testing.T) {
	encoded := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for text, ok := range map[string]bool{
		"whsec_" + encoded(24): true, "whsec_" + encoded(64): true, "whsec_" + encoded(23): false, "whsec_" + encoded(65): false,
		encoded(32): false, "whsec_": false, "whsec_" + encoded(32) + "\n": false, "whsec_!" + encoded(32): false, "WHSEC_" + encoded(32): false,
	} {
		s, err := signature.Parse(text)
		if (err == nil) != ok || ok && s.Reveal() != text {
			t.Errorf("%q: %v", text, err)
		}
	}
	s := signature.New()
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if shown := fmt.Sprintf(format, s); shown != "[redacted]" {
			t.Errorf("%s shows %s", format, shown)
		}
	}
}

func FuzzSecret(f *testing.F) {
	f.Add("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := signature.Parse(text); err == nil && s.Reveal() != text {
			t.Errorf("%q reads as %q", text, s.Reveal())
		}
	})
}
