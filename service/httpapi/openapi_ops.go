package httpapi

import (
	"stockyard/service/auth"
	"stockyard/service/store"
)

var opsArea = area{
	name:  "ops",
	about: "For those who run Stockyard, and words that all operations share.",
	operations: []described{
		{
			operation: auth.ListRegions, summary: "List the regions", about: "Which there are, and which one answered.",
			answers: []answered{{200, regionsAnswer{}, "The topology.", ""}},
		},
		{
			operation: auth.Verify, summary: "Check every invariant",
			about:   "At one snapshot, without locks. It reads every row, and one runs at a time in a pod.",
			answers: []answered{{200, store.Verification{}, "What was found.", "Stock-As-Of!"}},
		},
	},
	words: words{
		"regions":                list("The regions.", object("")),
		"answered_by":            text("The region that answered.").eg("us-east1"),
		"Region.name":            text("The region's name.").eg("us-east1"),
		"Region.primary":         flag("Whether the catalogue's home is there."),
		"Region.countries":       list("The countries that it serves.", text("")).eg([]string{"US", "CA"}),
		"clean":                  flag("Whether nothing was found."),
		"as_of":                  moment("The snapshot's time."),
		"checks":                 list("One for each invariant.", object("")),
		"checked":                number("How many rows were looked at."),
		"violations":             list("What breaks the invariant.", object("")),
		"VerificationCheck.name": text("The check's name.").eg("quantities"),
		"about":                  text("What the invariant says."),
		"key":                    text("Where it is broken."),
		"Violation.detail":       text("How it is broken."),

		"Request-Timeout":  text("How long the caller wants to wait: a duration such as `500ms`, or seconds. 15s unless given; at most 5m.").like(requestTimeout).eg("2s"),
		"X-Request-Id":     text("Names the request, in the answer, in problems and in logs. One is made where none is given."),
		"traceparent":      text("W3C trace context.").eg("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
		"If-Match":         text("The ETag that must be current; `*`: it must be there.").like(`^(\*|(W/)?"[0-9]+")$`).eg(`"3"`),
		"If-None-Match":    text("Only `*`: it must not be there.").like(`^\*$`).eg("*"),
		"ETag":             text("The version, in quotes.").like(`^"[0-9]+"$`).eg(`"3"`),
		"Stock-As-Of":      moment("The moment that the answer speaks of."),
		"Stockyard-Region": text("The region that answered.").eg("us-east1"),
		"Retry-After":      text("Seconds to wait before the request is repeated.").like(`^[0-9]+$`).eg("1"),

		"Problem.type":     text("Which problem it is."),
		"Problem.title":    text("The problem in a few words."),
		"Problem.status":   number("The status."),
		"Problem.detail":   text("What happened this time."),
		"Problem.instance": text("The id of the request that it was first answered to."),
		"Problem.errors":   list("Every invalid field.", object("")),
		"Problem.expected": number("The version that was asked for."),
		"Problem.current":  number("The version that is current."),
		"Problem.resource": text("What kind of thing is missing.").eg("product"),
		"Problem.name":     text("What it was called."),
		"Problem.items":    list("In the answer to a batch that took no effect: what became of each command.", object("")),
		"field":            text("The field's JSON path, or the parameter's or header's name.").eg("lines[0].quantity"),
		"message":          text("What is wanted."),
	},
}

// requestTimeout is a duration, or a number of seconds.
const requestTimeout = `^([+-]?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+|[0-9]+(\.[0-9]*)?|\.[0-9]+)$`

const introduction = `One truth about stock for a company that sells in many places at once.

- **Errors** are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems: ` + "`type`" + ` says which one, ` + "`instance`" + ` is the request's id. Every invalid field is named at once.
- **Commands that change stock** take an ` + "`Idempotency-Key`" + `: a repeat gives the first answer, with ` + "`Idempotency-Replayed: true`" + `. ` + "`?dry_run=true`" + ` gives the answer and writes nothing.
- **Changes of single resources** can be made conditional: ` + "`ETag`" + ` in answers, ` + "`If-Match`" + ` in requests, ` + "`If-None-Match: *`" + ` of a PUT, ` + "`if_version`" + ` on lines.
- **Lists** come in pages: ` + "`page_size`" + `, and the ` + "`next_page_token`" + ` of the page before as ` + "`page_token`" + `.
- **Quantities** are whole base units (64 bits), times RFC 3339 in UTC, durations as Go writes them (` + "`15m`" + `).
- **HEAD** is answered as GET, without a body. Bodies are read as JSON, whatever their Content-Type.
- **Unknown fields and parameters** are refused; null is the same as leaving a field out.`
