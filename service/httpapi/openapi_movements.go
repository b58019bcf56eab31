package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var movementsArea = area{
	name:  "movements",
	about: "Commands that change stock outside of reservations. All lines of a movement take effect together or not at all.",
	operations: []described{
		{
			operation: auth.Move, summary: "Move stock", about: movementKindsAbout,
			query: dryRun, headers: keyed, body: service.MovementInput{}, problems: commandProblems,
			examples: []example{
				{"receive", "Goods arrive", `{"kind": "receive", "lines": [{"location": "new-york", "sku": "hoodie-black", "quantity": 12}], "reference": "delivery 1041"}`},
				{"sell", "Sold over the counter", `{"kind": "sell", "lines": [{"location": "paris", "sku": "cap-sand", "quantity": 1}]}`},
				{"sell_short", "An offline till reports what it sold", `{"kind": "sell", "allow_shortfall": true, "effective_at": "2026-01-05T17:40:00Z", "lines": [{"location": "sydney", "sku": "cap-sand", "quantity": 9}]}`},
				{"return", "Taken back, to be inspected", `{"kind": "return", "to": "quarantined", "lines": [{"location": "paris", "sku": "cap-sand", "quantity": 1}]}`},
				{"adjust", "Put right by hand", `{"kind": "adjust", "reason": "found behind a shelf", "lines": [{"location": "chicago", "sku": "belt-olive", "quantity": 1}]}`},
				{"count", "Counted", `{"kind": "count", "lines": [{"location": "chicago", "sku": "socks-white", "quantity": 7}]}`},
				{"scrap", "Thrown away out of quarantine", `{"kind": "scrap", "from": "quarantined", "lines": [{"location": "paris", "sku": "cap-sand", "quantity": 1}]}`},
			},
			answers: []answered{{201, inventory.MovementAnswer{}, "The movement, with each line's level after it.", "Idempotency-Replayed"}},
		},
		{
			operation: auth.MoveBatch, summary: "Move stock, a batch at once",
			about: "Up to 1000 movements. `on_error: continue` takes each by itself; `abort` takes all or none, and a batch that took " +
				"no effect is the problem of the movement that spoiled it, with all items in it.",
			query: dryRun, headers: keyed, body: movementsBody{}, problems: commandProblems + " aborted",
			examples: []example{{"two", "Two sales, each by itself", `{"movements": [{"kind": "sell", "lines": [{"location": "paris", "sku": "tee-white", "quantity": 1}]}, {"kind": "sell", "lines": [{"location": "chicago", "sku": "tee-white", "quantity": 1}]}], "on_error": "continue"}`}},
			answers:  []answered{{200, batchAnswer{}, "What became of each movement.", "Idempotency-Replayed"}},
		},
	},
	words: words{
		"Movement.kind":              choice("What the movement does.", inventory.MovementKinds()...),
		"Movement.id":                text("Opaque; it carries the home region.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"Movement.lines":             list("What moves.", object("")).items(1, service.MaxLines),
		"Movement.warnings":          list("What people should know about.", text("")),
		"MovementLine.quantity":      number("How many units. `adjust`: signed. `count`: what was counted. Else at least 1.").eg(12),
		"level":                      object("The stock level after it."),
		"if_version":                 number("Refuses the command unless the stock level is at this version.").from(0),
		"allow_shortfall":            flag("`sell`: what isn't available becomes shortfall."),
		"as_of_version":              number("`count`: counted when this version was current; what happened since stays on top.").from(0),
		"to":                         choice("`return`: where to.", inventory.Available, inventory.Quarantined),
		"from":                       choice("`scrap`: where from.", inventory.Available, inventory.Quarantined),
		"reason":                     text("Why.").chars(0, 255).eg("found behind a shelf"),
		"reference":                  text("The caller's own name for it: a delivery note, a receipt.").chars(0, 255).eg("delivery 1041"),
		"MovementInput.effective_at": moment("When it happened in the world; left out: now. Not before the year 1900, not in the future."),

		"movements":             list("The movements.", object("")).items(1, service.MaxCommands),
		"reservations":          list("The reservations.", object("")).items(1, service.MaxCommands),
		"on_error":              choice("What a refused command does to the others.", service.Continue, service.Abort).usually("continue"),
		"BatchResult.items":     list("What became of each command, in order.", object("")),
		"BatchItem.status":      number("The status that the command by itself would have been answered with.").eg(201),
		"BatchItem.movement":    object("The movement, where it was accepted."),
		"BatchItem.reservation": object("The reservation, where it was accepted."),
		"BatchItem.problem":     object("Why it was not accepted."),

		"dry_run":              flag("Gives the answer that the command would give, and writes nothing.").usually(false),
		"Idempotency-Key":      text("Names this command: a repeat with the same key and body gives the first answer, for at least 72 hours. A dry run needs none.").like(`^[ -~]{1,255}$`).eg("order-1041"),
		"Idempotency-Replayed": choice("There on a repeat: the answer is the first one's.", "true"),
	},
}

const movementKindsAbout = `All lines take effect together or not at all. Kinds:

- ` + "`receive`" + `: on_hand goes up; a shortfall is settled first.
- ` + "`sell`" + `: on_hand goes down. Needs as much available, unless ` + "`allow_shortfall`" + `.
- ` + "`return`" + `: on_hand goes up, with ` + "`to: quarantined`" + ` to be inspected first.
- ` + "`adjust`" + `: on_hand goes up or down by a signed quantity; needs a ` + "`reason`" + `, and for a decrease as much available.
- ` + "`count`" + `: sets on_hand to what was counted and settles the shortfall. A count below what is promised sets on_hand to what is promised and the rest as shortfall, with ` + "`warnings`" + `.
- ` + "`quarantine`" + ` and ` + "`restore`" + `: move units between available and quarantined.
- ` + "`scrap`" + `: on_hand goes down, out of what is available or, with ` + "`from: quarantined`" + `, out of quarantine.`
