// Package secrets encrypts, with AES-256-GCM, the secrets that Stockyard must be able to read again:
// those by which it signs or signs in elsewhere. What it only has to recognise, such as API keys, is
// hashed instead. The keys are a Tink keyset, kept outside of the database.
package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Keys encrypt with the newest key and decrypt with any.
type Keys struct {
	handle *keyset.Handle
	box    tink.AEAD
}

// Errors say nothing of what was to be kept secret.
var (
	ErrNoKeys = errors.New("no keys for secrets are configured")
	ErrSealed = errors.New("this secret can't be opened: it was changed, belongs elsewhere, or its key is gone")
)

// New makes keys: one, of 256 random bits.
func New() (*Keys, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return open(handle)
}

// Load reads keys from a file, or else from text, such as that of an environment variable.
// Errors: ErrNoKeys where there is neither.
func Load(file, text string) (*Keys, error) {
	raw := []byte(text)
	switch {
	case file != "":
		var err error
		if raw, err = os.ReadFile(file); err != nil { //nolint:gosec // the operator names the file
			return nil, err
		}
	case text == "":
		return nil, ErrNoKeys
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, errors.New("these are no keys for secrets: `stockyard secrets new` makes some") // the cause might quote them
	}
	return open(handle)
}

func open(handle *keyset.Handle) (*Keys, error) {
	box, err := aead.New(handle)
	if err != nil {
		return nil, errors.New("these keys are not for encrypting secrets")
	}
	return &Keys{handle, box}, nil
}

// Rotate adds a key, by which all is encrypted from then on. What is encrypted already can still be
// read.
func (k *Keys) Rotate() (*Keys, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, err
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, err
	}
	return open(handle)
}

// Text gives the keys themselves, as Load reads them.
func (k *Keys) Text() ([]byte, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, err
	}
	return append(b.Bytes(), '\n'), nil
}

// Len is how many keys there are.
func (k *Keys) Len() int { return k.handle.Len() }

// Format shows nothing, however it is printed.
func (k *Keys) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[redacted]") }

// Seal encrypts a secret for an owner, such as "webhook/NAME": put into another's place it can't be
// opened.
func (k *Keys) Seal(owner string, secret []byte) ([]byte, error) {
	return k.box.Encrypt(secret, []byte(owner))
}

// Open is the inverse of Seal. Errors: ErrSealed.
func (k *Keys) Open(owner string, sealed []byte) ([]byte, error) {
	secret, err := k.box.Decrypt(sealed, []byte(owner))
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// Fresh says whether a secret was sealed with the newest key. One that wasn't is sealed again, and
// once all are, older keys may go.
func (k *Keys) Fresh(sealed []byte) bool {
	primary, err := k.handle.Primary()
	if err != nil || len(sealed) < prefix {
		return false
	}
	id := primary.KeyID()
	return bytes.Equal(sealed[1:prefix], []byte{byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)})
}

// prefix is what Tink puts before each ciphertext: its version, and the id of the key.
const prefix = 5
