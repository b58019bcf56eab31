package service

import (
	"crypto/rand"
	"strings"
)

// RequestID takes over the id that a caller gave a request where it is fit to stand in logs and
// headers, and makes one where it isn't.
func RequestID(given string) string {
	if len(given) == 0 || len(given) > 128 || strings.ContainsFunc(given, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return rand.Text()
	}
	return given
}
