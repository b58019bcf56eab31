package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Latencies are kept in microseconds with three digits, up to an hour.
const (
	longest = int64(time.Hour / time.Microsecond)
	digits  = 3
	shards  = 16
)

// meter counts and times what the sessions do. They share its shards, so that a thousand clients
// take no thousand histograms.
type meter struct {
	from, to time.Time // what is measured
	shards   [shards]shard

	lateMu   sync.Mutex
	lateness *hdrhistogram.Histogram // of the generator's own starts
}

type shard struct {
	meter *meter
	mu    sync.Mutex
	kinds [kinds]tally
}

// tally is of one kind of operation.
type tally struct {
	ok, refused, failed, retries int64
	inTime                       int64 // done while measured, whenever they were begun
	took                         *hdrhistogram.Histogram
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, longest, digits) }

func newMeter() *meter {
	m := &meter{lateness: newHistogram()}
	for i := range m.shards {
		m.shards[i].meter = m
		for k := range m.shards[i].kinds {
			m.shards[i].kinds[k].took = newHistogram()
		}
	}
	return m
}

func (m *meter) shard(n int) *shard { return &m.shards[n%shards] }

// record takes what began while measured into account, and for the throughput what ended then.
func (s *shard) record(k kind, v verdict, retries int64, begun, ended time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &s.kinds[k]
	if v == done && !ended.Before(s.meter.from) && ended.Before(s.meter.to) {
		t.inTime++
	}
	if begun.Before(s.meter.from) || !begun.Before(s.meter.to) {
		return
	}
	t.retries += retries
	switch v {
	case done:
		t.ok++
	case refused:
		t.refused++
	default:
		t.failed++
		return // how long somebody waited before they gave up says nothing about answers
	}
	recordMicros(t.took, ended.Sub(begun))
}

func recordMicros(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), longest)) // fails outside of these bounds
}

// late is how long after its moment a start was handed to the clients.
func (m *meter) late(d time.Duration) {
	m.lateMu.Lock()
	defer m.lateMu.Unlock()
	recordMicros(m.lateness, d)
}

// sum adds up the shards: a tally a kind, and one of all.
func (m *meter) sum() (each [kinds]tally, all tally) {
	all.took = newHistogram()
	for k := range each {
		each[k].took = newHistogram()
		for i := range m.shards {
			s := &m.shards[i]
			s.mu.Lock()
			each[k].add(&s.kinds[k])
			s.mu.Unlock()
		}
		all.add(&each[k])
	}
	return each, all
}

func (t *tally) add(other *tally) {
	t.ok += other.ok
	t.refused += other.refused
	t.failed += other.failed
	t.retries += other.retries
	t.inTime += other.inTime
	t.took.Merge(other.took)
}

func (t *tally) begun() int64 { return t.ok + t.refused + t.failed }
