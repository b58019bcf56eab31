package devdb

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const superuser = "postgres"

// clusterRecord is what must be known to find and enter a cluster again, in a private file.
type clusterRecord struct {
	Password  string `json:"password"`
	Elsewhere string `json:"elsewhere,omitempty"` // the data directory, where it is not in Options.Dir
}

// openCluster finds the private cluster of o.Dir, or makes it.
func openCluster(ctx context.Context, o Options, installs []postgresInstall) (*postgres, error) {
	recordPath := filepath.Join(o.Dir, "postgres.json")
	var record clusterRecord
	if err := loadJSON(recordPath, &record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p := &postgres{dataDir: filepath.Join(o.Dir, "postgres"), logPath: filepath.Join(o.Dir, "postgres.log")}
	if record.Elsewhere != "" {
		p.dataDir = record.Elsewhere
	}
	made, err := clusterVersion(p.dataDir)
	if err != nil {
		return nil, err
	}
	if made != "" {
		return p, p.reopen(ctx, record, made, installs)
	}
	p.install = installs[0]
	if p.owner, err = serverAccount(); err != nil {
		return nil, err
	}
	p.dataDir = filepath.Join(o.Dir, "postgres")
	record = clusterRecord{Password: rand.Text()}
	if !p.owner.enters(ctx, o.Dir, p.install) {
		p.dataDir = elsewhere(o.Dir)
		record.Elsewhere = p.dataDir
		o.Log("user %s, who runs PostgreSQL, can't enter %s: its data go to %s", p.owner.name, o.Dir, p.dataDir)
	}
	// The record comes first: a password without a cluster does no harm.
	p.password = record.Password
	if err := saveJSON(recordPath, record); err != nil {
		return nil, err
	}
	return p, p.create(ctx)
}

// reopen prepares to run a cluster that an earlier start has made.
func (p *postgres) reopen(ctx context.Context, record clusterRecord, made string, installs []postgresInstall) error {
	if record.Password == "" {
		return fmt.Errorf("the password of %s is lost: delete that directory to begin with an empty database", p.dataDir)
	}
	p.password = record.Password
	found := false
	for _, i := range installs {
		if i.major() == made {
			p.install, found = i, true
			break
		}
	}
	if !found {
		return fmt.Errorf("%s was made by PostgreSQL %s, which is not installed any more: install it, or delete that directory to begin with an empty database", p.dataDir, made)
	}
	var err error
	if p.owner, err = ownerOf(p.dataDir); err != nil {
		return err
	}
	if parent := filepath.Dir(p.dataDir); !p.owner.enters(ctx, parent, p.install) {
		return fmt.Errorf("user %s, who owns %s, can't enter %s any more: allow that (chmod o+x on its parents)", p.owner.name, p.dataDir, parent)
	}
	return nil
}

// create makes the cluster beside its place and moves it there complete, so that a kill in the
// middle leaves nothing that looks like a cluster.
func (p *postgres) create(ctx context.Context) error {
	staging := p.dataDir + ".new"
	if err := os.RemoveAll(staging); err != nil {
		return err
	}
	// Mkdir, not MkdirAll: in a shared place somebody else's directory must not be used.
	if err := os.Mkdir(staging, 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(staging) }() // what is left of it, if anything, is made anew next time
	passwordFile := filepath.Join(staging, "password")
	if err := os.WriteFile(passwordFile, []byte(p.password), 0o600); err != nil {
		return err
	}
	if err := p.owner.takes(staging); err != nil {
		return err
	}
	data := filepath.Join(staging, "data")
	// Sorting by bytes is what CockroachDB does. Upper and lower case should know more than ASCII,
	// as they do there, but not every system has the locale for it.
	out, err := p.initdb(ctx, data, passwordFile, "C.UTF-8")
	if err != nil && ctx.Err() == nil {
		out, err = p.initdb(ctx, data, passwordFile, "C")
	}
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, strings.TrimSpace(string(out)))
	}
	return os.Rename(data, p.dataDir)
}

func (p *postgres) initdb(ctx context.Context, data, passwordFile, characters string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.install.path("initdb"), "-D", data, "--encoding=UTF8", "--locale=C",
		"--lc-ctype="+characters, "--username="+superuser, "--auth=scram-sha-256", "--pwfile="+passwordFile)
	p.owner.runs(cmd)
	return cmd.CombinedOutput()
}

// clusterVersion gives the major version that made the cluster, "" where there is none.
func clusterVersion(dataDir string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(raw)), err
}

// elsewhere is where the cluster of dir lives when the server's user can't enter dir.
func elsewhere(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return filepath.Join("/var/tmp", "stockyard-"+hex.EncodeToString(sum[:6]))
}
