package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"stockyard/service"
	"stockyard/service/auth"
	"stockyard/service/config"
	"stockyard/service/devdb"
	"stockyard/service/inventory"
	"stockyard/service/pod"
	"stockyard/service/report"
)

type reportCommand struct {
	List  reportListCommand  `cmd:"" help:"List the reports with what they take; needs no database."`
	Grant reportGrantCommand `cmd:"" help:"Make the database's role stockyard_analyst, if there is none, and let it read the views, and nothing else."`
	Run   reportRunCommand   `cmd:"" default:"withargs" help:"Run a report on the database: stockyard report NAME."`
}

type reportGrantCommand struct {
	config.Database
	DataDir string `help:"Where 'stockyard dev' keeps its database; used where no --database-url is given." default:".stockyard" type:"path"`
}

func (c *reportGrantCommand) Run(ctx context.Context) error {
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
	return st.GrantAnalysts(ctx)
}

type reportListCommand struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *reportListCommand) Run() error {
	reports, err := report.All()
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(reports)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%s\n", r.Name, r.Question)
		for _, p := range r.Params {
			fmt.Fprintf(w, "\t  %s=%s  %s\n", p.Name, usual(p), p.About)
		}
	}
	return w.Flush()
}

// usual says what a parameter is unless given.
func usual(p report.Param) string {
	switch {
	case p.Required:
		return strings.ToUpper(string(p.Type))
	case p.Default == "":
		return `""`
	}
	return p.Default
}

type reportRunCommand struct {
	keyDatabase
	Name         string        `arg:"" help:"The report: one of those that 'stockyard report list' names."`
	Param        []string      `help:"A parameter, as in --param from=2026-11-01. May be given several times." placeholder:"NAME=VALUE" sep:"none"`
	Format       string        `help:"table, csv, json, or svg: a chart." enum:"table,csv,json,svg" default:"table"`
	Out          string        `help:"The file to write; standard output unless given." type:"path" placeholder:"FILE"`
	MaxStaleness string        `help:"How old the answer may be; on CockroachDB, from 4.8s on, the nearest replica answers." default:"10s"`
	Timeout      time.Duration `help:"How long the database may work on it." default:"1m"`
}

// analyst is who runs the reports that are run here.
var analyst = service.Caller{Principal: auth.System("stockyard report"), RequestID: "stockyard report"}

func (c *reportRunCommand) Run(ctx context.Context) error {
	params, err := paramsOf(c.Param)
	if err != nil {
		return err
	}
	if c.JSON {
		c.Format = "json"
	}
	var text bytes.Buffer
	err = c.with(ctx, func(s *service.Service) error {
		result, err := s.RunReport(ctx, analyst, service.ReportQuery{Name: c.Name, Params: params, MaxStaleness: c.MaxStaleness, Timeout: c.Timeout})
		if err != nil {
			return plainly(err)
		}
		return result.Write(&text, c.Format)
	})
	if err != nil {
		return fmt.Errorf("report %s: %w", c.Name, err)
	}
	if c.Out != "" {
		return os.WriteFile(c.Out, text.Bytes(), 0o644) //nolint:gosec // it is for others to read
	}
	_, err = os.Stdout.Write(text.Bytes())
	return err
}

func paramsOf(given []string) (map[string]string, error) {
	params := map[string]string{}
	for _, p := range given {
		name, value, is := strings.Cut(p, "=")
		if _, twice := params[name]; !is || name == "" || twice {
			return nil, fmt.Errorf("--param %s: must be NAME=VALUE, once for each name", p)
		}
		params[name] = value
	}
	return params, nil
}

// plainly says what is wrong as a shell's user wants it, everything at once.
func plainly(err error) error {
	var refusal *inventory.Refusal
	switch {
	case !errors.As(err, &refusal):
		return err
	case refusal.Kind == inventory.NotFound:
		return errors.New("there is no such report; 'stockyard report list' names them")
	case refusal.Kind != inventory.Invalid:
		return errors.New(refusal.Detail)
	}
	wrong := make([]string, len(refusal.Fields))
	for i, f := range refusal.Fields {
		wrong[i] = f.Field + " " + f.Message
	}
	return errors.New(strings.Join(wrong, "; "))
}
