package devdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// aptScript installs PostgreSQL's server. The package would also make a cluster of its own and keep
// it running; our file forbids that while it is being installed, and is then taken away so that it
// does not bind the owner of the machine later.
const aptScript = `
set -e
conf=/etc/postgresql-common/createcluster.d/stockyard.conf
mkdir -p "${conf%/*}"
trap 'rm -f "$conf"' EXIT
echo "create_main_cluster = false" > "$conf"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y --no-install-recommends postgresql; }
install || { apt-get update && install; }
`

// findOrInstallPostgres gives at least one install, the best first.
func findOrInstallPostgres(ctx context.Context, log func(string, ...any)) ([]postgresInstall, error) {
	if found := postgresInstalls(ctx); len(found) > 0 {
		return found, nil
	}
	command := aptCommand(ctx)
	if command == nil {
		return nil, errNoDatabase
	}
	log("neither CockroachDB nor PostgreSQL found: installing PostgreSQL with apt-get")
	command.Env = append(os.Environ(), "LC_ALL=C")
	if out, err := command.CombinedOutput(); err != nil {
		last := bytes.TrimSpace(out)
		last = last[bytes.LastIndexByte(last, '\n')+1:]
		return nil, fmt.Errorf("%w (apt-get failed: %w: %s)", errNoDatabase, err, last)
	}
	found := postgresInstalls(ctx)
	if len(found) == 0 {
		return nil, errors.Join(errNoDatabase, errors.New("apt-get has installed no server"))
	}
	return found, nil
}

// aptCommand is what installs PostgreSQL here, nil where that takes another system or more rights:
// a question for a password in the middle of a start helps nobody.
func aptCommand(ctx context.Context) *exec.Cmd {
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return nil
	}
	shell := strings.Fields("sh -c")
	if os.Geteuid() != 0 {
		if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
			return nil
		}
		shell = strings.Fields("sudo -n sh -c")
	}
	return exec.CommandContext(ctx, shell[0], append(shell[1:], aptScript)...)
}
