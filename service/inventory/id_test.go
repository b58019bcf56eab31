package inventory_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
)

const letters = "0123456789abcdefghijklmnopqrstuv"

func drawID(t *rapid.T) inventory.ID {
	var random [16]byte
	copy(random[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "random"))
	key := inventory.LevelKey{
		Region: rapid.StringMatching(`[a-z][a-z0-9-]{0,39}`).Draw(t, "region"),
		SKU:    rapid.String().Draw(t, "sku"), Location: rapid.String().Draw(t, "location"),
	}
	spans := rapid.Bool().Draw(t, "spans")
	id := inventory.NewID(key, random, spans)
	if id.Region != key.Region || id.Lane() != key.Hash() || id.Spans() != spans || id.IsZero() {
		t.Fatalf("an id for %+v, spans %v, says region %q, lane %d, spans %v", key, spans, id.Region, id.Lane(), id.Spans())
	}
	return id
}

func TestIDsReadBackAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := drawID(t)
		if back, err := inventory.ParseID(id.String()); err != nil || back != id {
			t.Fatalf("%s reads back as %v, %v", id, back, err)
		}
		text, err := json.Marshal(map[string]inventory.ID{"id": id})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]inventory.ID
		if err := json.Unmarshal(text, &back); err != nil || back["id"] != id {
			t.Fatalf("%s reads back as %v, %v", text, back, err)
		}
	})
}

func TestIDsHaveOneSpellingOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := drawID(t)
		text := id.String()
		dot := len(text) - 26
		// 26 letters of 5 bits carry 128 bits: two are to spare in the last one.
		same := 0
		for _, c := range letters {
			if back, err := inventory.ParseID(text[:len(text)-1] + string(c)); err == nil && back == id {
				same++
			} else if err == nil && back.String() == text {
				t.Fatalf("%v is written like %v", back, id)
			}
		}
		if same != 1 {
			t.Fatalf("%d spellings of %s", same, text)
		}
		i := rapid.IntRange(dot, len(text)-1).Draw(t, "at")
		for _, wrong := range []string{
			strings.ToUpper(text[dot:]), text[dot:], "." + text[dot:], text + "=", text + " ", " " + text[dot:], text[:len(text)-1],
			text[:i] + "\n" + text[i+1:], text[:i] + "\n" + text[i:], text[:i] + "w" + text[i+1:], text[:i] + "=" + text[i+1:], text[:i] + "é" + text[i+1:],
		} {
			if back, err := inventory.ParseID(wrong); err == nil && (back == id || back.String() != wrong) {
				t.Fatalf("%q is taken for %v", wrong, back)
			}
		}
		if upper := text[:dot] + strings.ToUpper(text[dot:]); upper != text {
			if _, err := inventory.ParseID(upper); err == nil {
				t.Fatalf("%q is taken for an id", upper)
			}
		}
	})
}

func TestWhatIsNoID(t *testing.T) {
	for _, s := range []string{
		"", ".", "eu", "eu.", ".00000000000000000000000000", "00000000000000000000000000", "eu.0000000000000000000000000",
		"eu.000000000000000000000000000", "eu.0000000000000000000000000w", "eu.00000000000000000000000001", "eu.eu.00000000000000000000000000",
		"eu.0000000000000000000000000\n", "eu.\r\n000000000000000000000000", "eu/00000000000000000000000000", "eu.é000000000000000000000000",
	} {
		if id, err := inventory.ParseID(s); err == nil {
			t.Errorf("%q is taken for %v", s, id)
		}
		var id inventory.ID
		if err := id.UnmarshalText([]byte(s)); err == nil || !id.IsZero() {
			t.Errorf("%q is taken for %v", s, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(inventory.NewID(tea, [16]byte{15: 255}, true).String())
	f.Add(inventory.NewID(usTea, [16]byte{3: 7}, false).String())
	for _, s := range []string{"", ".", "eu.", "a.b.00000000000000000000000000", "eu.0000000000000000000000000\n", "\xff.00000000000000000000000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := inventory.ParseID(s)
		if err != nil {
			if !id.IsZero() {
				t.Errorf("%q is refused, and is %v", s, id)
			}
			return
		}
		if id.String() != s || id.Region == "" {
			t.Errorf("%q reads as %v", s, id)
		}
	})
}

func TestKeysSortLikeTheDatabase(t *testing.T) {
	order := []inventory.LevelKey{
		{Region: "eu", SKU: "A", Location: "z"},
		{Region: "eu", SKU: "a", Location: "b"},
		{Region: "eu", SKU: "a", Location: "c"},
		{Region: "eu", SKU: "ab", Location: "a"},
		{Region: "us", SKU: "A", Location: "a"},
	}
	for i, a := range order {
		for j, b := range order {
			if got := a.Compare(b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%v compared to %v is %d", a, b, got)
			}
		}
	}
}

// Rows that are made one after another for a level lie one after another.
func TestIDsOfALevelAreInTheOrderOfTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Uint64Range(0, 1<<48-2).Draw(t, "milliseconds")
		made := func(ms uint64, label string) inventory.ID {
			var random [16]byte
			copy(random[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, label))
			for i := range 6 {
				random[1+i] = byte(ms >> (8 * (5 - i)))
			}
			return inventory.NewID(tea, random, rapid.Bool().Draw(t, "spans"))
		}
		if first, second := made(at, "first"), made(at+1, "second"); first.Compare(second) >= 0 {
			t.Fatalf("%v was made before %v", first, second)
		}
	})
}
