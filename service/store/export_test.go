package store

import "time"

// HavePatience sets how long a changefeed may stand still.
func HavePatience(tail Tail, patience time.Duration) { tail.(*changefeedTail).patience = patience }

// Statements gives the check of plans what to look at: of each statement that this database knows the
// name, the text and the parameter types.
func (s *Store) Statements() map[string]struct {
	SQL   string
	Types []uint32
} {
	all := map[string]struct {
		SQL   string
		Types []uint32
	}{}
	for _, st := range statements {
		if st.only != "" && st.only != s.dialect.name {
			continue
		}
		all[st.name] = struct {
			SQL   string
			Types []uint32
		}{st.sql, st.types}
	}
	return all
}

// SessionSetUp is what every connection runs first.
func (s *Store) SessionSetUp() string { return s.dialect.session }
