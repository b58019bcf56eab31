package replay

import (
	"fmt"
	"strings"
)

// maxFaults is how many faults of a file are named before reading it stops: enough to mend it in
// few rounds, not so many that the first ones scroll away.
const maxFaults = 20

// FileError says what is wrong with a file of sales. Nothing was sent.
type FileError struct {
	File   string
	Faults []Fault // at most maxFaults
	fatal  bool    // the header is no use, so no row was read
}

// Fault is one bad place of a file.
type Fault struct {
	Line    int
	Column  string // by name; empty where the whole line is meant
	Message string
}

func (e *FileError) add(line int, column, message string) {
	if len(e.Faults) < maxFaults {
		e.Faults = append(e.Faults, Fault{line, column, message})
	}
}

func (e *FileError) full() bool { return e.fatal || len(e.Faults) >= maxFaults }

// Error names every fault on a line of its own, in the form editors jump to.
func (e *FileError) Error() string {
	var b strings.Builder
	for i, f := range e.Faults {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d: ", e.File, f.Line)
		if f.Column != "" {
			fmt.Fprintf(&b, "column %s: ", f.Column)
		}
		b.WriteString(f.Message)
	}
	if len(e.Faults) >= maxFaults {
		fmt.Fprintf(&b, "\n%s: stopped reading after %d faults", e.File, maxFaults)
	}
	return b.String()
}
