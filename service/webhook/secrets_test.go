package webhook_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/secrets"
	"stockyard/service/webhook/signature"
)

// While a secret is changed, messages are signed with both; then with the new one alone.
func TestSecretsRotateWithOverlap(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		skus := y.products(t, 1)
		r := receive(t, nil)
		w := y.put(t, r.URL, skus)
		first, second := secretOf(t, w.Secret), signature.New()
		y.dispatch(t, y.URLs[0], quick())
		signed := func(n int, by ...signature.Secret) {
			t.Helper()
			y.move(t, "receive", sites[0], skus[0], 1)
			eventually(t, "it has come", func() bool { taken, _ := r.got(); return len(taken) == n })
			taken, _ := r.got()
			m := taken[n-1]
			if got := len(strings.Fields(m.header.Get("webhook-signature"))); got != len(by) {
				t.Errorf("%d signatures, not %d", got, len(by))
			}
			for _, s := range by {
				if err := s.Verify(m.header, m.body, time.Now()); err != nil {
					t.Error(err)
				}
			}
			// What a change of the webhook cuts off before it is written down comes again.
			eventually(t, "it is delivered", func() bool { return len(y.deliveries(t, w, "delivered")) == n })
		}
		signed(1, first)
		in := service.WebhookInput{URL: r.URL, Filter: service.WebhookFilter{SKUs: skus}}
		if got := y.change(t, w.Name, in); got.Secret != "" || got.OldSecretUntil != nil {
			t.Errorf("without a secret in it, a PUT shows %+v", got)
		}
		signed(2, first)
		in.Secret = second.Reveal()
		for range 2 { // the same again changes nothing
			if got := y.change(t, w.Name, in); got.Secret != "" || got.OldSecretUntil == nil || got.OldSecretUntil.Sub(got.UpdatedAt) > service.SecretOverlap {
				t.Errorf("put with another secret: %+v", got)
			}
		}
		signed(3, second, first)
		third := signature.New()
		in.Secret = third.Reveal()
		y.change(t, w.Name, in)
		signed(4, third, second, first)
		in.Secret = second.Reveal() // back again
		y.change(t, w.Name, in)
		signed(5, second, third, first)
		y.Exec(t, "UPDATE webhooks SET old_secret_until = now() - '1s'::interval WHERE name = '"+w.Name+"'")
		signed(6, second)
	})
}

// A pod that hasn't the key of a secret doesn't replace it unasked: the others have.
func TestASecretThatAPodCannotOpenStays(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		w := y.put(t, "https://example.com/hooks", y.products(t, 1))
		others, err := secrets.New()
		if err != nil {
			t.Fatal(err)
		}
		pod := service.New(y.Store, service.Options{
			Region: y.Topology.Primary, Topology: y.Topology,
			Webhooks: service.WebhookOptions{Secrets: others, From: func(context.Context) (string, error) { return "", nil }},
		})
		t.Cleanup(pod.Close)
		in := service.WebhookInput{URL: "https://example.com/elsewhere"}
		var refusal *inventory.Refusal
		if _, _, err := pod.PutWebhook(t.Context(), tester, w.Name, in, service.Precondition{}); !errors.As(err, &refusal) || refusal.Kind != inventory.Conflict {
			t.Errorf("without a secret: %v", err)
		}
		if now, err := y.pod.Webhook(t.Context(), tester, w.Name); err != nil || now.Version != w.Version {
			t.Errorf("it has become %+v, %v", now, err)
		}
		in.Secret = signature.New().Reveal()
		if _, _, err := pod.PutWebhook(t.Context(), tester, w.Name, in, service.Precondition{}); err != nil {
			t.Errorf("with a secret: %v", err)
		}
	})
}

// Once keys were rotated, secrets are sealed with the newest one, and the older ones may go.
func TestSecretsAreSealedWithTheNewestKey(t *testing.T) {
	each(t, func(t *testing.T, y *yard) {
		w := y.put(t, "http://127.0.0.1:1/", y.products(t, 1))
		sealed := func() []byte {
			t.Helper()
			got, err := y.Webhook(t.Context(), y.Topology.Primary, w.Name)
			if err != nil {
				t.Fatal(err)
			}
			return got.Secret
		}
		rotated, err := y.keys.Rotate()
		if err != nil {
			t.Fatal(err)
		}
		if rotated.Fresh(sealed()) {
			t.Fatal("it is sealed with a key that wasn't there")
		}
		y.keys = rotated
		y.dispatch(t, y.URLs[0], quick())
		eventually(t, "it is sealed with the newest key", func() bool { return rotated.Fresh(sealed()) })
		if text, err := rotated.Open(service.WebhookOwner(w.Name), sealed()); err != nil || string(text) != w.Secret {
			t.Errorf("it opens as another secret: %v", err)
		}
	})
}
