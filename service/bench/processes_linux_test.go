package main

import (
	"net"
	"os"
	"os/exec"
	"testing"
	"time"
)

// Whoever listens at a URL is found, and what it and its children use is counted.
func TestWhatProcessesUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pid, found := serving("postgres://somebody@" + l.Addr().String() + "/database")
	if !found || pid != os.Getpid() {
		t.Fatalf("%d (%t) listens, want %d", pid, found, os.Getpid())
	}
	if _, found := serving("postgres://127.0.0.1:1/database"); found {
		t.Error("somebody was found where nobody listens")
	}
	before := usageOf(pid)
	busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
	if err := busy.Start(); err != nil {
		t.Fatal(err)
	}
	for usageOf(pid).seconds < before.seconds+0.2 { // its own, while it runs
		time.Sleep(10 * time.Millisecond)
	}
	_ = busy.Process.Kill()
	_ = busy.Wait()
	if after := usageOf(pid); after.seconds < before.seconds+0.2 { // and once it has ended
		t.Errorf("%+v, after %+v", after, before)
	}
}

func TestCostIsOfEachReservation(t *testing.T) {
	t.Parallel()
	before := reading{podSeconds: 1, commands: 100, batches: 10, retries: 1, database: usage{2, 1000}, wal: 50}
	after := reading{podSeconds: 3, commands: 300, batches: 19, retries: 2, database: usage{6, 5000}, wal: 450}
	want := cost{PodMicros: 10_000, DatabaseMicros: 20_000, DiskBytes: 20, WALBytes: 2, Batch: 200.0 / 9, RoundTrips: 0.1, Retries: 0.005}
	if got := after.since(before); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := before.since(before); got != (cost{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
