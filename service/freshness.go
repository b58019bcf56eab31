package service

import (
	"fmt"
	"slices"
	"time"

	"stockyard/service/inventory"
)

// Freshness is how fresh a caller wants an answer about stock. Every answer comes from the current
// rows, which is as fresh as any of the ways asks for.
type Freshness struct {
	Consistency  string // strong (default), bounded or cached
	MaxStaleness string // with bounded: a duration as Go writes it
	MinVersion   *int64 // the version that a level must have reached
}

// Check names every invalid field.
func (f Freshness) Check() []inventory.FieldError {
	var c checker
	if known := []string{"strong", "bounded", "cached"}; f.Consistency != "" && !slices.Contains(known, f.Consistency) {
		c.add("consistency", fmt.Sprintf("must be one of %v", known))
	}
	if f.MaxStaleness != "" {
		if d, err := time.ParseDuration(f.MaxStaleness); err != nil || d < 0 {
			c.add("max_staleness", `must be a duration such as "5s"`)
		}
	}
	if f.MinVersion != nil && *f.MinVersion < 0 {
		c.add("min_version", "must be at least 0")
	}
	return c.wrong
}

// Reached refuses a level that is older than the caller asked for.
func (f Freshness) Reached(version int64) error {
	if f.MinVersion == nil || version >= *f.MinVersion {
		return nil
	}
	return &inventory.Refusal{
		Kind: inventory.VersionMismatch, Expected: *f.MinVersion, Current: version,
		Detail: fmt.Sprintf("min_version %d was asked for; the level is at version %d", *f.MinVersion, version),
	}
}
