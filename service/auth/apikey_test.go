package auth_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"stockyard/service/auth"
)

// What README and scanners of secrets go by.
var keyPattern = regexp.MustCompile(`^sy_[0-9a-v]{16}_[0-9a-v]{59}$`)

func TestAKeyComesBackFromItsText(t *testing.T) {
	made := auth.NewAPIKey()
	text := made.Reveal()
	if !keyPattern.MatchString(text) || !auth.IsAPIKey(text) || !auth.IsKeyID(made.ID) {
		t.Errorf("a key looks like %s, its id like %s", text, made.ID)
	}
	read, err := auth.ParseAPIKey(text)
	if err != nil || read != made || !read.Matches(made.Hash()) {
		t.Errorf("%s is read as %s, %v", text, read.Reveal(), err)
	}
	other := auth.NewAPIKey()
	if other.ID == made.ID || other.Matches(made.Hash()) || made.Matches(nil) {
		t.Error("two keys are alike")
	}
}

// Every key that is one character off is known for mistyped without asking anybody.
func TestATypoIsToldByTheChecksum(t *testing.T) {
	text := auth.NewAPIKey().Reveal()
	for i := range text {
		for _, c := range "0av_Z " {
			typo := text[:i] + string(c) + text[i+1:]
			if _, err := auth.ParseAPIKey(typo); typo != text && err == nil {
				t.Errorf("%s is taken, made from %s", typo, text)
			}
		}
	}
	for _, not := range []string{"", "sy_", text[1:], text + "0", text[:len(text)-1], strings.ToUpper(text)} {
		if _, err := auth.ParseAPIKey(not); err == nil {
			t.Errorf("%q is taken", not)
		}
	}
}

func TestAKeyPrintsWithoutItsSecret(t *testing.T) {
	key := auth.NewAPIKey()
	secret := key.Reveal()[20:40]
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("key", "key", key)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "key", key)
	raw, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), fmt.Sprintf("%s %v", &key, []auth.APIKey{key}), log.String(), string(raw)} {
		if strings.Contains(shown, secret) {
			t.Errorf("the secret is in %s", shown)
		}
		if !strings.Contains(shown, key.ID) {
			t.Errorf("%s doesn't tell which key it is", shown)
		}
	}
	_, err = auth.ParseAPIKey(key.Reveal() + "x")
	if err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a bad key gives %v", err)
	}
}

// There is one text of a key, and whatever is read is written the same again.
func FuzzParseAPIKey(f *testing.F) {
	f.Add(auth.NewAPIKey().Reveal())
	f.Add("sy_0000000000000000_" + strings.Repeat("0", 59))
	f.Add("sy_0000000000000000_" + strings.Repeat("v", 59))
	f.Fuzz(func(t *testing.T, text string) {
		key, err := auth.ParseAPIKey(text)
		if err == nil && (key.Reveal() != text || !keyPattern.MatchString(text)) {
			t.Fatalf("%q is read as %q", text, key.Reveal())
		}
	})
}
