package main

import (
	"encoding/json"
	"fmt"
	"os"

	"stockyard/service/pod"
)

type versionCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *versionCommand) Run(build pod.Build) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(build)
	}
	fmt.Printf("stockyard %s (%s), schema %d\n", build.Version, build.Go, build.Schema)
	return nil
}
