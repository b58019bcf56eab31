package store

import (
	"fmt"
	"strconv"
	"strings"
)

// createChangefeed is the statement that follows a table, and alerts, from a moment on. How often it says how
// far it has come is for `resolved` alone to say up to v21.2. Since v22.1 it does so with its checkpoints only,
// every 30 s unless they are asked for more often, and more often than every 500 ms is advised against.
func createChangefeed(version string, source FeedSource, from Moment) string {
	resolved := "resolved = '500ms', min_checkpoint_frequency = '500ms'"
	if before(version, 22, 1) {
		resolved = "resolved = '100ms'"
	}
	return fmt.Sprintf("CREATE CHANGEFEED FOR TABLE %s, alerts WITH updated, %s, cursor = '%s', schema_change_policy = 'nobackfill'",
		source.table(), resolved, from.before())
}

// changed is an entry that a row of the changefeed has, or, where neither event nor alert is there, the
// moment up to which all rows have come.
type changed struct{ placed }

func (c changed) resolved() bool { return c.event == nil && c.alert == nil }

// readChanged gives what a row has: the table's name, "" with a resolved moment, the key, and the value.
// A row that was deleted has nothing.
func readChanged(values [][]byte) ([]changed, error) {
	if len(values) != 3 {
		return nil, fmt.Errorf("a row of the changefeed has %d columns", len(values))
	}
	switch table, value := string(values[0]), values[2]; table {
	case "":
		_, at, err := unwrap[struct{}](value)
		if err != nil || at == (Moment{}) {
			return nil, err
		}
		return []changed{{placed{at: at}}}, nil
	case ByBatches.table():
		batch, at, err := unwrap[changedBatch](value)
		if err != nil || batch == nil {
			return nil, err
		}
		events, err := batch.unpack()
		all := make([]changed, len(events))
		for i := range events {
			all[i] = changed{placed{at: at, event: &events[i]}}
		}
		return all, err
	case ByEvents.table():
		row, at, err := unwrap[changedEvent](value)
		if err != nil || row == nil {
			return nil, err
		}
		event, err := row.event()
		return []changed{{placed{at: at, event: event}}}, err
	case "alerts":
		row, at, err := unwrap[changedAlert](value)
		if err != nil || row == nil {
			return nil, err
		}
		alert, err := row.alert()
		return []changed{{placed{at: at, alert: alert}}}, err
	default:
		return nil, fmt.Errorf("the changefeed gives rows of %s", table)
	}
}

// before is a moment just before m, as CockroachDB writes it.
func (m Moment) before() string {
	if m.Logical > 0 {
		return Moment{m.Wall, m.Logical - 1}.String()
	}
	return Moment{Wall: m.Wall - 1}.String()
}

func (m Moment) String() string { return fmt.Sprintf("%d.%010d", m.Wall, m.Logical) }

func parseMoment(s string) (m Moment, err error) {
	wall, logical, _ := strings.Cut(s, ".")
	if m.Wall, err = strconv.ParseInt(wall, 10, 64); err != nil {
		return m, fmt.Errorf("not a timestamp of CockroachDB: %q", s)
	}
	if logical != "" {
		// Decimals lose zeros at their end.
		logical += strings.Repeat("0", max(10-len(logical), 0))
		n, err := strconv.ParseInt(logical, 10, 32)
		if err != nil {
			return m, fmt.Errorf("not a timestamp of CockroachDB: %q", s)
		}
		m.Logical = int32(n)
	}
	return m, nil
}
