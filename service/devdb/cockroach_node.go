package devdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// nodePorts are where one node listens, on 127.0.0.1.
type nodePorts struct {
	SQL  int `json:"sql"` // and the other nodes
	HTTP int `json:"http"`
}

// choosePorts gives the ports of the start before, or new ones where one of them is taken, so that
// a console kept open in a browser or a shell finds its node again.
func choosePorts(dir string, nodes int) ([]nodePorts, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "ports.json")
	var ports []nodePorts
	if err := loadJSON(path, &ports); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if len(ports) == nodes && allFree(flat(ports)...) {
		return ports, nil
	}
	free, err := FreePorts(2 * nodes)
	if err != nil {
		return nil, err
	}
	ports = make([]nodePorts, nodes)
	for i := range ports {
		ports[i] = nodePorts{SQL: free[2*i], HTTP: free[2*i+1]}
	}
	return ports, saveJSON(path, ports)
}

func flat(ports []nodePorts) []int {
	var all []int
	for _, p := range ports {
		all = append(all, p.SQL, p.HTTP)
	}
	return all
}

func (c *cockroach) nodeDir(node int) string {
	return filepath.Join(c.dir, fmt.Sprintf("n%d", node+1))
}

func (c *cockroach) url(node int, database string) string {
	return fmt.Sprintf("postgres://root@%s/%s?sslmode=disable", loopback(c.ports[node].SQL), database)
}

// launch starts a node without waiting for it.
func (c *cockroach) launch(node int) (*process, error) {
	dir := c.nodeDir(node)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	store := dir
	if c.ephemeral {
		store = "type=mem,size=1GiB"
	}
	var join []string
	for _, p := range c.ports {
		join = append(join, loopback(p.SQL))
	}
	cmd := exec.Command(c.binary, "start", "--insecure",
		"--listen-addr="+loopback(c.ports[node].SQL),
		"--http-addr="+loopback(c.ports[node].HTTP),
		"--join="+strings.Join(join, ","),
		"--locality=region="+c.regions[node],
		"--store="+store, "--temp-dir="+dir,
		"--cache=256MiB", "--max-sql-memory=256MiB", // several nodes share one machine
		fmt.Sprintf("--log={file-defaults: {dir: %q}}", filepath.Join(dir, "logs")))
	cmd.Env = cockroachEnv()
	// All nodes get the last will at once, and nodes that drain together wait for each other for ever.
	return launch(cmd, dir+".log", syscall.SIGKILL)
}

// cockroachEnv keeps a cluster of play data from reporting itself to its maker, and lets each node
// look at its ranges ten times a second rather than once: a new cluster is then fully replicated
// after seconds instead of most of a minute.
func cockroachEnv() []string {
	return append(os.Environ(),
		"COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING=true", "COCKROACH_SCAN_MAX_IDLE_TIME=100ms")
}

// evictLeftovers ends nodes that outlived the run which started them. Draining would be of no use:
// the others are on their way down as well.
func (c *cockroach) evictLeftovers(ctx context.Context) error {
	for i := range c.regions {
		lock := filepath.Join(c.nodeDir(i), "LOCK")
		if err := evict(ctx, func() int { return lockHolder(lock) }, syscall.SIGKILL); err != nil {
			return err
		}
	}
	return nil
}

// lockHolder gives the process that holds a store's lock, 0 where nobody does.
func lockHolder(path string) int {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	lock := syscall.Flock_t{Type: syscall.F_WRLCK}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &lock); err != nil || lock.Type == syscall.F_UNLCK {
		return 0
	}
	return int(lock.Pid)
}
