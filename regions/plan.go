package regions

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Locality is where a table's rows are.
type Locality string

// The localities. Elsewhere is any that Stockyard doesn't ask for.
const (
	ByRow     Locality = "by row"
	Global    Locality = "global"
	Elsewhere Locality = "elsewhere"
)

// State is what a database has of a topology.
type State struct {
	// Partitionable: it is a database that can have regions at all.
	Partitionable bool
	// Primary is "" where it has none.
	Primary string
	Survive Goal
	// Regions are its own; of one without a primary region those that its rows may name.
	Regions []string
	// Cluster are the regions of the nodes that live.
	Cluster []string
	// StandIn: its tables were made without regions.
	StandIn bool
	Tables  map[string]Locality
	// Rows are what names a region that Regions has and the topology hasn't.
	Rows []Rows
}

// Rows is how many rows of a table name a region in a column.
type Rows struct {
	Region, Table, Column string
	Count                 int64
}

// StepKind is a kind of change to a database.
type StepKind int

// The kinds of steps, in the order in which they are done.
const (
	// AddRegion lets rows live in a region.
	AddRegion StepKind = iota
	// SetPrimary makes a region the primary one; the first is added by that.
	SetPrimary
	// SetGoal sets what the database survives.
	SetGoal
	// SetLocality moves a table's rows to where they belong.
	SetLocality
	// DropRegion takes a region away in which no row lives.
	DropRegion
)

// Step is one change to a database.
type Step struct {
	Kind     StepKind
	Region   string
	Goal     Goal
	Table    string
	Locality Locality
}

// Plan is what brings a database to a topology: steps, in order, or the reasons why that can't be.
// With a refusal there are no steps.
type Plan struct {
	Steps    []Step
	Refusals []Refusal
}

// Decide compares what a database has with what it should have. Where it goes on unpartitioned
// nothing changes, and all there is to make sure is that no row is left in a region that is gone.
func Decide(have State, want *Topology, unpartitioned bool) Plan {
	refusals := leftBehind(have, want)
	if !have.Partitionable || unpartitioned {
		return Plan{Refusals: refusals}
	}
	if have.StandIn {
		refusals = append(refusals, Refusal{Kind: MadeWithoutRegions})
	}
	refusals = append(refusals, unmanned(have, want)...)
	if len(refusals) > 0 {
		return Plan{Refusals: refusals}
	}
	return Plan{Steps: steps(have, want)}
}

// leftBehind names each region that the topology has no more and in which rows live.
func leftBehind(have State, want *Topology) (refusals []Refusal) {
	byRegion := map[string][]Rows{}
	for _, r := range have.Rows {
		if r.Count > 0 && !want.Has(r.Region) {
			byRegion[r.Region] = append(byRegion[r.Region], r)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(byRegion)) {
		refusals = append(refusals, Refusal{Kind: RowsLiveThere, Region: region, Rows: byRegion[region]})
	}
	return refusals
}

// unmanned names each region to be added in which no node lives.
func unmanned(have State, want *Topology) (refusals []Refusal) {
	for _, name := range want.Names() {
		if has := have.Primary != "" && slices.Contains(have.Regions, name); !has && !slices.Contains(have.Cluster, name) {
			refusals = append(refusals, Refusal{Kind: NoNodeThere, Region: name, Cluster: have.Cluster})
		}
	}
	return refusals
}

func steps(have State, want *Topology) (steps []Step) {
	regions, goal := have.Regions, have.Survive
	if have.Primary == "" {
		regions, goal = nil, SurviveZone
	}
	for _, name := range want.Names() {
		if !slices.Contains(regions, name) && (name != want.Primary || have.Primary != "") {
			steps = append(steps, Step{Kind: AddRegion, Region: name})
		}
	}
	if have.Primary != want.Primary {
		primary := Step{Kind: SetPrimary, Region: want.Primary}
		if have.Primary == "" {
			steps = slices.Insert(steps, 0, primary) // there is nothing to add to before
		} else {
			steps = append(steps, primary)
		}
	}
	if goal != want.Survive {
		steps = append(steps, Step{Kind: SetGoal, Goal: want.Survive})
	}
	steps = append(steps, relocations(have, want)...)
	for _, name := range regions {
		if !want.Has(name) {
			steps = append(steps, Step{Kind: DropRegion, Region: name})
		}
	}
	return steps
}

// relocations are for the tables that there are, small ones first: a failure comes early.
func relocations(have State, want *Topology) (steps []Step) {
	place := func(tables []string, there Locality) {
		for _, table := range tables {
			if is, exists := have.Tables[table]; exists && is != there {
				steps = append(steps, Step{Kind: SetLocality, Table: table, Locality: there})
			}
		}
	}
	place(want.Tables.Global, Global)
	place(want.Tables.ByRow, ByRow)
	return steps
}

// RefusalKind is why a database can't be brought to a topology.
type RefusalKind int

// The kinds of refusals.
const (
	// RowsLiveThere: a region would go in which rows live.
	RowsLiveThere RefusalKind = iota
	// NoNodeThere: a region would be added in which no node says that it is.
	NoNodeThere
	// MadeWithoutRegions: the tables were made on a database that had no regions.
	MadeWithoutRegions
)

// Refusal is one reason why a database can't be brought to a topology.
type Refusal struct {
	Kind    RefusalKind
	Region  string
	Cluster []string
	Rows    []Rows
}

// String says what is wrong and what to do about it.
func (r Refusal) String() string {
	switch r.Kind {
	case RowsLiveThere:
		counts := make([]string, len(r.Rows))
		for i, rows := range r.Rows {
			counts[i] = fmt.Sprintf("%d in %s (%s)", rows.Count, rows.Table, rows.Column)
		}
		return fmt.Sprintf("region %s is not in the topology, and rows name it: %s. The ledger stays where it was written: keep the region in topology.yaml, and close its locations instead",
			r.Region, strings.Join(counts, ", "))
	case NoNodeThere:
		return fmt.Sprintf("region %s has no node: start nodes with --locality=region=%s,zone=...; the nodes that live are in %s. Without regions: --unpartitioned",
			r.Region, r.Region, cmp.Or(strings.Join(r.Cluster, ", "), "no region"))
	default:
		return "the database's tables were made without regions, and CockroachDB can't give them any in place. Go on without: --unpartitioned. " +
			"Or make an empty database, migrate it, and copy the rows over (README, Regions; sql/copy.sql)"
	}
}
