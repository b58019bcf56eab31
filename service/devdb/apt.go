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
	command := aptCommand(ctx, aptScript)
	if command == nil {
		return nil, errNoDatabase
	}
	log("neither CockroachDB nor PostgreSQL found: installing PostgreSQL with apt-get")
	if err := runApt(command); err != nil {
		return nil, fmt.Errorf("%w (%w)", errNoDatabase, err)
	}
	found := postgresInstalls(ctx)
	if len(found) == 0 {
		return nil, errors.Join(errNoDatabase, errors.New("apt-get has installed no server"))
	}
	return found, nil
}

// serverScript installs a package whose server is to be run by ourselves only: our policy forbids to
// start it, and is taken away again, and nothing starts it at the next boot.
const serverScript = `
set -e
policy=/usr/sbin/policy-rc.d
if ! [ -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends %[1]s; }
install || { apt-get update && install; }
systemctl disable --now %[1]s >/dev/null 2>&1 || true
`

// FindOrInstall gives the path of a server's program that tests run by themselves, installed from the
// Debian package of that name where it is missing and may be.
func FindOrInstall(ctx context.Context, program string, log func(string, ...any)) (string, error) {
	if path, err := find(program); err == nil {
		return path, nil
	}
	command := aptCommand(ctx, fmt.Sprintf(serverScript, program))
	if command == nil {
		return "", fmt.Errorf("%s is not installed: `sudo apt-get install %s`", program, program)
	}
	log("installing %s with apt-get", program)
	if err := runApt(command); err != nil {
		return "", fmt.Errorf("%s is not installed, and %w", program, err)
	}
	return find(program)
}

// Installed says whether a server's program is there.
func Installed(program string) bool {
	_, err := find(program)
	return err == nil
}

func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

func runApt(command *exec.Cmd) error {
	command.Env = append(os.Environ(), "LC_ALL=C")
	out, err := command.CombinedOutput()
	if err != nil {
		last := bytes.TrimSpace(out)
		last = last[bytes.LastIndexByte(last, '\n')+1:]
		return fmt.Errorf("apt-get failed: %w: %s", err, last)
	}
	return nil
}

// aptCommand is what runs an installing script here, nil where that takes another system or more rights:
// a question for a password in the middle of a start helps nobody.
func aptCommand(ctx context.Context, script string) *exec.Cmd {
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
	return exec.CommandContext(ctx, shell[0], append(shell[1:], script)...)
}
