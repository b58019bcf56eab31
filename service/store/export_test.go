package store

// Statements gives the check of plans what to look at: each statement's name, text and parameter types.
func Statements() map[string]struct {
	SQL   string
	Types []uint32
} {
	all := map[string]struct {
		SQL   string
		Types []uint32
	}{}
	for _, st := range statements {
		all[st.name] = struct {
			SQL   string
			Types []uint32
		}{st.sql, st.types}
	}
	return all
}

// SessionSetUp is what every connection runs first.
func (s *Store) SessionSetUp() string { return s.dialect.session }
