package httpapi

import (
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var watchArea = area{
	name:  "events",
	about: "Every change of stock, as it is committed.",
	operations: []described{
		{
			operation: auth.Watch, summary: "Follow the change feed", about: watchAbout,
			query: "region location sku kind after wait" + paged, headers: "Last-Event-ID",
			answers: []answered{{200, watchAnswered{}, "Events and alerts.", ""}}, problems: "not-found over-limit",
		},
	},
	words: words{
		"watch.region":     list("Events of these home regions only.", text("").chars(1, 64)).items(0, 500),
		"watch.location":   list("Events of these locations only.", text("").like(inventory.IdentifierPattern)).items(0, 500),
		"watch.sku":        list("Events of these SKUs only.", text("").chars(1, inventory.MaxName)).items(0, 500),
		"watch.kind":       list("Events and alerts of these kinds only.", choice("", service.WatchKinds()...)).items(0, 500),
		"watch.after":      text("A cursor: what comes after it is given, however old it is. `earliest` is the beginning of the ledger. Without one, what comes from now on."),
		"wait":             text("For a page: how long to wait for something to come, 0s to 30s.").usually("0s").eg("100ms"),
		"watch.page_token": text("The same as `after`, as in every list."),
		"Last-Event-ID":    text("For a stream: the cursor of the last entry that came; it counts before `after`. Browsers send it by themselves."),

		"StockAlert.id":        text("Of this alert; the same each time that it comes.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"StockAlert.kind":      choice("What it tells.", inventory.AlertKinds()...),
		"StockAlert.region":    text("The location's home region; the primary one where it speaks of no location."),
		"StockAlert.sku":       text("Of what, where it speaks of one SKU."),
		"StockAlert.location":  text("Where, if it speaks of a location."),
		"StockAlert.channel":   text("Of which channel, if it speaks of one."),
		"StockAlert.rule":      text("The threshold that was crossed, where one was."),
		"StockAlert.version":   number("The version of the stock level whose change raised it.").from(1),
		"StockAlert.available": number("What was left: at the location, or sellable through the channel."),
		"StockAlert.threshold": number("That of the rule.").from(0),
		"StockAlert.detail":    text("What else there is to say."),
		"StockAlert.raised_at": moment("When the change was recorded, or the drift found."),
	},
}

const watchAbout = `Everything that is committed to the ledger, and alerts. Each stock level's events come in the order of their versions,
each at least once: where a version comes that was there already, skip it; where one is missing, it is yet to come. Any cursor is good for as
long as the ledger lasts, at every region's endpoint.

With ` + "`Accept: text/event-stream`" + ` a stream of server-sent events, which a browser's ` + "`EventSource`" + ` reads: ` + "`id`" + ` is the cursor,
` + "`data`" + ` the event; alerts have ` + "`event: alert`" + `. Every 15 seconds without an event comes a comment. A reader that falls too far behind,
or whose pod goes away, gets ` + "`event: end`" + ` with the reason, and comes back with its last id. One that comes back (with ` + "`Last-Event-ID`" + `) while it can't
be served gets the same at once, in the place of a 429, 503 or 504, which browsers would take for the end of all. ` + "`page_size` and `wait`" + ` are not for streams.

Else a page: ` + "`next_page_token`" + ` is the cursor to go on with, also where the page is empty.`

// watchAnswered stands for the two forms of the feed.
type watchAnswered struct{}

// watched describes both forms: a page, whose items are of two kinds, and a stream of the same.
func (b *builder) watched() map[string]*huma.MediaType {
	item := &huma.Schema{OneOf: []*huma.Schema{
		b.schemas.answer(reflect.TypeFor[service.EventAnswer]()), b.schemas.answer(reflect.TypeFor[service.AlertAnswer]()),
	}}
	page := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"items", "next_page_token"},
		Properties: map[string]*huma.Schema{
			"items":           {Type: huma.TypeArray, Items: item, Description: "In the order in which they came."},
			"next_page_token": {Type: huma.TypeString, Description: "The cursor to go on with."},
		},
	}
	return map[string]*huma.MediaType{
		"application/json": {Schema: page},
		eventStream:        {Schema: &huma.Schema{Type: huma.TypeString}},
	}
}
