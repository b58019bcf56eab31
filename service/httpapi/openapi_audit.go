package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var auditArea = area{
	name:  "audit",
	about: "Who did what, and proof that nobody has changed the ledger since. For admins whose grant isn't bound to places.",
	operations: []described{
		{
			operation: auth.ListAuditLog, summary: "List the audit log",
			about:   "Newest first: stock commands, changes of settings, and attempts that were refused for want of rights or of a credential. Refused attempts that are alike within a second are one entry. A filter by region may make pages shorter.",
			query:   "actor operation outcome request_id resource name region since until" + paged,
			answers: []answered{{200, service.Listed[service.AuditAnswer]{}, "A page of entries.", ""}}, problems: "not-found",
		},
		{
			operation: auth.ListSeals, summary: "List the seals",
			about:   "By location and time. A seal is a location's ledger up to a moment in one hash, chained to the seal before. Kept elsewhere, it proves what the ledger said.",
			query:   "location region" + paged,
			answers: []answered{{200, service.Listed[inventory.Seal]{}, "A page of seals.", ""}}, problems: "not-found",
		},
	},
	words: words{
		"Audit.id":                text("The entry's id; of a stock command, that of what it made.").eg("us-east1.gopg38ga4cvb4vp4c6b34oi3i0"),
		"at":                      moment("When."),
		"Audit.region":            text("Region of the pod that was asked.").eg("us-east1"),
		"Audit.actor":             auditActor,
		"list_audit_log.actor":    auditActor,
		"request_id":              text("Id of the request."),
		"operation":               text("What was asked for.").eg("receive_transfer"),
		"outcome":                 choice("What became of it.", service.AuditOutcomes()...),
		"Audit.resource":          text("What it concerned: stock, product, location, channel or key.").eg("stock"),
		"list_audit_log.resource": text("What it concerned: stock, product, location, channel or key.").eg("stock"),
		"Audit.name":              text("Which one; of a stock command, its idempotency key.").eg("LON"),
		"list_audit_log.name":     text("Which one; of a stock command, its idempotency key.").eg("LON"),
		"Audit.reason":            text("Why, as the caller said."),
		"Audit.reference":         text("The caller's reference."),
		"Audit.detail":            text("What was wrong with it."),
		"after":                   object("Settings: what they are since."),
		"attempts":                number("How many attempts it stands for.").from(1),
		"since":                   moment("Not before."),
		"until":                   moment("Before."),
		"Seal.up_to":              moment("Up to when; not included."),
		"root":                    text("SHA-256, hexadecimal.").like("^[0-9a-f]{64}$"),
		"levels":                  number("Stock levels that changed since the seal before.").from(0),
		"sealed_at":               moment("When it was made."),
	},
}

var auditActor = text("Who: a key or a token's subject, anonymous, or a worker.").eg("key:0g2t9c8e1r5m7k3a")
