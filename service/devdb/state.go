package devdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// state is what a directory's user tells other commands. URLs carry passwords: the file is 0600.
type state struct {
	Kind Kind     `json:"kind"`
	URLs []string `json:"urls"`
}

func statePath(dir string) string { return filepath.Join(dir, "running.json") }

func saveState(dir string, db *Database) error {
	return saveJSON(statePath(dir), state{Kind: db.Kind, URLs: db.URLs})
}

// Running gives the database that a Start in this directory is using now: the first of its servers that answers.
// It is false if there is none, or none that answers.
func Running(dir string) (url string, ok bool) {
	var s state
	if err := loadJSON(statePath(dir), &s); err != nil || len(s.URLs) == 0 {
		return "", false
	}
	for _, url := range s.URLs {
		if ping(context.Background(), url) == nil {
			return url, true
		}
	}
	return "", false
}

// occupy makes the directory and takes it for this process until the file is closed. The system
// frees it when the process dies, however that happens.
func occupy(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := io.ReadAll(lock)
		return nil, errors.Join(fmt.Errorf("%s is in use by process %s: stop that one, or use another directory",
			dir, strings.TrimSpace(string(holder))), lock.Close())
	}
	if err == nil {
		err = lock.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(lock, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", lock.Name(), err), lock.Close())
	}
	return lock, nil
}

// saveJSON replaces a private file whole: a reader, or a kill in the middle, never meets half of it.
func saveJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func loadJSON(path string, v any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
