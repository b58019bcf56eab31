package load

import (
	"testing"
	"time"
)

// Counts and latencies are of what began while measured, throughput of what ended then.
func TestWhatIsMeasured(t *testing.T) {
	t.Parallel()
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	m := newMeter()
	m.from, m.to = at(1000), at(2000)
	for n, o := range []struct {
		verdict      verdict
		begun, ended int
	}{
		{done, 0, 900},        // in the warm-up
		{done, 900, 1100},     // begun in it
		{done, 1100, 1101},    // measured: 1 ms
		{refused, 1200, 1203}, // measured: 3 ms
		{lost, 1300, 1900},    // failed
		{done, 1990, 2090},    // measured: 100 ms, and too late for the throughput
		{done, 2000, 2001},    // after the end
	} {
		m.shard(n).record(reserve, o.verdict, 1, at(o.begun), at(o.ended))
	}
	each, all := m.sum()
	got := each[reserve]
	if got.ok != 2 || got.refused != 1 || got.failed != 1 || got.retries != 4 || got.inTime != 2 || got.begun() != all.begun() {
		t.Errorf("%+v", got)
	}
	if l := latency(got.took); l.P50 < 2.9 || l.P50 > 3.1 || l.Max < 99 || l.Max > 101 || got.took.TotalCount() != 3 {
		t.Errorf("%+v", l)
	}
	if each[confirm].begun() != 0 {
		t.Errorf("%+v", each[confirm])
	}
}
