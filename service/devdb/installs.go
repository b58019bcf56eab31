package devdb

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	// preferredPostgres is the version Stockyard is tested with.
	preferredPostgres = 15
	// oldestPostgres has gen_random_uuid() and pg_current_snapshot().
	oldestPostgres = 13
)

var errNoDatabase = errors.New("neither CockroachDB nor PostgreSQL found: `sudo apt-get install postgresql`, or `brew install postgresql@15`, or set COCKROACH_BINARY, or pass --database-url")

// postgresInstall is a directory with PostgreSQL's server programs.
type postgresInstall struct {
	bin     string
	version string // "15.18", "17beta1"
}

func (i postgresInstall) path(program string) string { return filepath.Join(i.bin, program) }

// major is the version of the data format: "15".
func (i postgresInstall) major() string {
	end := strings.IndexFunc(i.version, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return i.version
	}
	return i.version[:end]
}

// rank is higher the better we like a version: the preferred one, then newer before older.
func (i postgresInstall) rank() int {
	major, err := strconv.Atoi(i.major())
	switch {
	case err != nil || major < oldestPostgres:
		return 0
	case major == preferredPostgres:
		return 1 << 20
	}
	return major
}

// postgresInstalls gives what is installed, the best first.
func postgresInstalls(ctx context.Context) []postgresInstall {
	var found []postgresInstall
	for _, bin := range postgresPlaces(ctx) {
		if _, err := exec.LookPath(filepath.Join(bin, "initdb")); err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
		words := strings.Fields(string(out)) // postgres (PostgreSQL) 15.18 (Debian ...)
		if err != nil || len(words) < 3 {
			continue
		}
		if i := (postgresInstall{bin: bin, version: words[2]}); i.rank() > 0 {
			found = append(found, i)
		}
	}
	slices.SortStableFunc(found, func(a, b postgresInstall) int { return b.rank() - a.rank() })
	return found
}

// postgresPlaces are the directories worth a look. Distributions keep the server's programs off PATH.
func postgresPlaces(ctx context.Context) []string {
	var places []string
	add := func(patterns ...string) {
		for _, p := range patterns {
			matches, _ := filepath.Glob(p) // fails for a bad pattern only
			places = append(places, matches...)
		}
	}
	add("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin") // Debian and Ubuntu, Red Hat
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		places = append(places, strings.TrimSpace(string(out)))
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		places = append(places, filepath.Dir(path))
	}
	add("/opt/homebrew/opt/postgresql*/bin", "/usr/local/opt/postgresql*/bin", "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin")
	add("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin")
	return slices.DeleteFunc(places, func(p string) bool {
		info, err := os.Stat(p)
		return err != nil || !info.IsDir()
	})
}
