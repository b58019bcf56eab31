package pod

import (
	"errors"
	"fmt"

	"stockyard/service"
	"stockyard/service/config"
	"stockyard/service/secrets"
	"stockyard/service/webhook"
)

// newSecretKeys gives the keys that encrypt secrets; nil where there are none.
func newSecretKeys(settings config.Webhooks) (*secrets.Keys, error) {
	keys, err := secrets.Load(settings.SecretKeysFile, settings.SecretKeys)
	switch {
	case errors.Is(err, secrets.ErrNoKeys):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("the keys that encrypt secrets: %w", err)
	}
	return keys, nil
}

func (p *Pod) webhookOptions() service.WebhookOptions {
	return service.WebhookOptions{Secrets: p.secrets, AllowPrivate: p.settings.AllowPrivateWebhooks, From: p.hub.Now}
}

// dispatcher sends to webhooks, while it is this pod's turn.
func (p *Pod) dispatcher() *webhook.Dispatcher {
	return webhook.New(webhook.Options{
		Store: p.store, Hub: p.hub, Region: p.service.Topology().Primary, Secrets: p.secrets,
		AllowPrivate: p.settings.AllowPrivateWebhooks, Log: p.log, Traces: p.traces, Observer: p.metrics.Webhooks(),
	})
}
