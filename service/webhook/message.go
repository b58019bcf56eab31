package webhook

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"stockyard/service/feed"
	"stockyard/service/store"
)

// contentType is that of a CloudEvent in structured mode.
const contentType = "application/cloudevents+json; charset=utf-8"

// cloudEvent is a message's body, by CloudEvents 1.0 with its extension for sequences.
type cloudEvent struct {
	SpecVersion     string         `json:"specversion"`
	ID              string         `json:"id"`
	Source          string         `json:"source"`
	Type            string         `json:"type"`
	Subject         string         `json:"subject,omitempty"`
	Time            time.Time      `json:"time"`
	Sequence        string         `json:"sequence"`
	DataContentType string         `json:"datacontenttype"`
	Data            jsontext.Value `json:"data"`
}

// newDelivery makes a delivery of an entry of the feed: the same each time that the entry comes.
func newDelivery(w store.Webhook, item *feed.Item) (d store.Delivery) {
	c := cloudEvent{SpecVersion: "1.0", DataContentType: "application/json", Data: item.JSON()}
	var identity, home string
	if e := item.Event; e != nil {
		identity, home = join("event", e.Key.Region, e.Key.SKU, e.Key.Location, strconv.FormatInt(e.Version, 10)), e.Key.Region
		d.Kind = "com.stockyard.stock." + string(e.Kind) + ".v1"
		d.Subject, d.Sequence = e.Key.Location+"/"+e.Key.SKU, e.Version
		c.Subject, c.Time = d.Subject, e.RecordedAt
	} else {
		a := item.Alert
		identity, home = join("alert", a.ID.String()), a.ID.Region
		d.Kind = "com.stockyard.alert." + string(a.Kind) + ".v1"
		// What one rule says of one thing is told in the order in which it was so: a level's versions, where
		// it is one level's.
		d.Subject, d.Sequence = "alert/"+strings.Join([]string{a.Location, a.Channel, a.Rule, a.SKU}, "/"), cmp.Or(a.Version, a.RaisedAt.UnixMicro())
		c.Subject, c.Time = strings.Trim(a.Location+"/"+a.SKU, "/"), a.RaisedAt
	}
	id := uuid.NewHash(sha256.New(), w.UUID, []byte(identity), 8)
	d.UUID = id
	c.ID, c.Source, c.Type = id.String(), "urn:stockyard:"+home, d.Kind
	c.Sequence = fmt.Sprintf("%019d", d.Sequence)        // its order is that of the texts
	body, _ := json.Marshal(c, json.Deterministic(true)) // the types are ours: it can't fail
	d.Payload = string(body)
	return d
}

// join makes one text of several, of which none can pass for another's end.
func join(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "%d:%s", len(p), p)
	}
	return b.String()
}
