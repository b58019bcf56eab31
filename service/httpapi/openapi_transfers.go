package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var transferAnswer = []answered{{200, inventory.TransferAnswer{}, "The transfer as it is now.", "ETag! Idempotency-Replayed"}}

var transfersArea = area{
	name:  "transfers",
	about: "Stock on its way from one location to another: it leaves the one when it is shipped, is `incoming` at the other, and on hand there once it is received.",
	operations: []described{
		{
			operation: auth.CreateTransfer, summary: "Plan a transfer", about: "A draft: no stock moves before it is shipped. Its home region is that of `from`.",
			query: dryRun, headers: keyed, body: service.TransferInput{}, problems: stepProblems,
			examples: []example{{"restock", "Hoodies for Chicago", `{"from": "new-york", "to": "chicago", "lines": [{"sku": "hoodie-black", "quantity": 5}], "reference": "restock 12"}`}},
			answers:  []answered{{201, inventory.TransferAnswer{}, "The transfer.", "ETag! Idempotency-Replayed"}},
		},
		{
			operation: auth.ListTransfers, summary: "List transfers", about: "Region after region, in a stable order.",
			query:   "status from to reference region" + paged,
			answers: []answered{{200, service.Listed[*inventory.TransferAnswer]{}, "A page of transfers.", ""}}, problems: "not-found",
		},
		{
			operation: auth.GetTransfer, summary: "Read a transfer",
			answers: []answered{{200, inventory.TransferAnswer{}, "The transfer.", "ETag! Stock-As-Of!"}}, problems: "not-found",
		},
		{
			operation: auth.ShipTransfer, summary: "Ship a transfer", about: "All of its units leave `from` and are incoming at `to`. Only a draft, and only if all of them are available.",
			query: dryRun, headers: keyed, body: shipBody{}, mayBeEmpty: true, problems: stepProblems + " insufficient-stock",
			examples: []example{{"lorry", "A lorry leaves", `{"reference": "lorry 9"}`}},
			answers:  transferAnswer,
		},
		{
			operation: auth.ReceiveTransfer, summary: "Receive units of a transfer", about: "What arrived, never more than is in transit; what is left may arrive later.",
			query: dryRun, headers: keyed, body: arrivalsBody{}, problems: stepProblems,
			examples: []example{{"some", "Three arrived, one of them damaged", `{"lines": [{"sku": "hoodie-black", "quantity": 3, "quarantined": 1}]}`}},
			answers:  transferAnswer,
		},
		{
			operation: auth.CloseTransfer, summary: "Close a transfer", about: "Ends one of which units never arrived: they are lost, or are back at `from`.",
			query: dryRun, headers: keyed, body: closeBody{}, problems: stepProblems,
			examples: []example{{"lost", "The rest never arrived", `{"disposition": "lost", "reason": "stolen on the way"}`}},
			answers:  transferAnswer,
		},
		{
			operation: auth.CancelTransfer, summary: "Cancel a transfer", about: "Only a draft; one that was shipped is closed instead.",
			query: dryRun, headers: keyed, body: cancelBody{}, mayBeEmpty: true, problems: stepProblems,
			answers: transferAnswer,
		},
	},
	words: words{
		"received":    number("Units that arrived.").eg(3),
		"lost":        number("Units that never arrived anywhere.").eg(0),
		"returned":    number("Units that are back where they came from.").eg(0),
		"in_transit":  number("Units that were shipped and have yet to arrive.").eg(2),
		"shipped":     number("Units that left: all or none of the line's.").eg(5),
		"disposition": choice("What became of the units that never arrived.", inventory.Dispositions...),

		"Transfer.status":    choice("Where it stands.", inventory.TransferStatuses...),
		"Transfer.version":   number("Counts its changes; the ETag.").from(1).eg(1),
		"Transfer.from":      identifier("Where the units come from.").eg("new-york"),
		"Transfer.to":        identifier("Where the units go.").eg("chicago"),
		"Transfer.reference": text("The caller's own name for it.").eg("restock 12"),
		"Transfer.lines":     list("What is transferred, each SKU once.", object("")),

		"TransferInput.to":           identifier("Where the units go: another location.").eg("chicago"),
		"TransferInput.reference":    text("The caller's own name for it.").chars(0, 255).eg("restock 12"),
		"TransferInput.lines":        list("What to transfer, each SKU once.", object("")).items(1, service.MaxLines),
		"TransferLineInput.quantity": number("How many units.").from(1).eg(5),
		"TransferLine.quarantined":   number("Units of those received that were not fit for sale.").eg(1),

		"Arrivals.lines":           list("What arrived.", object("")).items(1, service.MaxLines),
		"Arrival.quantity":         number("How many units arrived.").from(1).eg(3),
		"Arrival.quarantined":      number("How many of them are not fit for sale.").from(0).eg(1).usually(0),
		"list_transfers.status":    choice("Only those of this status.", inventory.TransferStatuses...),
		"list_transfers.from":      identifier("Only those from this location.").eg("new-york"),
		"list_transfers.to":        identifier("Only those to this location.").eg("chicago"),
		"list_transfers.reference": text("Only those of this reference.").chars(0, 1000).eg("restock 12"),
	},
}
