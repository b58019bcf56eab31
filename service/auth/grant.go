package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A grant's text is the same on the command line, in tokens and in REST: a role, and after an @ the
// places that it is bound to, as in `warehouse@region:europe-west1,location:new-york`.
const (
	boundBy     = "@"
	regionMark  = "region"
	placeMark   = "location"
	maxPlaces   = 100
	maxPlaceLen = 64
)

// ParseGrant reads the text of a grant.
func ParseGrant(text string) (Grant, error) {
	role, places, bound := strings.Cut(text, boundBy)
	g := Grant{Role: Role(role)}
	if !slices.Contains(Roles(), g.Role) {
		return Grant{}, fmt.Errorf("%q is no role; the roles are %s", excerpt(role), joined(Roles(), ", "))
	}
	if !bound {
		return g, nil
	}
	list := strings.SplitN(places, ",", maxPlaces+2)
	if len(list) > maxPlaces {
		return Grant{}, fmt.Errorf("names more than %d places", maxPlaces)
	}
	for _, place := range list {
		if err := g.bind(place); err != nil {
			return Grant{}, err
		}
	}
	return g, nil
}

func (g *Grant) bind(place string) error {
	mark, name, _ := strings.Cut(place, ":")
	names := map[string]*[]string{regionMark: &g.Regions, placeMark: &g.Locations}[mark]
	switch {
	case place == "":
		return errors.New("lacks a place: want region:NAME or location:NAME after the @ and after each comma")
	case names == nil:
		return fmt.Errorf("%q is no place; want region:NAME or location:NAME", excerpt(place))
	case !isPlaceName(name):
		return fmt.Errorf("%q is no name of a %s; want 1 to %d letters, digits, '.', '_' or '-'", excerpt(name), mark, maxPlaceLen)
	case slices.Contains(*names, name):
		return fmt.Errorf("names %s twice", place)
	}
	*names = append(*names, name)
	return nil
}

// isPlaceName knows names of regions and locations. What separates the parts of a grant, or one
// grant from the next, is in none of them.
func isPlaceName(name string) bool {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-", r)
	}
	return name != "" && len(name) <= maxPlaceLen && !strings.ContainsFunc(name, odd)
}

// String is the grant's text: regions first, then locations, each in the order they were given.
func (g Grant) String() string {
	if !g.Bound() {
		return string(g.Role)
	}
	places := make([]string, 0, len(g.Regions)+len(g.Locations))
	for _, name := range g.Regions {
		places = append(places, regionMark+":"+name)
	}
	for _, name := range g.Locations {
		places = append(places, placeMark+":"+name)
	}
	return string(g.Role) + boundBy + strings.Join(places, ",")
}

// MarshalText makes a grant its text in JSON, too.
func (g Grant) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (g *Grant) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGrant(string(text))
	return err
}

// excerpt keeps what a caller sent from filling an error.
func excerpt(s string) string {
	const most = 40
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return s
}

func joined[T ~string](list []T, by string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(by)
		}
		b.WriteString(string(s))
	}
	return b.String()
}
