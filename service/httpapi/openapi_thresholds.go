package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var thresholdsArea = area{
	name: "thresholds",
	about: "What people want to be told of: less than so many units left, and as many again. Alerts come on the change feed, " +
		"each crossing once: `GET /v1/events?kind=below_threshold&kind=above_threshold`. That stock runs out, comes back, or falls short " +
		"needs no rule.",
	operations: []described{
		{
			operation: auth.PutThreshold, summary: "Make or replace a threshold",
			about: "Without `sku` it is about every SKU. With `location` it looks at the stock level there, with `channel` at what is sellable " +
				"through the channel, summed over its locations; with neither at the stock levels of all locations, each by itself. " +
				"An alert comes with the next change that crosses it: a rule says nothing of what is below it already.",
			headers: "If-Match", body: thresholdBody{}, problems: "not-found " + catalogueProblems,
			examples: []example{{"threshold", "Fewer than five of anything in New York", `{"location": "new-york", "below": 5}`}},
			answers: []answered{
				{201, inventory.Threshold{}, "It is new, or came back.", "ETag!"},
				{200, inventory.Threshold{}, "It was there and is replaced.", "ETag!"},
			},
		},
		{
			operation: auth.GetThreshold, summary: "Read a threshold", problems: "not-found",
			answers: []answered{{200, inventory.Threshold{}, "The threshold.", "ETag!"}},
		},
		{
			operation: auth.PatchThreshold, summary: "Change a threshold",
			about:   "A JSON merge patch (RFC 7396): what is left out stays, what is null is emptied.",
			headers: "If-Match", body: thresholdBody{}, patch: true, problems: "not-found " + catalogueProblems,
			examples: []example{{"pause", "No alerts for a while", `{"active": false}`}},
			answers:  []answered{{200, inventory.Threshold{}, "The threshold as it is now.", "ETag!"}},
		},
		{
			operation: auth.ArchiveThreshold, summary: "Archive a threshold",
			headers: "If-Match", problems: "not-found " + catalogueProblems,
			answers: []answered{{204, nil, "It is archived.", ""}},
		},
		{
			operation: auth.ListThresholds, summary: "List thresholds", about: "In the order of their names.",
			query:   paged,
			answers: []answered{{200, service.Listed[inventory.Threshold]{}, "A page of thresholds.", ""}},
		},
	},
	words: thresholdWords(),
}

func thresholdWords() words {
	ws := words{"Threshold.version": number("Counts its changes; the ETag.").from(1).eg(3)}
	for _, schema := range []string{"Threshold"} {
		ws[schema+".sku"] = text("The SKU that it is about; without it, every one.").chars(1, inventory.MaxName).like(`^\S(.*\S)?$`).eg("hoodie-black")
		ws[schema+".location"] = identifier("The location whose stock levels it looks at. Not together with a channel.").eg("new-york")
		ws[schema+".channel"] = identifier("The channel whose sellable units it looks at. Not together with a location.").eg("web")
		ws[schema+".below"] = number("Fewer units than this raise an alert.").from(1).eg(5)
		ws[schema+".active"] = flag("Whether it raises alerts at present.").usually(true)
	}
	name := identifier("A rule, by the caller's own name for it; its alerts carry it.").eg("low")
	ws["Threshold.name"] = name
	for _, op := range []auth.Operation{auth.PutThreshold, auth.GetThreshold, auth.PatchThreshold, auth.ArchiveThreshold} {
		ws[string(op)+".name"] = name
	}
	return ws
}
