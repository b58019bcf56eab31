package main

import (
	"os"

	"stockyard/service/client"
	"stockyard/service/config"
)

// podsFlags are those of every command that calls pods.
type podsFlags struct {
	config.Client
}

// options are the client's. The credential is a variable and no flag: flags are seen in process
// lists and kept in shells' histories.
func (f podsFlags) options() (client.Options, error) {
	private, err := f.TLS()
	return client.Options{Token: os.Getenv("STOCKYARD_TOKEN"), TLS: private}, err
}
