// Package auth says who asks and what they may do. It knows roles, places and operations, and
// nothing of stock or databases.
package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody is to the system. Admin may do everything within the reach of its grant.
type Role string

// The roles.
const (
	Viewer     Role = "viewer"     // reads
	POS        Role = "pos"        // sells, reserves, takes back, also without the books having it
	Warehouse  Role = "warehouse"  // moves goods: receives, counts, ships, puts right
	Planner    Role = "planner"    // keeps products, channels and transfers
	Integrator Role = "integrator" // a connected system: catalogue and all commands
	Admin      Role = "admin"      // everything, and alone credentials and the audit log
)

// Roles lists the roles.
func Roles() []Role { return []Role{Viewer, POS, Warehouse, Planner, Integrator, Admin} }

// Grant gives a role: everywhere, or where it is bound to regions and locations, at those alone.
type Grant struct {
	Role      Role     `json:"role"`
	Regions   []string `json:"regions,omitempty"`
	Locations []string `json:"locations,omitempty"`
}

// Bound says that the grant holds at some places only.
func (g Grant) Bound() bool { return len(g.Regions)+len(g.Locations) > 0 }

// Covers says whether the grant holds at a place.
func (g Grant) Covers(at Place) bool {
	return !g.Bound() || slices.Contains(g.Regions, at.Region) || slices.Contains(g.Locations, at.Location)
}

// Place is a location and the region it lies in.
type Place struct{ Region, Location string }

// Kind says how a principal proved who it is.
type Kind string

// The kinds of principals.
const (
	KindKey       Kind = "key"       // an API key
	KindToken     Kind = "token"     // a JWT of the OIDC issuer
	KindAnonymous Kind = "anonymous" // anybody, in `stockyard dev`
	KindSystem    Kind = "system"    // Stockyard's own workers and commands
)

// Principal is who asks. The zero principal may do nothing.
type Principal struct {
	Kind   Kind
	ID     string // of the key, or issuer and subject; what limits and audit go by
	Name   string // for people
	Grants []Grant
}

// Actor is how a principal is written into events and the audit log.
func (p Principal) Actor() string {
	if p.Kind == KindAnonymous {
		return string(KindAnonymous)
	}
	if p.Kind == KindSystem {
		return p.Name
	}
	return string(p.Kind) + ":" + p.ID
}

// System is a principal of Stockyard's own.
func System(name string) Principal {
	return Principal{Kind: KindSystem, ID: name, Name: name, Grants: []Grant{{Role: Admin}}}
}

// Nobody is whom a pod without credentials takes everybody for: anonymous, and allowed everything.
var Nobody = Principal{Kind: KindAnonymous, ID: "anonymous", Name: "anonymous", Grants: []Grant{{Role: Admin}}}

// May says whether a principal may try an operation at all. Where its rule is placed, MayAt must
// be asked for each place as well.
func (p Principal) May(op Operation) bool {
	rule, known := rules[op]
	return known && slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return rule.takes(g.Role) && (rule.Reach != Everywhere || !g.Bound())
	})
}

// MayAt says whether a principal may do an operation at a place.
func (p Principal) MayAt(op Operation, at Place) bool {
	rule, known := rules[op]
	return known && slices.ContainsFunc(p.Grants, func(g Grant) bool {
		return rule.takes(g.Role) && rule.counts(g, at)
	})
}

// Scope gives the places at which a principal may do an operation, for those that choose places
// themselves: lists, and reservations without a location.
func (p Principal) Scope(op Operation) Scope {
	var s Scope
	rule, known := rules[op]
	if !known {
		return s
	}
	for _, g := range p.Grants {
		switch {
		case !rule.takes(g.Role), rule.Reach == Everywhere && g.Bound():
		case !g.Bound(), rule.Reach == Anywhere:
			return Scope{All: true}
		default:
			s.Regions = append(s.Regions, g.Regions...)
			s.Locations = append(s.Locations, g.Locations...)
		}
	}
	return s
}

// Scope is a set of places.
type Scope struct {
	All                bool
	Regions, Locations []string
}

// Covers says whether a place is among them.
func (s Scope) Covers(at Place) bool {
	return s.All || slices.Contains(s.Regions, at.Region) || slices.Contains(s.Locations, at.Location)
}

// Denied is the refusal of an operation to a known principal.
type Denied struct {
	Operation Operation
	Roles     []Role // those that would do
	At        *Place // nil: nowhere
}

func (d *Denied) Error() string {
	names := make([]string, len(d.Roles))
	for i, r := range d.Roles {
		names[i] = string(r)
	}
	where := "without being bound to a region or location"
	switch {
	case d.At != nil && d.At.Location != "":
		where = fmt.Sprintf("at location %q", d.At.Location)
	case d.At != nil:
		where = fmt.Sprintf("in region %q", d.At.Region)
	case rules[d.Operation].Reach != Everywhere:
		where = "somewhere"
	}
	return fmt.Sprintf("%s takes one of the roles %s, %s", d.Operation, strings.Join(names, ", "), where)
}

// Deny makes the refusal of an operation; at is nil where no place matters.
func Deny(op Operation, at *Place) *Denied {
	rule := rules[op]
	return &Denied{Operation: op, Roles: append(slices.Clone(rule.Roles), Admin), At: at}
}
