package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// machine is the state that figures hang on.
type machine struct {
	At         time.Time `json:"at"`
	OS         string    `json:"os"`
	Processor  string    `json:"processor"`
	Cores      int       `json:"cores"`
	Memory     string    `json:"memory"`
	LoadBefore string    `json:"load_average_before"` // 1, 5, 15 minutes
	LoadAfter  string    `json:"load_average_after"`
	Go         string    `json:"go"`
	Revision   string    `json:"revision"` // of the repository
}

// readMachine leaves empty what this system doesn't tell.
func readMachine() machine {
	m := machine{At: time.Now().UTC(), OS: runtime.GOOS + "/" + runtime.GOARCH, Cores: runtime.NumCPU(), LoadBefore: loadAverage(), Go: runtime.Version()}
	m.Processor = field("/proc/cpuinfo", "model name")
	m.Memory = field("/proc/meminfo", "MemTotal")
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.OS += " " + strings.TrimSpace(string(kernel))
	}
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Revision = strings.TrimSpace(string(out))
	}
	return m
}

func field(file, name string) string {
	raw, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(raw)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func loadAverage() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(raw))[:3], " ")
}

func (m machine) String() string {
	return fmt.Sprintf("%s  %s, %d cores (%s), %s, load average %s before and %s after, %s, revision %s\n",
		m.At.Format(time.RFC3339), m.OS, m.Cores, m.Processor, m.Memory, m.LoadBefore, m.LoadAfter, m.Go, m.Revision)
}
