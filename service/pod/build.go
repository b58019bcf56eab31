package pod

import (
	"runtime"
	"runtime/debug"

	"stockyard/service/store"
)

// Build says what this binary is.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Schema   int    `json:"schema"`
}

// ReadBuild reads what the Go tool wrote into the binary. version wins where it was set by the
// linker.
func ReadBuild(version string) Build {
	b := Build{Version: version, Go: runtime.Version(), Schema: store.SchemaVersion()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Revision = s.Value
		}
	}
	return b
}
