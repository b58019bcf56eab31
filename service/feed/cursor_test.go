package feed

import (
	"maps"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"stockyard/service/inventory"
	"stockyard/service/store"
)

func positions(cockroach bool) *rapid.Generator[store.Position] {
	return rapid.Custom(func(t *rapid.T) store.Position {
		wall := rapid.Int64Min(0)
		p := store.Position{
			At:    store.Moment{Wall: wall.Draw(t, "wall"), Logical: rapid.Int32Min(0).Draw(t, "logical")},
			Given: rapid.IntRange(0, 1<<31).Draw(t, "given"),
		}
		if cockroach && rapid.Bool().Draw(t, "past") {
			p.Past = &store.PastPosition{
				UpTo:    store.Moment{Wall: wall.Draw(t, "up to"), Logical: rapid.Int32Min(0).Draw(t, "up to, logical")},
				Key:     inventory.LevelKey{Region: rapid.String().Draw(t, "region"), SKU: rapid.String().Draw(t, "sku"), Location: rapid.String().Draw(t, "location")},
				Version: rapid.Int64Min(0).Draw(t, "version"),
			}
			if rapid.Bool().Draw(t, "alerts") {
				p.Past.Alerts = true
				p.Past.After.Region = rapid.String().Draw(t, "home")
			}
		}
		return p
	})
}

func TestCursorsSayWhatTheyWereMadeOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cockroach := rapid.Bool().Draw(t, "cockroach")
		p := positions(cockroach).Draw(t, "position")
		text := encode(p, cockroach)
		var e early
		if cockroach && rapid.Bool().Draw(t, "pages") {
			e = rapid.MapOfN(rapid.Map(rapid.Uint64Min(1), func(n uint64) entryID { return entryID(n) }), rapid.Int64Range(0, 1<<50), 1, maxEarly).Draw(t, "early")
			text = encodePage(p, e)
		}
		if len(text) > maxCursor {
			t.Fatalf("%d characters", len(text))
		}
		got, had, err := decode(text, cockroach)
		if err != nil || !reflect.DeepEqual(got, p) || !maps.Equal(had, e) {
			t.Fatalf("%s reads as %+v, %v, %v; want %+v, %v", text, got, had, err, p, e)
		}
		if _, _, err := decode(text, !cockroach); err == nil {
			t.Fatal("the other database takes it")
		}
	})
}

// Whatever is sent in the place of a cursor is read or refused, and what is read is what was sent.
func FuzzCursor(f *testing.F) {
	f.Add("")
	f.Add(Earliest)
	f.Add(encode(store.Position{At: store.Moment{Wall: 1}}, false))
	f.Add(encode(store.Position{Past: &store.PastPosition{Alerts: true}}, true))
	f.Add(encodePage(store.Position{At: store.Moment{Wall: 1}}, early{1: 2, 3: 4}))
	f.Fuzz(func(t *testing.T, text string) {
		for _, cockroach := range []bool{true, false} {
			p, e, err := decode(text, cockroach)
			if err != nil || text == Earliest {
				continue
			}
			written := encode(p, cockroach)
			if e != nil {
				written = encodePage(p, e)
			}
			again, had, err := decode(written, cockroach)
			if err != nil || !reflect.DeepEqual(again, p) || !maps.Equal(had, e) {
				t.Errorf("%q reads as %+v, %v and that as %+v, %v, %v", text, p, e, again, had, err)
			}
		}
	})
}
