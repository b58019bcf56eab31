package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"testing"

	"github.com/pb33f/jsonschema/v6"

	"stockyard/service/httpapi"
)

func parsedJSON(t *testing.T, raw []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return value
}

func eventSchema(t *testing.T) (raw []byte) {
	t.Helper()
	raw, err := httpapi.EventSchema()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// kept says what of a schema that people rely on is gone or different. Descriptions and examples may
// change; members, kinds and fields that are always there may come.
func kept(at string, was, is any) (lost []string) {
	switch was := was.(type) {
	case map[string]any:
		now, _ := is.(map[string]any)
		for name, before := range was {
			if name == "description" || name == "examples" {
				continue
			}
			lost = append(lost, kept(at+"/"+name, before, now[name])...)
		}
	case []any:
		now, _ := is.([]any)
		for i, before := range was {
			if !holds(now, before) {
				lost = append(lost, fmt.Sprintf("%s/%d: %v", at, i, before))
			}
		}
	default:
		if !reflect.DeepEqual(was, is) {
			lost = append(lost, fmt.Sprintf("%s: %v, now %v", at, was, is))
		}
	}
	return lost
}

func holds(list []any, value any) bool {
	for _, v := range list {
		if reflect.DeepEqual(v, value) {
			return true
		}
	}
	return false
}

// testdata/events.1.json is what was published. To add to it: stockyard schema events > testdata/events.1.json
func TestTheEventSchemaOnlyGrows(t *testing.T) {
	published, err := os.ReadFile(fmt.Sprintf("testdata/events.%d.json", httpapi.EventSchemaVersion))
	if err != nil {
		t.Fatal(err)
	}
	now := eventSchema(t)
	for _, lost := range kept("", parsedJSON(t, published), parsedJSON(t, now)) {
		t.Errorf("readers rely on %s", lost)
	}
	if !t.Failed() && !bytes.Equal(published, now) {
		t.Error("what was added isn't in testdata yet: nothing keeps it there")
	}
}

// aStorysEvents is all that a story about one product gave, alerts with it.
func (p *pod) aStorysEvents(t *testing.T) []json.RawMessage {
	t.Helper()
	p.raising(t, 0)
	from, to := p.lorry(t, 0)
	stream, since := p.alerts(t, from.sku)
	p.post(t, "/v1/movements", movement("receive", `, "reason": "delivery", "reference": "po 7"`,
		from.line(6, `, "unit_cost": {"amount": "13.50", "currency": "EUR"}`))).is(t, 201)
	path := p.reserve(t, from, 2)
	p.post(t, path+"/confirm", "").is(t, 200)
	p.post(t, path+"/fulfil", "").is(t, 200)
	path = p.transfer(t, from, to, 3)
	p.post(t, path+"/ship", "").is(t, 200)
	p.post(t, path+"/receive", from.arrival(2)).is(t, 200)
	p.post(t, "/v1/movements", from.movement("sell", 2, `, "allow_shortfall": true`)).is(t, 201)
	stream.told(t, 2)
	return p.events(t, "sku="+url.QueryEscape(from.sku), since)
}

func TestEventsAndAlertsAreAsTheirSchemaSays(t *testing.T) {
	alone(t, func(t *testing.T, p *pod) {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if err := c.AddResource("events", parsedJSON(t, eventSchema(t))); err != nil {
			t.Fatal(err)
		}
		schema := c.MustCompile("events")
		kinds := map[string]bool{}
		for _, item := range p.aStorysEvents(t) {
			parsed := parsedJSON(t, item)
			if err := schema.Validate(parsed); err != nil {
				t.Errorf("%s: %v", item, err)
			}
			fields := parsed.(map[string]any)
			kinds[fields["kind"].(string)] = true
			delete(fields, "kind")
			if schema.Validate(parsed) == nil {
				t.Errorf("the schema takes an event of no kind: %s", item)
			}
		}
		for _, kind := range []string{"receive", "reserve", "confirm", "fulfil", "transfer_ship", "transfer_receive", "sell", "shortfall", "out_of_stock"} {
			if !kinds[kind] {
				t.Errorf("no %s among %v", kind, kinds)
			}
		}
	})
}
