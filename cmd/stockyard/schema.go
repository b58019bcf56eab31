package main

import (
	"os"

	"stockyard/service/httpapi"
)

type schemaCommand struct {
	Events schemaEventsCommand `cmd:"" help:"The events and alerts of the change feed: what /v1/events and webhooks give."`
}

type schemaEventsCommand struct{}

func (schemaEventsCommand) Run() error {
	schema, err := httpapi.EventSchema()
	if err == nil {
		_, err = os.Stdout.Write(schema)
	}
	return err
}
