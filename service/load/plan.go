package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"stockyard/service/inventory"
)

// Plan says what to run against which pods. Check says what its fields may be.
type Plan struct {
	Scenario string   // one of Scenarios
	Targets  []string // base URLs of the pods' REST API: the load, or with GRPC its preparation and proof
	GRPC     []string // addresses of the pods' gRPC API, in the order of Targets; none: the load goes over REST
	Token    string   // API key or JWT; empty: none is sent
	// TLS is how https targets, and gRPC beside them, are spoken to; nil: as this machine trusts.
	TLS *tls.Config

	Clients     int           // operations under way at once, at most
	Connections int           // gRPC connections to each pod
	Rate        float64       // starts a second; 0: each client starts again when it has its answer
	Duration    time.Duration // what is measured
	Warmup      time.Duration // what runs before it, and isn't

	SKUs        int           // how many there are to choose from
	Stock       int64         // base units available of each at the start
	Prefix      string        // what the names of its locations and products begin with
	GiveUpAfter time.Duration // how long an operation without an answer is repeated
	Seed        uint64        // of the choices; the keys are new each time

	// Prepared says that locations, products and stock are there already, and are left alone.
	Prepared bool
	// Unproven leaves out the comparison of the books before and after, which reads every level.
	Unproven bool

	Progress io.Writer // lines for people; may be nil
}

// Bounds of a plan.
const (
	maxClients  = 65536
	maxSKUs     = 100_000_000
	maxDuration = 24 * time.Hour
	maxPrefix   = 32 // what is left of 64 characters is for numbers and regions
)

// Check names every field that is wrong, by the flag that sets it.
func (p *Plan) Check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, known := findScenario(p.Scenario); !known {
		wrong("--scenario %q: want one of %v", p.Scenario, Scenarios())
	}
	if len(p.Targets) == 0 {
		wrong("--target: want at least one base URL")
	}
	if len(p.GRPC) > 0 && len(p.GRPC) != len(p.Targets) {
		wrong("--grpc-target has %d addresses, --target %d URLs: want one for each pod, in the same order", len(p.GRPC), len(p.Targets))
	}
	for _, n := range []struct {
		flag            string
		is, least, most int64
	}{
		{"--clients", int64(p.Clients), 1, maxClients},
		{"--grpc-connections", int64(p.Connections), 1, 1024},
		{"--skus", int64(p.SKUs), 1, maxSKUs},
		{"--stock", p.Stock, 1, 1_000_000_000_000},
	} {
		if n.is < n.least || n.is > n.most {
			wrong("%s %d: want %d to %d", n.flag, n.is, n.least, n.most)
		}
	}
	for _, d := range []struct {
		flag            string
		is, least, most time.Duration
	}{
		{"--duration", p.Duration, 100 * time.Millisecond, maxDuration},
		{"--warmup", p.Warmup, 0, maxDuration},
		{"--give-up-after", p.GiveUpAfter, 100 * time.Millisecond, maxDuration},
	} {
		if d.is < d.least || d.is > d.most {
			wrong("%s %s: want %s to %s", d.flag, d.is, d.least, d.most)
		}
	}
	if p.Rate < 0 || p.Rate > 10_000_000 || math.IsNaN(p.Rate) {
		wrong("--rate %v: want 0 (as fast as --clients allow) to 10000000 starts a second", p.Rate)
	}
	if problem := inventory.CheckIdentifier(p.Prefix); problem != "" {
		wrong("--prefix %q %s", p.Prefix, problem)
	} else if len(p.Prefix) > maxPrefix {
		wrong("--prefix %q has %d characters: want %d at most", p.Prefix, len(p.Prefix), maxPrefix)
	}
	return errors.Join(errs...)
}
