package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/config"
	"stockyard/service/devdb"
	"stockyard/service/pod"
)

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Make an API key and show it, this once."`
	List   keyListCommand   `cmd:"" help:"List API keys, without their secrets."`
	Revoke keyRevokeCommand `cmd:"" help:"Revoke an API key; within 5 seconds no pod accepts it."`
}

// keyDatabase is where the keys are: these commands need no key themselves, but the database.
type keyDatabase struct {
	config.Database
	DataDir string `help:"Where 'stockyard dev' keeps its database; used where no --database-url is given." default:".stockyard" type:"path"`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// operator is whom keys are made by that are made here.
var operator = service.Caller{Principal: auth.System("stockyard key"), RequestID: "stockyard key"}

func (c keyDatabase) with(ctx context.Context, run func(*service.Service) error) error {
	if c.DatabaseURL == "" {
		if url, running := devdb.Running(c.DataDir); running {
			c.DatabaseURL = url
		}
	}
	st, topology, err := pod.OpenStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer st.Close()
	s := service.New(st, service.Options{Region: topology.Primary, Topology: topology, Lanes: 1})
	defer s.Close()
	return run(s)
}

type keyCreateCommand struct {
	keyDatabase
	Name      string   `help:"What the key is for, or who holds it." required:""`
	Grant     []string `help:"What it may do, and where: viewer, pos, warehouse, planner, integrator or admin; bound to places as in warehouse@region:NAME,location:NAME. May be given several times." required:"" sep:"none"`
	ExpiresIn string   `help:"How long it lasts, such as 720h; for good where it isn't given." placeholder:"DURATION"`
}

func (c *keyCreateCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(s *service.Service) error {
		key, err := s.CreateKey(ctx, operator, service.KeyInput{Name: c.Name, Grants: c.Grant, ExpiresIn: c.ExpiresIn})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(key)
		}
		fmt.Fprintf(os.Stderr, "%s, id %s, %s. Keep it: it can't be shown again.\n", key.Name, key.ID, expiry(key.Key))
		fmt.Println(key.Text) // alone on standard output, for $(...)
		return nil
	})
}

type keyListCommand struct{ keyDatabase }

func (c *keyListCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(s *service.Service) error {
		keys := []auth.Key{}
		for page := (service.Page{Size: service.MaxPageSize}); ; {
			list, err := s.Keys(ctx, operator, page)
			if err != nil {
				return err
			}
			keys = append(keys, list.Items...)
			if page.Token = list.NextPageToken; page.Token == "" {
				break
			}
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(keys)
		}
		return printKeys(keys)
	})
}

func printKeys(keys []auth.Key) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tSTATUS\tNAME\tGRANTS\tEXPIRY\tLAST USED")
	for _, k := range keys {
		grants := make([]string, len(k.Grants))
		for i, g := range k.Grants {
			grants[i] = g.String()
		}
		used := "never"
		if k.LastUsedAt != nil {
			used = k.LastUsedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Status, k.Name, strings.Join(grants, " "), expiry(k), used)
	}
	return w.Flush()
}

func expiry(k auth.Key) string {
	if k.ExpiresAt == nil {
		return "never expires"
	}
	return "expires " + k.ExpiresAt.Format(time.RFC3339)
}

type keyRevokeCommand struct {
	keyDatabase
	ID string `arg:"" help:"The key's id: the 16 characters between sy_ and the next _."`
}

func (c *keyRevokeCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(s *service.Service) error {
		key, err := s.RevokeKey(ctx, operator, c.ID)
		switch {
		case err != nil:
			return err
		case c.JSON:
			return json.NewEncoder(os.Stdout).Encode(key)
		}
		fmt.Printf("%s, id %s, is revoked since %s; within 5 seconds no pod accepts it\n", key.Name, key.ID, key.RevokedAt.Format(time.RFC3339))
		return nil
	})
}
