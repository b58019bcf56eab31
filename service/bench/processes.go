package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// usage is what a process and its children have used so far.
type usage struct {
	seconds float64 // of processor time
	written float64 // bytes to disk
}

func (u usage) plus(o usage) usage { return usage{u.seconds + o.seconds, u.written + o.written} }

// ticks is how many of them /proc counts to a second: on all Linux that Go runs on.
const ticks = 100

// serving finds the process on this machine that listens at a database's URL. Where there is none, or
// this is no Linux, or the process is another user's, it isn't found.
func serving(database string) (pid int, found bool) {
	u, err := url.Parse(database)
	if err != nil {
		return 0, false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		return 0, false
	}
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			const local, state, inode, listening = 1, 3, 9, "0A"
			f := strings.Fields(line)
			if len(f) > inode && f[state] == listening && strings.HasSuffix(f[local], fmt.Sprintf(":%04X", port)) {
				sockets["socket:["+f[inode]+"]"] = true
			}
		}
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // fails for a bad pattern only
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && sockets[to] {
			pid, err := strconv.Atoi(strings.Split(file, "/")[2])
			return pid, err == nil
		}
	}
	return 0, false
}

// usageOf gives what a process, its children, and those of them that have ended have used. What
// can't be read counts nothing.
func usageOf(pid int) usage {
	u, _ := readUsage(strconv.Itoa(pid), true)
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		child := filepath.Base(dir)
		if used, parent := readUsage(child, false); parent == pid {
			u = u.plus(used)
		}
	}
	return u
}

// readUsage reads /proc/PID/stat and io. waited says to count the children that have ended.
func readUsage(pid string, waited bool) (u usage, parent int) {
	raw, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return u, 0
	}
	const ppid, utime, last = 1, 11, 14 // behind the name, which may have spaces: it ends at the last )
	f := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	if len(f) <= last {
		return u, 0
	}
	times := f[utime : utime+2]
	if waited {
		times = f[utime : last+1]
	}
	for _, text := range times {
		n, _ := strconv.ParseFloat(text, 64) // 0 for what is no number
		u.seconds += n / ticks
	}
	parent, _ = strconv.Atoi(f[ppid])
	if raw, err := os.ReadFile("/proc/" + pid + "/io"); err == nil {
		for line := range strings.Lines(string(raw)) {
			if value, is := strings.CutPrefix(line, "write_bytes: "); is {
				u.written, _ = strconv.ParseFloat(strings.TrimSpace(value), 64)
			}
		}
	}
	return u, parent
}
