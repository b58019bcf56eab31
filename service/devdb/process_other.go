//go:build !linux

package devdb

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// bequeath gives the server a process group of its own, so that a terminal's Ctrl-C reaches only us
// and we stop it in order. There is no last will here: the next Start ends what a killed one left.
func bequeath(cmd *exec.Cmd, _ syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// serves says whether a process is the PostgreSQL server of a data directory, which is an argument
// of its command line. Process ids are used again, so the number alone proves nothing.
func serves(pid int, dataDir string) bool {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), dataDir)
}
