package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
)

var keysArea = area{
	name:  "keys",
	about: "API keys: who may come in beside the bearers of your issuer's tokens. For admins whose grant isn't bound to places.",
	operations: []described{
		{
			operation: auth.CreateKey, summary: "Make an API key",
			about:    "The answer is the only one that ever shows it.",
			body:     service.KeyInput{},
			examples: []example{{"dock", "For a warehouse system of one region", `{"name": "WMS Rotterdam", "grants": ["warehouse@region:europe-west1"], "expires_in": "8760h"}`}},
			answers:  []answered{{201, service.NewKey{}, "The key, with what its owner presents.", "Cache-Control!"}}, problems: "over-limit",
		},
		{
			operation: auth.ListKeys, summary: "List API keys", about: "Without their secrets; expired and revoked ones too.",
			query:   paged,
			answers: []answered{{200, service.Listed[auth.Key]{}, "A page of keys.", ""}},
		},
		{
			operation: auth.GetKey, summary: "Read an API key", about: "Without its secret.",
			answers: []answered{{200, auth.Key{}, "The key.", ""}}, problems: "not-found",
		},
		{
			operation: auth.RevokeKey, summary: "Revoke an API key", about: "Within 5 seconds no pod accepts it. One that is revoked already stays so.",
			answers: []answered{{204, nil, "It is revoked.", ""}}, problems: "not-found",
		},
	},
	words: words{
		"NewKey.key":        text("The whole key: `Authorization: Bearer` and this.").like("^sy_[0-9a-v]{16}_[0-9a-v]{59}$"),
		"NewKey.id":         keyID,
		"Key.id":            keyID,
		"get_key.id":        keyID,
		"revoke_key.id":     keyID,
		"NewKey.name":       keyName,
		"Key.name":          keyName,
		"NewKey.status":     keyStatus,
		"Key.status":        keyStatus,
		"grants":            list("What it may do, and where: a role, and after an @ the regions and locations that it is bound to.", text("").eg("warehouse@region:europe-west1")).items(1, 100),
		"created_by":        text("Who made it.").eg("key:0g2t9c8e1r5m7k3a"),
		"Key.expires_at":    moment("From when on it isn't accepted; where it isn't given, it lasts until it is revoked."),
		"Key.expires_in":    duration("The same as a time from now: from 1s to 87600h.").eg("8760h"),
		"NewKey.expires_at": moment("From when on it isn't accepted; null: it lasts until it is revoked."),
		"last_used_at":      moment("When it was last used, give or take a minute; null: never."),
		"revoked_at":        moment("When it was revoked; null unless it was."),
		"Cache-Control":     text("Nobody but its owner keeps it.").eg("no-store"),
		"WWW-Authenticate":  text("How to come in, and whether a credential was refused (RFC 6750).").eg(`Bearer realm="stockyard"`),
	},
}

var (
	keyID     = text("The key's id: what stands between `sy_` and the next `_`.").like("^[0-9a-v]{16}$").eg("0g2t9c8e1r5m7k3a")
	keyName   = text("What it is for, or who holds it.").chars(1, 100).eg("WMS Rotterdam")
	keyStatus = choice("Whether it is accepted.", auth.KeyActive, auth.KeyExpired, auth.KeyRevoked)
)
