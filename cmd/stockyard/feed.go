package main

import (
	"context"
	"fmt"

	"stockyard/service/config"
	"stockyard/service/pod"
	"stockyard/service/store"
)

type feedCommand struct {
	config.Database
	By string `help:"From now on: batches, where every pod writes them; events, before a pod of a release runs that doesn't." enum:"batches,events," default:"" placeholder:"batches|events"`
}

// Run says what is followed now.
func (c *feedCommand) Run(ctx context.Context) error {
	st, _, err := pod.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer st.Close()
	if c.By != "" {
		if err := st.SetFeedSource(ctx, store.FeedSource(c.By)); err != nil {
			return err
		}
	}
	source, err := st.FeedSource(ctx)
	if err == nil {
		fmt.Println("the pods follow the change feed by", source)
	}
	return err
}
