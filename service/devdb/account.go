package devdb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// account is the user PostgreSQL runs as where we are root, which it refuses to run as. A nil
// account stands for ourselves.
type account struct {
	name     string
	uid, gid uint32
}

// serverAccount is who runs a new cluster.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(superuser)
	if err != nil {
		return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres to run it as: start Stockyard as an ordinary user")
	}
	return newAccount(u)
}

// ownerOf is who runs an existing cluster: whoever made it, so that root and an ordinary user may
// take turns. Root's own (a copy, a restored backup) goes to the user of new ones.
func ownerOf(dataDir string) (*account, error) {
	info, err := os.Lstat(dataDir)
	if err != nil {
		return nil, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dataDir)
	}
	self := uint32(os.Geteuid())
	switch {
	case self != 0 && stat.Uid == self:
		return nil, nil
	case self != 0:
		return nil, fmt.Errorf("%s belongs to user %d: start Stockyard as that user or as root, or delete that directory", dataDir, stat.Uid)
	case stat.Uid != 0:
		id := strconv.Itoa(int(stat.Uid))
		u, err := user.LookupId(id)
		if err != nil {
			return nil, fmt.Errorf("owner of %s: %w", dataDir, err)
		}
		return newAccount(u)
	}
	a, err := serverAccount()
	if err != nil {
		return nil, err
	}
	return a, a.takes(dataDir)
}

func newAccount(u *user.User) (*account, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &account{name: u.Username, uid: uint32(uid), gid: uint32(gid)}, nil
}

// runs makes a command of PostgreSQL run as the account, free of what the caller's environment says
// about other servers and languages (we read its messages).
func (a *account) runs(cmd *exec.Cmd) {
	cmd.Dir = "/" // the account may not be allowed where we are
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "PG") || strings.HasPrefix(v, "LC_") || strings.HasPrefix(v, "LANG")
	})
	cmd.Env = append(cmd.Env, "LC_ALL=C")
	if a != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: a.uid, Gid: a.gid}}
	}
}

// enters says whether the account may work below dir. It tries, which minds every parent, mount and
// access list.
func (a *account) enters(ctx context.Context, dir string, install postgresInstall) bool {
	if a == nil {
		return true
	}
	cmd := exec.CommandContext(ctx, install.path("postgres"), "--version")
	a.runs(cmd)
	cmd.Dir = dir
	return cmd.Run() == nil
}

// takes gives a directory and all in it to the account.
func (a *account) takes(dir string) error {
	if a == nil {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(a.uid), int(a.gid))
	})
}
