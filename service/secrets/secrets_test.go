package secrets_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/secrets"
)

func keys(t *testing.T) *secrets.Keys {
	t.Helper()
	k, err := secrets.New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSecretsComeBackForTheirOwnerAlone(t *testing.T) {
	k := keys(t)
	rapid.Check(t, func(t *rapid.T) {
		secret, owner := rapid.SliceOf(rapid.Byte()).Draw(t, "secret"), rapid.String().Draw(t, "owner")
		sealed, err := k.Seal(owner, secret)
		if err != nil {
			t.Fatal(err)
		}
		if len(secret) > 8 && bytes.Contains(sealed, secret) {
			t.Fatal("the secret can be read")
		}
		if got, err := k.Open(owner, sealed); err != nil || !bytes.Equal(got, secret) {
			t.Fatalf("%x, %v", got, err)
		}
		if _, err := k.Open(owner+"!", sealed); !errors.Is(err, secrets.ErrSealed) {
			t.Fatalf("another owner: %v", err)
		}
		sealed[rapid.IntRange(0, len(sealed)-1).Draw(t, "at")] ^= 1
		if _, err := k.Open(owner, sealed); !errors.Is(err, secrets.ErrSealed) {
			t.Fatalf("changed: %v", err)
		}
	})
}

func TestRotationReadsTheOldAndWritesTheNew(t *testing.T) {
	old := keys(t)
	before, err := old.Seal("webhook/shop", []byte("hush"))
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := old.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	text, err := rotated.Text()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for from, load := range map[string]func() (*secrets.Keys, error){
		"a file":     func() (*secrets.Keys, error) { return secrets.Load(file, "ignored") },
		"a variable": func() (*secrets.Keys, error) { return secrets.Load("", string(text)) },
	} {
		k, err := load()
		if err != nil || k.Len() != 2 {
			t.Fatalf("from %s: %v", from, err)
		}
		if got, err := k.Open("webhook/shop", before); err != nil || string(got) != "hush" || k.Fresh(before) {
			t.Errorf("from %s: %q, %v; sealed with the newest key: %t", from, got, err, k.Fresh(before))
		}
		after, err := k.Seal("webhook/shop", []byte("hush"))
		if err != nil || !k.Fresh(after) || old.Fresh(after) {
			t.Errorf("from %s: sealed anew: %v, %t", from, err, k.Fresh(after))
		}
		if _, err := old.Open("webhook/shop", after); !errors.Is(err, secrets.ErrSealed) {
			t.Errorf("without the new key: %v", err)
		}
	}
}

func TestKeysAreNeitherTakenOnTrustNorShown(t *testing.T) {
	if _, err := secrets.Load("", ""); !errors.Is(err, secrets.ErrNoKeys) {
		t.Errorf("no keys: %v", err)
	}
	for _, text := range []string{"{", "s3cret", `{"primaryKeyId": 1, "key": []}`} {
		if _, err := secrets.Load("", text); err == nil || bytes.Contains([]byte(err.Error()), []byte("s3cret")) {
			t.Errorf("%s: %v", text, err)
		}
	}
	k := keys(t)
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(format, k); shown != "[redacted]" {
			t.Errorf("%s of %d bytes of keys shows %s", format, len(text), shown)
		}
	}
}
