package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var stockArea = area{
	name:  "stock",
	about: "What there is, where, and how it came about.",
	operations: []described{
		{
			operation: auth.GetLevel, summary: "Read a stock level",
			about:   "A known SKU at a known location that never had an event is all zeros at version 0. With `as_of` the level is given as it was then, from the ledger, however long ago; it has no ETag.",
			query:   "as_of axis min_version" + fresh,
			answers: []answered{{200, inventory.LevelAnswer{}, "The stock level.", "ETag Stock-As-Of!"}}, problems: "not-found version-mismatch",
		},
		{
			operation: auth.ListLevels, summary: "List stock levels",
			about:   "Region after region, each in the order of SKU and location.",
			query:   "sku location region available_below" + fresh + paged,
			answers: []answered{{200, service.Listed[inventory.LevelAnswer]{}, "A page of stock levels.", "Stock-As-Of!"}}, problems: "not-found",
		},
		{
			operation: auth.ListEvents, summary: "List the events of a stock level",
			about:   "Its ledger, in the order of versions. Events are never changed and never deleted.",
			query:   "after_version" + paged,
			answers: []answered{{200, service.Listed[service.EventAnswer]{}, "A page of events.", ""}}, problems: "not-found",
		},
		{
			operation: auth.GetAvailability, summary: "Ask what is available",
			about:   "Over all locations, for up to 500 SKUs at once.",
			query:   "sku! region channel" + fresh,
			answers: []answered{{200, availabilityAnswer{}, "What is available, in the order in which the SKUs were given.", "Stock-As-Of!"}}, problems: "not-found over-limit",
		},
	},
	words: words{
		"on_hand":     number("Units physically there and on the books.").eg(40),
		"held":        number("Units promised to open carts and orders, until their holds expire.").eg(2),
		"allocated":   number("Units promised to confirmed orders.").eg(3),
		"quarantined": number("Units on hand and not for sale.").eg(0),
		"incoming":    number("Units expected from open transfers; never promised.").eg(0),
		"shortfall":   number("Units that left although the books didn't have them free, until a count or a receipt settles them.").eg(0),
		"available":   number("on_hand - held - allocated - quarantined - shortfall. Below zero while the shortfall is larger than what is free.").eg(35),
		"version":     number("Counts the changes, from 1 without a gap.").from(0).eg(17),

		"StockLevel.updated_at": moment("When it last changed; null for a level that never had an event."),

		"get_level.as_of": moment("The past time to speak of."),
		"axis":            choice("With as_of: what was believed then (recorded, the default), or what was true then as far as is known now (effective).", service.Axes()...),

		"kind":         choice("What happened.", inventory.EventKinds()...),
		"deltas":       object("What changed."),
		"balances":     object("The quantities after it."),
		"movement":     text("The id of the movement, or of the reservation's step, that made it.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"reservation":  text("The id of the reservation that it concerns, where there is one.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"transfer":     text("The id of the transfer that it concerns, where there is one.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"actor":        text("Who did it."),
		"effective_at": moment("When it happened in the world."),
		"recorded_at":  moment("When it was recorded."),

		"Availability.available":         number("What is available, over all locations.").eg(144),
		"Availability.sellable":          number("Available less the channel's safety stock at each location, never below zero.").eg(132),
		"Availability.by_region":         object("What is available in each region."),
		"Availability.by_location":       list("What is available at each location.", object("")),
		"LocationAvailability.available": number("What is available there.").eg(40),

		"consistency":     choice("How fresh the answer must be. `strong`: all that is committed. `bounded`: as of some seconds ago, from the nearest replica of a CockroachDB; else as `strong`. `cached`: from the pod's memory, which follows the change feed; what it can't say it reads as `strong` does. `Stock-As-Of` says which moment the answer speaks of, by the database's clock.", "strong", "bounded", "cached").usually("strong"),
		"max_staleness":   duration("With `bounded` or `cached`: how old the answer may be, 0 to 1h. Where it isn't given: 5s; with `cached` on CockroachDB 10s. From 4.8s on, `bounded` reads from the nearest replica.").eg("5s"),
		"min_version":     number("Only an answer at this version or a later one will do: what is older in a replica or in memory is read as `strong` does; 412 where that is older, too. With the version of an answer, callers read their own writes.").from(0).eg(1),
		"after_version":   number("Only events after this version.").from(0).eg(0),
		"available_below": number("Only levels that have less than this available.").eg(10),
		"page_size":       number("How many at most.").from(1).to(service.MaxPageSize).usually(service.DefaultPageSize),
		"page_token":      text("The next_page_token of the page before.").chars(0, 1000),
		"next_page_token": text("Asks for the next page; empty on the last one."),
		"items":           list("In a stable order.", object("")),

		"list_levels.sku":      text("Only levels of this SKU.").chars(1, inventory.MaxName).like(`^\S(.*\S)?$`).eg("hoodie-black"),
		"list_levels.location": identifier("Only levels at this location.").eg("new-york"),
		"get_availability.sku": list("The SKUs, each as a parameter of its own.", text("").chars(1, inventory.MaxName).like(`^\S(.*\S)?$`)).items(1, service.MaxSKUs).eg([]string{"hoodie-black", "cap-sand"}),
	},
}

// duration is text as Go writes durations.
func duration(about string) word {
	return text(about + " A duration such as `500ms`, `15m` or `1h30m`.").like(`^[+-]?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`).eg("15m")
}
