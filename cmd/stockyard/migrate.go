package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"stockyard/service/config"
	"stockyard/service/pod"
)

type migrateCommand struct {
	config.Database
	Plan bool `help:"Only say what would be done."`
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *migrateCommand) Run(ctx context.Context) error {
	st, _, err := pod.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer st.Close()
	names := []string{}
	if c.Plan {
		plan, err := st.PlanMigrations(ctx)
		if err != nil {
			return err
		}
		for _, m := range plan {
			if !m.Applied {
				names = append(names, m.Name)
			}
		}
	} else if names, err = st.Migrate(ctx); err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"plan": c.Plan, "migrations": names})
	}
	verb := map[bool]string{true: "to apply", false: "applied"}[c.Plan]
	for _, name := range names {
		fmt.Println(verb, name)
	}
	if len(names) == 0 {
		fmt.Println("the schema is up to date")
	}
	return nil
}
