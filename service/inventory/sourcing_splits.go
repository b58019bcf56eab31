package inventory

// maxSplitLooks bounds the search for the smallest set of sites, in looks at what a site has of a
// SKU: rows are locked meanwhile, and a million take up to 0.1 s. Beyond it the greedy choice stands.
const maxSplitLooks = 500_000

// rankForFewestSplits puts a smallest set of sites that can serve the whole order first: an exact
// search over sets of growing size, in the order of priority, and the greedy cover (at each step
// the site that adds most units) where there are too many sets to try.
func rankForFewestSplits(o Order) []Site {
	var useful []Site
	for _, s := range rankByPriority(o) {
		for sku := range o.Wants {
			if o.Free(s, sku) > 0 {
				useful = append(useful, s)
				break
			}
		}
	}
	budget := maxSplitLooks
	greedy := greedyCover(o, useful)
	if !covers(o, greedy) { // nor does any smaller set
		return greedy
	}
	for size := 1; size < len(greedy); size++ {
		if set := coverOfSize(o, useful, nil, size, &budget); set != nil {
			return set
		}
		if budget <= 0 {
			break
		}
	}
	return greedy
}

// coverOfSize extends chosen by size sites out of those given, so that together they cover the order.
func coverOfSize(o Order, from, chosen []Site, size int, budget *int) []Site {
	if size == 0 {
		*budget -= len(o.Wants) * len(chosen) // at most; what is really looked at depends on the map's order
		if covers(o, chosen) {
			return chosen
		}
		return nil
	}
	for i := 0; i+size <= len(from) && *budget > 0; i++ {
		next := append(chosen[:len(chosen):len(chosen)], from[i])
		if set := coverOfSize(o, from[i+1:], next, size-1, budget); set != nil {
			return set
		}
	}
	return nil
}

func covers(o Order, sites []Site) bool {
	for sku, want := range o.Wants {
		for _, s := range sites {
			if want -= min(o.Free(s, sku), want); want == 0 {
				break
			}
		}
		if want > 0 {
			return false
		}
	}
	return true
}

// greedyCover picks sites until the order is covered or nothing more is to be had.
func greedyCover(o Order, sites []Site) []Site {
	open := map[string]int64{}
	for sku, want := range o.Wants {
		open[sku] = want
	}
	var chosen []Site
	used := map[string]bool{}
	for {
		var best *Site
		var most int64
		for i, s := range sites {
			if used[s.Location] {
				continue
			}
			if gain := gainOf(o, s, open); gain > most {
				best, most = &sites[i], gain
			}
		}
		if best == nil {
			return chosen
		}
		for sku := range open {
			open[sku] -= min(o.Free(*best, sku), open[sku])
		}
		used[best.Location] = true
		chosen = append(chosen, *best)
	}
}

func gainOf(o Order, s Site, open map[string]int64) (gain int64) {
	const most = 1<<63 - 1
	for sku, want := range open {
		gain += min(o.Free(s, sku), want, most-gain)
	}
	return gain
}
