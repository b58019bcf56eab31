package inventory

import (
	"cmp"
	"slices"
	"strings"
)

// rankByPriority asks sites in the order their owner gave them, lowest number first; names break ties.
func rankByPriority(o Order) []Site {
	return sortedSites(o.Sites, func(a, b Site) int { return cmp.Compare(a.Priority, b.Priority) })
}

func sortedSites(sites []Site, by func(a, b Site) int) []Site {
	ranked := slices.Clone(sites)
	slices.SortFunc(ranked, func(a, b Site) int {
		if c := by(a, b); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Priority, b.Priority); c != 0 {
			return c
		}
		return strings.Compare(a.Location, b.Location)
	})
	return ranked
}
