package devdb

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// bequeath gives the server a process group of its own, so that a terminal's Ctrl-C reaches only us
// and we stop it in order, and a signal for the case that we are killed.
func bequeath(cmd *exec.Cmd, lastWill syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = lastWill
}

// serves says whether a process is the PostgreSQL server of a data directory, which is where it
// works in. Process ids are used again, so the number alone proves nothing.
func serves(pid int, dataDir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(dataDir)
	return err == nil && cwd == real
}
