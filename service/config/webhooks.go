package config

import "errors"

// Webhooks says how messages to webhooks are signed and where they may go.
type Webhooks struct {
	SecretKeysFile       string `help:"Keys that encrypt secrets, as 'stockyard secrets new' makes them; the same for all pods. Without any, this pod neither takes nor sends webhooks." env:"STOCKYARD_SECRET_KEYS_FILE" placeholder:"FILE"`
	SecretKeys           string `help:"The keys themselves, in the place of a file; better given as a variable, which no process list shows." env:"STOCKYARD_SECRET_KEYS" placeholder:"JSON"`
	AllowPrivateWebhooks bool   `help:"Let webhooks be http, and go to addresses of this machine and of private networks: whoever may put one can then reach what the pods can." env:"STOCKYARD_ALLOW_PRIVATE_WEBHOOKS"`
}

func (w *Webhooks) check() (errs []error) {
	if w.SecretKeysFile != "" && w.SecretKeys != "" {
		errs = append(errs, errors.New("--secret-keys-file and --secret-keys (or STOCKYARD_SECRET_KEYS) say the same: give one of them"))
	}
	return errs
}
