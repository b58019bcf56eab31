package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
)

// An API key is sy_<id>_<secret>: an id of 16 characters by which people recognise the key, and 52
// characters of secret with 7 of checksum. By the checksum a typo is told from a key that is unknown
// without asking the database, and scanners find keys in places where they don't belong.
const (
	keyPrefix   = "sy_"
	idBytes     = 10
	secretBytes = 32
	idChars     = 16
	secretChars = 52
	sumChars    = 7
	keyChars    = len(keyPrefix) + idChars + len("_") + secretChars + sumChars
)

var base32hex = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

var errNotAKey = errors.New("an API key is sy_, 16 characters, _ and 59 characters of 0-9 and a-v; the last 7 are a checksum of the others")

// APIKey is the text of a key that somebody presents, or that was made just now. It prints without
// its secret.
type APIKey struct {
	ID     string
	secret [secretBytes]byte
}

// NewAPIKey makes a key of 256 random bits.
func NewAPIKey() (k APIKey) {
	id := make([]byte, idBytes)
	_, _ = rand.Read(id) // never fails: crypto/rand ends the program instead
	_, _ = rand.Read(k.secret[:])
	k.ID = base32hex.EncodeToString(id)
	return k
}

// IsAPIKey says whether a credential means to be an API key.
func IsAPIKey(text string) bool { return strings.HasPrefix(text, keyPrefix) }

// ParseAPIKey reads a key's text. Its error doesn't repeat the text.
func ParseAPIKey(text string) (k APIKey, err error) {
	if len(text) != keyChars || !IsAPIKey(text) {
		return APIKey{}, errNotAKey
	}
	k.ID = text[len(keyPrefix) : len(keyPrefix)+idChars]
	secret, err := base32hex.DecodeString(text[len(keyPrefix)+idChars+1 : keyChars-sumChars])
	if err != nil || !IsKeyID(k.ID) || copy(k.secret[:], secret) != secretBytes {
		return APIKey{}, errNotAKey
	}
	// The one text of this key: it settles the checksum, the underscore and unused bits at once.
	if subtle.ConstantTimeCompare([]byte(k.Reveal()), []byte(text)) != 1 {
		return APIKey{}, errNotAKey
	}
	return k, nil
}

// IsKeyID says whether text can be the id of a key.
func IsKeyID(text string) bool {
	id, err := base32hex.DecodeString(text)
	return err == nil && len(id) == idBytes && len(text) == idChars
}

// Reveal gives the key's whole text, for the one time that its owner is shown it.
func (k APIKey) Reveal() string {
	text := keyPrefix + k.ID + "_" + base32hex.EncodeToString(k.secret[:])
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text)))
	return text + base32hex.EncodeToString(sum)
}

// String tells which key it is.
func (k APIKey) String() string { return keyPrefix + k.ID + "_..." }

// GoString is String: %#v shows no secret either.
func (k APIKey) GoString() string { return k.String() }

// Hash is what is stored of a key. One round of SHA-256 does: a slow hash makes up for secrets that
// people think of, and nobody guesses 256 random bits.
func (k APIKey) Hash() []byte {
	sum := sha256.Sum256(k.secret[:])
	return sum[:]
}

// Matches compares with a stored hash, in a time that doesn't tell where they differ.
func (k APIKey) Matches(hash []byte) bool { return subtle.ConstantTimeCompare(k.Hash(), hash) == 1 }
