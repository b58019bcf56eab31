package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

const stepProblems = "not-found conflict over-limit idempotency-key-reused"

var reservationAnswer = []answered{{200, inventory.ReservationAnswer{}, "The reservation as it is now.", "ETag! Idempotency-Replayed"}}

var reservationsArea = area{
	name:  "reservations",
	about: "Promises: held until they expire, allocated once they are confirmed, fulfilled when the units leave.",
	operations: []described{
		{
			operation: auth.Reserve, summary: "Hold stock",
			about: "A line without location is sourced, over several locations if it must. `policy: partial` holds what there is and answers the rest as `shortages`.",
			query: dryRun, headers: keyed, body: service.ReservationInput{}, problems: commandProblems,
			examples: []example{
				{"sourced", "Two, for a customer in France, from the nearest place that has them", `{"lines": [{"sku": "hoodie-black", "quantity": 2}], "destination": {"country": "FR"}, "order_reference": "A-1"}`},
				{"placed", "At a place, for an hour", `{"lines": [{"sku": "boots-sand", "quantity": 1, "location": "chicago"}], "expires_in": "1h"}`},
				{"partial", "As many as there are, from as few places as possible", `{"lines": [{"sku": "jeans-white", "quantity": 1000}], "policy": "partial", "strategy": "fewest_splits"}`},
			},
			answers: []answered{{201, inventory.ReservationAnswer{}, "The reservation.", "ETag! Idempotency-Replayed"}},
		},
		{
			operation: auth.ReserveBatch, summary: "Hold stock, a batch at once",
			about: "Up to 1000 reservations. `on_error: continue` takes each by itself; `abort` takes all or none, and a batch that took " +
				"no effect is the problem of the reservation that spoiled it, with all items in it.",
			query: dryRun, headers: keyed, body: reservationsBody{}, problems: commandProblems + " aborted",
			examples: []example{{"two", "Two orders, all or none", `{"reservations": [{"lines": [{"sku": "belt-black", "quantity": 1}]}, {"lines": [{"sku": "belt-sand", "quantity": 1}]}], "on_error": "abort"}`}},
			answers:  []answered{{200, batchAnswer{}, "What became of each reservation.", "Idempotency-Replayed"}},
		},
		{
			operation: auth.ListReservations, summary: "List reservations", about: "Region after region, in a stable order.",
			query:   "status order_reference location region" + paged,
			answers: []answered{{200, service.Listed[*inventory.ReservationAnswer]{}, "A page of reservations.", ""}}, problems: "not-found",
		},
		{
			operation: auth.GetReservation, summary: "Read a reservation",
			answers: []answered{{200, inventory.ReservationAnswer{}, "The reservation.", "ETag! Stock-As-Of!"}}, problems: "not-found",
		},
		{
			operation: auth.Confirm, summary: "Confirm a reservation",
			about: "held becomes allocated, which doesn't expire. One that has expired takes its units again if they are still there.",
			query: dryRun, headers: keyed, body: confirmBody{}, mayBeEmpty: true, problems: stepProblems + " reservation-expired",
			examples: []example{{"paid", "The order is paid", `{"reference": "payment 778"}`}},
			answers:  reservationAnswer,
		},
		{
			operation: auth.Extend, summary: "Extend a hold", about: "It expires that long from now.",
			query: dryRun, headers: keyed, body: extendBody{}, problems: stepProblems + " reservation-expired",
			examples: []example{{"half_an_hour", "Half an hour from now", `{"expires_in": "30m"}`}},
			answers:  reservationAnswer,
		},
		{
			operation: auth.Release, summary: "Release a reservation, or units of it", about: "What they promised is available again.",
			query: dryRun, headers: keyed, body: unitsBody{}, mayBeEmpty: true, problems: stepProblems,
			examples: []example{{"one", "One unit of the first line", `{"lines": [{"line": 1, "quantity": 1}], "reason": "the customer changed their mind"}`}, {"all", "Everything", `{}`}},
			answers:  reservationAnswer,
		},
		{
			operation: auth.Fulfil, summary: "Fulfil a reservation, or units of it", about: "The units leave: on_hand and allocated go down. Only a confirmed one.",
			query: dryRun, headers: keyed, body: unitsBody{}, mayBeEmpty: true, problems: stepProblems,
			examples: []example{{"parcel", "A parcel leaves", `{"lines": [{"line": 1, "quantity": 1}], "reference": "parcel 17"}`}, {"all", "Everything", `{}`}},
			answers:  reservationAnswer,
		},
	},
	words: words{
		"id":              text("The id that was answered when it was made.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"status":          choice("Where it stands. A hold is expired from its time on.", inventory.Statuses...),
		"order_reference": text("The caller's own name for the order.").chars(0, 255).eg("A-1"),
		"expires_at":      moment("When the hold ends or ended; null unless held or expired."),
		"expires_in":      duration("How long the hold lasts, from 1s to 720h (30 days).").usually("15m"),
		"policy":          choice("What to do with lines that can't be had in full.", inventory.AllOrNothing, inventory.Partial).usually("all_or_nothing"),
		"strategy":        choice("How locations are chosen for lines without one. With a destination `nearest`, else `priority`.", inventory.Strategies()...),
		"destination":     object("Where the order goes: a country, a region, or a point on the map."),
		"shortages":       list("What could not be had.", object("")),
		"requested":       number("Units that were asked for.").eg(9),
		"fulfilled":       number("Units that left.").eg(0),
		"released":        number("Units that were released.").eg(0),
		"line":            number("The number of the line, from 1.").from(1).eg(1),
		"quantity":        number("Units.").eg(2),

		"Reservation.version":           number("Counts its changes; the ETag.").from(1).eg(1),
		"Reservation.lines":             list("What is promised, each line at one location.", object("")),
		"ReservationInput.lines":        list("What to hold.", object("")).items(1, service.MaxLines),
		"ReservationLineInput.quantity": number("How many units.").from(1).eg(2),
		"Extend.expires_in":             duration("How long from now, from 1s to 720h (30 days)."),
		"Units.lines":                   list("Which units; left out: all that are left.", object("")).items(1, service.MaxLines),
		"Selection.line":                number("The number of a line, from 1; or give a sku.").from(0).eg(1),
		"Selection.quantity":            number("How many of them; left out: all that are left.").from(1).eg(1),
		"Shortage.available":            number("Units that could be had.").from(0).eg(8),

		"list_reservations.status":          choice("Only those of this status.", inventory.Statuses...),
		"list_reservations.order_reference": text("Only those of this order.").chars(0, 1000).eg("A-1"),
		"list_reservations.location":        identifier("Only those that have a line at this location.").eg("rotterdam"),
	},
}
