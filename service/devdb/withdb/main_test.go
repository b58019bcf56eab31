package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCommandGetsDatabasesAndGivesItsStatus(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv(cockroachEnv, "inherited")
	status, err := run([]string{"sh", "-c", `
		case $` + postgresEnv + ` in postgres://*/stockyard*) ;; *) exit 3 ;; esac
		case $` + cockroachEnv + ` in inherited) exit 4 ;; esac
		exit 7`})
	if err != nil || status != 7 {
		t.Errorf("status %d, %v", status, err)
	}
	left, err := os.ReadDir(temp)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestSignalReachesTheCommand(t *testing.T) {
	t.Setenv("COCKROACH_BINARY", "")
	t.Setenv("TMPDIR", t.TempDir())
	// The command's child sends the signal to us; it must come back to the command and the child. The
	// child does so as a program of its own: a shell that has only just forked would swallow it.
	status, err := run([]string{"sh", "-c", `trap 'exit 9' TERM; sh -c 'kill -TERM '$PPID'; exec sleep 60' & wait`})
	if err != nil || status != 9 {
		t.Errorf("status %d, %v", status, err)
	}
}

func TestMissingCommand(t *testing.T) {
	t.Setenv("COCKROACH_BINARY", "")
	t.Setenv("TMPDIR", t.TempDir())
	status, err := run([]string{filepath.Join(t.TempDir(), "missing")})
	if err == nil || status != 127 {
		t.Errorf("status %d, %v", status, err)
	}
}
