package feed

import (
	"sync"

	"github.com/go-json-experiment/json"

	"stockyard/service"
	"stockyard/service/inventory"
	"stockyard/service/store"
)

// Item is an entry of the feed as readers get it: an event or an alert.
type Item struct {
	Event *inventory.Event // nil for an alert
	Alert *inventory.Alert // nil for an event

	fed       store.Fed
	cockroach bool

	// What all its readers are given is put into words once.
	inJSON   sync.Once
	json     []byte
	asCursor sync.Once
	cursor   string
}

func newItem(fed store.Fed, cockroach bool) *Item {
	return &Item{Event: fed.Event, Alert: fed.Alert, fed: fed, cockroach: cockroach}
}

// Cursor is where to go on after it.
func (i *Item) Cursor() string {
	i.asCursor.Do(func() { i.cursor = encode(i.fed.Cursor, i.cockroach) })
	return i.cursor
}

// at gives the same entry at a place that is more than it came with.
func (i *Item) at(p store.Position) *Item {
	fed := i.fed
	fed.Nth, fed.Cursor = p.Given, p
	return newItem(fed, true)
}

// JSON is the entry as REST, SSE and webhooks give it.
func (i *Item) JSON() []byte {
	i.inJSON.Do(func() {
		var answer any
		if i.Event == nil {
			answer = service.DescribeAlert(i.Alert)
		} else if raw, fits := i.Event.AppendJSON(make([]byte, 0, 1024)); fits {
			i.json = raw
			return
		} else {
			answer = service.DescribeEvent(i.Event)
		}
		i.json, _ = json.Marshal(answer, json.Deterministic(true)) // the types are ours: it can't fail
	})
	return i.json
}

func (i *Item) sku() string {
	if i.Event != nil {
		return i.Event.Key.SKU
	}
	return i.Alert.SKU
}

func (i *Item) seenBy(w *service.Watched) bool {
	if i.Event != nil {
		return w.SeesEvent(i.Event)
	}
	return w.SeesAlert(i.Alert)
}
