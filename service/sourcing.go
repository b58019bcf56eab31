package service

import (
	"context"
	"slices"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// within is where a reservation's units may come from: the channel's locations, and of those the
// ones that the caller may reserve at.
type within struct {
	channel inventory.Channel
	scope   auth.Scope
}

func (w within) holds(l inventory.Location) bool {
	return l.ArchivedAt == nil && w.scope.Covers(placeOfLocation(l)) &&
		(len(w.channel.Locations) == 0 || slices.Contains(w.channel.Locations, l.Name))
}

// source gives a reservation what it needs to place lines without location: the sites that may
// serve it, and the stock levels to decide on. The stock is first read without locks and the
// strategy run on that glimpse, so that only the levels it picks are locked. Where they turn out to
// be too little, the command comes again with wide, and is decided on all.
func (s *Service) source(ctx context.Context, c *inventory.Reserve, from within, to *Destination, wide bool) error {
	var wants []inventory.Want
	var skus []string
	for i, l := range c.Lines {
		if l.Level == nil {
			wants = append(wants, inventory.Want{Line: i, SKU: l.SKU, Quantity: l.Quantity})
			skus = append(skus, l.SKU)
		}
	}
	if len(wants) == 0 {
		return nil
	}
	slices.Sort(skus)
	locations, err := s.places.locations(ctx)
	if err != nil {
		return err
	}
	levels, _, err := s.store.LevelsOfSKUs(ctx, s.store.Regions(), slices.Compact(skus))
	if err != nil {
		return fromStore(err, false)
	}
	free := map[inventory.LevelKey]int64{}
	serves := map[string]bool{}
	for _, l := range levels {
		place, known := locations[l.Key.Location]
		if !known || !from.holds(place) {
			continue
		}
		free[l.Key] = max(l.Available(), 0) - c.KeepBack
		if !serves[place.Name] {
			serves[place.Name] = true
			c.Sites = append(c.Sites, inventory.Site{Location: place.Name, Region: place.Region, Priority: int(place.Priority), Distance: s.distance(place, to)})
		}
		if wide {
			c.Consider = append(c.Consider, l.Key)
		}
	}
	if wide {
		return nil
	}
	placements, shortages := inventory.Source(c.Strategy, wants, c.Sites, func(site inventory.Site, sku string) int64 {
		return free[inventory.LevelKey{Region: site.Region, SKU: sku, Location: site.Location}]
	}, c.Policy == inventory.Partial)
	c.Glimpsed = true
	for _, p := range placements {
		c.Consider = append(c.Consider, p.Level)
	}
	if len(shortages) > 0 {
		return s.source(ctx, resetSites(c), from, to, true)
	}
	return nil
}

func resetSites(c *inventory.Reserve) *inventory.Reserve {
	c.Sites, c.Consider, c.Glimpsed = nil, nil, false
	return c
}

// distance is from a location to a destination in kilometres. Where one of them names no point on
// the map, that of its region stands for it.
func (s *Service) distance(l inventory.Location, to *Destination) float64 {
	if to == nil {
		return 0
	}
	lat, lon, ok := s.pointOf(to)
	if !ok {
		return 0
	}
	if l.Latitude != nil && l.Longitude != nil {
		return inventory.Kilometres(*l.Latitude, *l.Longitude, lat, lon)
	}
	home, _ := s.options.Topology.Get(l.Region)
	return inventory.Kilometres(home.Latitude, home.Longitude, lat, lon)
}

func (s *Service) pointOf(to *Destination) (lat, lon float64, ok bool) {
	if to.Latitude != nil && to.Longitude != nil {
		return *to.Latitude, *to.Longitude, true
	}
	name := to.Region
	if name == "" {
		name = s.options.Topology.ForCountry(to.Country)
	}
	r, ok := s.options.Topology.Get(name)
	return r.Latitude, r.Longitude, ok
}

// homeOf is where a reservation's idempotency key lives. It follows from the input alone and not
// from where the units were found, so that a repeat finds the key, whatever the stock is by then:
// the region of the first location named, or else that of the destination, or else the primary one.
func (s *Service) homeOf(c *inventory.Reserve, to *Destination) string {
	for _, l := range c.Lines {
		if l.Level != nil {
			return l.Level.Region
		}
	}
	topology := s.options.Topology
	switch {
	case to == nil:
		return topology.Primary
	case to.Region != "":
		return to.Region
	case to.Country != "":
		return topology.ForCountry(to.Country)
	}
	nearest, most := topology.Primary, -1.0
	for _, r := range topology.Regions {
		if km := inventory.Kilometres(r.Latitude, r.Longitude, *to.Latitude, *to.Longitude); most < 0 || km < most {
			nearest, most = r.Name, km
		}
	}
	return nearest
}
