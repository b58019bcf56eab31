package auth

import (
	"context"
	"time"
)

// Key is an API key as it is kept: what is known of it but its secret.
type Key struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Grants     []Grant    `json:"grants"`
	Status     KeyStatus  `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  *time.Time `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // to the minute
	RevokedAt  *time.Time `json:"revoked_at"`
	Hash       []byte     `json:"-"`
}

// KeyStatus says whether a key may be used, by the database's clock when it was read.
type KeyStatus string

// The statuses of keys.
const (
	KeyActive  KeyStatus = "active"
	KeyExpired KeyStatus = "expired"
	KeyRevoked KeyStatus = "revoked"
)

// Principal is whom the key stands for.
func (k Key) Principal() Principal {
	return Principal{Kind: KindKey, ID: k.ID, Name: k.Name, Grants: k.Grants}
}

// KeySource is where keys are kept.
type KeySource interface {
	// Key gives a key; found is false where there is none of that id.
	Key(ctx context.Context, id string) (k Key, found bool, err error)
	// KeysUsed notes that keys were used just now.
	KeysUsed(ctx context.Context, ids []string) error
}
