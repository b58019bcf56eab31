package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"stockyard/service/config"
	"stockyard/service/devdb"
	"stockyard/service/pod"
)

type verifyCommand struct {
	config.Database
	DataDir string `help:"Where 'stockyard dev' keeps its database; used where no --database-url is given." default:".stockyard" type:"path"`
	JSON    bool   `name:"json" help:"Print JSON."`
}

var errDrift = errors.New("the books don't agree")

func (c *verifyCommand) Run(ctx context.Context) error {
	if c.DatabaseURL == "" {
		if url, running := devdb.Running(c.DataDir); running {
			c.DatabaseURL = url
		}
	}
	st, _, err := pod.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer st.Close()
	v, err := st.Verify(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
			return err
		}
	} else {
		pod.PrintVerification(os.Stdout, v)
	}
	if !v.Clean {
		return fmt.Errorf("%w", errDrift)
	}
	return nil
}
