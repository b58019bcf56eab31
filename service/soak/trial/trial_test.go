package trial_test

import (
	"bytes"
	"os"
	"testing"
	"time"

	"stockyard/regions"
	"stockyard/service/devdb"
	"stockyard/service/soak/trial"
	"stockyard/service/soak/yard"
	"stockyard/service/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A soak of some seconds, as `make soak` runs it: on PostgreSQL with a server of its own, which is
// killed too; on CockroachDB on the cluster that the other tests use, whose nodes aren't. Then pods
// are restarted in order under load, and no request is lost.
func TestSoak(t *testing.T) {
	dir, err := yard.MakeDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	binary, err := yard.Build(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	topology, err := regions.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []devdb.Kind{devdb.PostgreSQL, devdb.CockroachDB} {
		t.Run(string(kind), func(t *testing.T) {
			o := trial.Options{
				Yard: yard.Options{
					Dir: dir, Binary: binary, Topology: topology, Kind: kind, Pods: 3, Slots: 5,
					DrainDelay: 500 * time.Millisecond, Log: t.Logf,
				},
				Seed: 5, Duration: 8 * time.Second, Phases: 1, Shoppers: 8, Levels: 2, Probers: 6, History: 1000,
				Hot: 4, Cold: 20, Pace: 700 * time.Millisecond, Patience: 4 * time.Second, Rounds: 1, Log: t.Logf,
			}
			if kind == devdb.CockroachDB {
				o.Yard.URLs, o.Pace, o.Duration = storetest.Fresh(t, kind), 2*time.Second, 6*time.Second
			}
			report, err := trial.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			var printed bytes.Buffer
			report.Print(&printed)
			t.Log(printed.String())
			for _, lie := range report.Lies {
				t.Error(lie)
			}
			if report.Linear().Operations == 0 || len(report.Faults) < 2 || report.Rolling.Restarts != 3 || report.Rolling.Requests == 0 {
				t.Error("too little was tried: the test proves nothing")
			}
		})
	}
}
