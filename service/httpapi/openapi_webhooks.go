package httpapi

import (
	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/inventory"
)

var webhooksArea = area{
	name: "webhooks",
	about: "The change feed, sent to those who don't come for it: a POST for each event and alert, signed by the Standard Webhooks specification, " +
		"with a CloudEvent 1.0 in the body. Each comes at least once; those of one stock level in the order of their versions.",
	operations: []described{
		{
			operation: auth.PutWebhook, summary: "Make or replace a webhook", about: putWebhookAbout,
			headers: "If-Match", body: service.WebhookInput{}, problems: "not-found conflict version-mismatch over-limit",
			examples: []example{{"webhook", "Sales and scrapped units of one SKU", `{"url": "https://shop.example.com/hooks/stock", "filter": {"skus": ["hoodie-black"], "kinds": ["sell", "scrap"]}, "active": true}`}},
			answers: []answered{
				{201, service.WebhookAnswer{}, "It is new: it gets what is committed from now on.", "ETag! Cache-Control!"},
				{200, service.WebhookAnswer{}, "It was there and is replaced.", "ETag! Cache-Control!"},
			},
		},
		{
			operation: auth.GetWebhook, summary: "Read a webhook", about: "Without its secret.", problems: "not-found",
			answers: []answered{{200, service.WebhookAnswer{}, "The webhook.", "ETag!"}},
		},
		{
			operation: auth.DeleteWebhook, summary: "Delete a webhook", about: "What it has yet to be told, it isn't told.",
			headers: "If-Match", problems: "not-found version-mismatch",
			answers: []answered{{204, nil, "It is gone.", ""}},
		},
		{
			operation: auth.ListWebhooks, summary: "List webhooks", about: "In the order of their names, without their secrets.",
			query:   paged,
			answers: []answered{{200, service.Listed[service.WebhookAnswer]{}, "A page of webhooks.", ""}},
		},
		{
			operation: auth.ListDeliveries, summary: "List a webhook's deliveries",
			about: "Newest first. Delivered ones are kept for 7 days, parked ones for 30.",
			query: "status" + paged, problems: "not-found",
			answers: []answered{{200, service.Listed[service.DeliveryAnswer]{}, "A page of deliveries.", ""}},
		},
		{
			operation: auth.Redeliver, summary: "Deliver again",
			about:    "Whatever became of it, it is tried again within seconds, for 3 days; what waits before it at the same stock level comes first.",
			problems: "not-found",
			answers:  []answered{{200, service.DeliveryAnswer{}, "The delivery, pending.", ""}},
		},
	},
	words: words{
		"webhook":                  identifier("A receiver of messages, by the caller's own name for it.").eg("shop"),
		"WebhookInput.url":         text("Where messages are sent: https, and no address of a private network unless the pods allow it.").chars(1, 2000).eg("https://shop.example.com/hooks/stock"),
		"WebhookInput.secret":      text("What messages are signed with: `whsec_` and 24 to 64 bytes in base64. Without one, the one that there is stays, or one is made. The one before signs too, for another 24 hours.").eg("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
		"WebhookInput.filter":      object("What it gets; without one, everything."),
		"WebhookInput.active":      flag("Whether messages are sent. What is committed meanwhile comes later.").usually(true),
		"Webhook.name":             identifier("The caller's own name for it.").eg("shop"),
		"Webhook.url":              text("Where messages are sent.").eg("https://shop.example.com/hooks/stock"),
		"Webhook.filter":           object("What it gets."),
		"Webhook.active":           flag("Whether messages are sent."),
		"Webhook.secret":           text("What messages are signed with. Only in the answer to the PUT that made it."),
		"Webhook.old_secret_until": moment("Until when messages are signed with the secret before, too."),
		"Webhook.failing_since":    moment("Since when the endpoint has taken nothing. Meanwhile one message at a time is tried."),
		"Webhook.next_attempt_at":  moment("Until when the endpoint is left alone."),
		"Webhook.switched_off":     text("Why Stockyard made it inactive: it answered 410, or can't be served. PUT it again to go on."),
		"Webhook.version":          number("Counts its changes; the ETag.").from(1).eg(3),
		"WebhookFilter.regions":    list("Of these home regions only.", text("").chars(1, 64)).items(0, 500),
		"WebhookFilter.locations":  list("Of these locations only.", text("").like(inventory.IdentifierPattern)).items(0, 500),
		"WebhookFilter.skus":       list("Of these SKUs only.", text("").chars(1, inventory.MaxName)).items(0, 500),
		"WebhookFilter.kinds":      list("Events and alerts of these kinds only.", choice("", service.WatchKinds()...)).items(0, 500),
		"list_deliveries.status":   choice("Only deliveries of this status.", service.DeliveryStatuses()...),
		"Delivery.id":              text("The message's `webhook-id`, the same each time that it is sent.").eg("0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10"),
		"redeliver.id":             text("The delivery's.").eg("0b9f2c5e-6d1a-4c1e-9b6e-2f4f6d1b7a10"),
		"Delivery.type":            text("The CloudEvent's type.").eg("com.stockyard.stock.sell.v1"),
		"Delivery.subject":         text("What order is kept within: of an event, location and SKU.").eg("new-york/hoodie-black"),
		"Delivery.sequence":        number("The order within the subject: the version of the stock level, also of an alert about one; of other alerts microseconds since 1970.").eg(17),
		"Delivery.status":          choice("Pending until it was delivered, or has failed for 3 days and is parked.", service.DeliveryStatuses()...),
		"Delivery.attempts":        number("How often it was sent.").from(0).eg(1),
		"Delivery.next_attempt_at": moment("When it may be sent next, where it is pending; one that comes after others of its subject waits for them."),
		"Delivery.last_status":     number("The HTTP status of the last answer; none where there was no answer.").from(100).to(999).eg(200),
		"Delivery.last_error":      text("Why the last attempt failed.").eg("no answer within 15s"),
	},
}

const putWebhookAbout = `Whatever is left out of the body is as if it were new, but for the secret, which stays. One that was switched off, or whose
endpoint fails, starts anew; what waits for it stays. Needs keys for secrets at the pod: ` + "`--secret-keys-file`" + `.

A message is ` + "`POST`" + `ed with ` + "`webhook-id`, `webhook-timestamp`, `webhook-signature`" + ` and a body of type ` + "`application/cloudevents+json`" + `, whose ` + "`data`" + ` is the
event or alert as ` + "`GET /v1/events`" + ` gives it. A status of 2xx within 15 seconds says that it was taken. Anything else is tried again, at random intervals that
grow from 5 seconds to 6 hours, or as ` + "`Retry-After`" + ` asks, for 3 days; then it is parked. 410 switches the webhook off.`
