package httpapi

import (
	"math"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

const catalogueProblems = "version-mismatch"

var catalogueArea = area{
	name:  "catalogue",
	about: "Products, locations and channels. They are the same in every region.",
	operations: []described{
		{
			operation: auth.PutProduct, summary: "Make or replace a product",
			about:   "Fields that are left out are emptied. A product that was archived comes back.",
			headers: "If-Match If-None-Match", body: productBody{}, problems: catalogueProblems,
			examples: []example{{"product", "A hoodie", `{"name": "hoodie, black", "unit": "piece", "category": "outfitting", "unit_cost": {"amount": "13.50", "currency": "EUR"}, "attributes": {"size": "M"}}`}},
			answers: []answered{
				{201, inventory.Product{}, "It is new, or came back.", "ETag!"},
				{200, inventory.Product{}, "It was there and is replaced.", "ETag!"},
			},
		},
		{
			operation: auth.GetProduct, summary: "Read a product", problems: "not-found",
			answers: []answered{{200, inventory.Product{}, "The product.", "ETag!"}},
		},
		{
			operation: auth.PatchProduct, summary: "Change a product",
			about:   "A JSON merge patch (RFC 7396): what is left out stays, what is null is emptied.",
			headers: "If-Match", body: productBody{}, patch: true, problems: "not-found " + catalogueProblems,
			examples: []example{{"attributes", "Another size; the colour goes", `{"attributes": {"size": "L", "colour": null}}`}},
			answers:  []answered{{200, inventory.Product{}, "The product as it is now.", "ETag!"}},
		},
		{
			operation: auth.ArchiveProduct, summary: "Archive a product",
			about:   "Only one without stock. Its history stays.",
			headers: "If-Match", problems: "not-found conflict " + catalogueProblems,
			answers: []answered{{204, nil, "It is archived.", ""}},
		},
		{
			operation: auth.ListProducts, summary: "List products", about: "In the order of their SKUs.",
			query:   "query category" + paged,
			answers: []answered{{200, service.Listed[inventory.Product]{}, "A page of products.", ""}},
		},
		{
			operation: auth.PutLocation, summary: "Make or replace a location",
			about:   "Its region can't change. A location that was archived comes back.",
			headers: "If-Match If-None-Match", body: locationBody{}, problems: "conflict " + catalogueProblems,
			examples: []example{{"location", "A warehouse in New York", `{"name": "New York warehouse", "region": "us-east1", "kind": "warehouse", "country": "US", "latitude": 40.71, "longitude": -74.01, "priority": 1}`}},
			answers: []answered{
				{201, inventory.Location{}, "It is new, or came back.", "ETag!"},
				{200, inventory.Location{}, "It was there and is replaced.", "ETag!"},
			},
		},
		{
			operation: auth.GetLocation, summary: "Read a location", problems: "not-found",
			answers: []answered{{200, inventory.Location{}, "The location.", "ETag!"}},
		},
		{
			operation: auth.PatchLocation, summary: "Change a location",
			about:   "A JSON merge patch (RFC 7396): what is left out stays, what is null is emptied.",
			headers: "If-Match", body: locationBody{}, patch: true, problems: "not-found conflict " + catalogueProblems,
			examples: []example{{"priority", "Ask it later when sourcing", `{"priority": 7}`}},
			answers:  []answered{{200, inventory.Location{}, "The location as it is now.", "ETag!"}},
		},
		{
			operation: auth.ArchiveLocation, summary: "Archive a location",
			about:   "Only one without stock. Its history stays.",
			headers: "If-Match", problems: "not-found conflict " + catalogueProblems,
			answers: []answered{{204, nil, "It is archived.", ""}},
		},
		{
			operation: auth.ListLocations, summary: "List locations", about: "In the order of their names.",
			query: "region" + paged, problems: "not-found",
			answers: []answered{{200, service.Listed[inventory.Location]{}, "A page of locations.", ""}},
		},
		{
			operation: auth.PutChannel, summary: "Make or replace a channel",
			headers: "If-Match If-None-Match", body: channelBody{}, problems: "not-found " + catalogueProblems,
			examples: []example{{"channel", "A web shop that keeps two units back", `{"name": "Web shop", "kind": "web", "locations": ["rotterdam", "new-york", "singapore"], "safety_stock": 2}`}},
			answers: []answered{
				{201, inventory.Channel{}, "It is new, or came back.", "ETag!"},
				{200, inventory.Channel{}, "It was there and is replaced.", "ETag!"},
			},
		},
		{
			operation: auth.GetChannel, summary: "Read a channel", problems: "not-found",
			answers: []answered{{200, inventory.Channel{}, "The channel.", "ETag!"}},
		},
		{
			operation: auth.PatchChannel, summary: "Change a channel",
			about:   "A JSON merge patch (RFC 7396): what is left out stays, what is null is emptied.",
			headers: "If-Match", body: channelBody{}, patch: true, problems: "not-found " + catalogueProblems,
			examples: []example{{"safety", "Keep five units back", `{"safety_stock": 5}`}},
			answers:  []answered{{200, inventory.Channel{}, "The channel as it is now.", "ETag!"}},
		},
		{
			operation: auth.ArchiveChannel, summary: "Archive a channel",
			headers: "If-Match", problems: "not-found " + catalogueProblems,
			answers: []answered{{204, nil, "It is archived.", ""}},
		},
		{
			operation: auth.ListChannels, summary: "List channels", about: "In the order of their names.",
			query:   paged,
			answers: []answered{{200, service.Listed[inventory.Channel]{}, "A page of channels.", ""}},
		},
	},
	words: words{
		"sku":         text("What is stocked, by the caller's own name for it: printable characters, no space at either end.").chars(1, inventory.MaxName).like(`^\S(.*\S)?$`).eg("hoodie-black"),
		"location":    identifier("A place that has stock, by the caller's own name for it.").eg("new-york"),
		"channel":     identifier("A way to sell, by the caller's own name for it.").eg("web"),
		"region":      text("A region of this system; `GET /v1/regions` lists them.").chars(1, 255).eg("us-east1"),
		"name":        text("What people call it.").chars(1, 255).eg("Web shop"),
		"country":     text("ISO 3166-1, two capital letters.").like(inventory.CountryPattern).eg("US"),
		"latitude":    degrees("Degrees north. Together with longitude or not at all.", 90).eg(40.71),
		"longitude":   degrees("Degrees east. Together with latitude or not at all.", 180).eg(-74.01),
		"unit_cost":   object("What a unit costs."),
		"created_at":  moment("When it was made."),
		"updated_at":  moment("When it last changed."),
		"archived_at": moment("When it was archived."),

		"description":     text("Anything about it.").chars(0, 4000),
		"unit":            text("What one unit is.").chars(0, 32).eg("piece"),
		"barcode":         text("GTIN, EAN or the like.").chars(0, 64).eg("4006381333931"),
		"category":        text("What it is listed under.").chars(0, 255).eg("outfitting"),
		"attributes":      object("The caller's own: any JSON, searched by nobody."),
		"Product.version": number("Counts its changes; the ETag.").from(1).eg(3),

		"Location.kind":     choice("What kind of place it is.", "warehouse", "store", "third_party", "virtual"),
		"Location.priority": number("Lower is asked first when units are sourced.").from(0).to(math.MaxInt32).eg(1),
		"Location.version":  number("Counts its changes; the ETag.").from(1).eg(3),

		"Channel.kind":         choice("What kind of channel it is.", "pos", "web", "marketplace", "wholesale"),
		"Channel.locations":    list("Those that it may promise from; none means all.", identifier("")).items(0, 1000),
		"Channel.safety_stock": number("Units of each stock level that it may not promise.").from(0).eg(2),
		"Channel.version":      number("Counts its changes; the ETag.").from(1).eg(3),

		"Money.amount":   text("A decimal, as it was written.").like(inventory.AmountPattern).eg("13.50"),
		"Money.currency": text("ISO 4217, three capital letters.").like(inventory.CurrencyPattern).eg("EUR"),

		"list_products.query":    text("Only products whose SKU, name or barcode has this in it.").chars(0, 1000),
		"list_products.category": text("Only products of this category.").chars(0, 1000),
	},
}

func identifier(about string) word { return text(about).like(inventory.IdentifierPattern) }
