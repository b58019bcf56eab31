package inventory

import (
	"errors"
	"fmt"
	"time"
)

// Movement is a command that changes stock levels outside of reservations.
type Movement struct {
	ID    ID
	Kind  Kind
	Lines []MovementLine
	Meta  Meta
}

// MovementLine is one line of a movement.
type MovementLine struct {
	Level          LevelKey
	Quantity       int64
	IfVersion      *int64 // refuse unless the level is at this version
	AsOfVersion    *int64 // count: the version that was current when the units were counted
	AllowShortfall bool   // sell: what isn't available becomes shortfall
	To             Bucket // return: where to, by default available
	From           Bucket // scrap: where from, by default available
	UnitCost       *Money
}

// Bucket is a part of on hand.
type Bucket string

// The buckets a movement may name.
const (
	Available   Bucket = "available"
	Quarantined Bucket = "quarantined"
)

func (b Bucket) check(field string) []FieldError {
	if b == "" {
		return nil
	}
	return oneOf(field, b, Available, Quarantined)
}

// MovementAnswer is a movement as callers see it.
type MovementAnswer struct {
	ID          ID                   `json:"id"`
	Kind        Kind                 `json:"kind"`
	Region      string               `json:"region"`
	Reason      string               `json:"reason,omitempty"`
	Reference   string               `json:"reference,omitempty"`
	Channel     string               `json:"channel,omitempty"`
	RecordedAt  time.Time            `json:"recorded_at"`
	EffectiveAt time.Time            `json:"effective_at"`
	Lines       []MovementLineAnswer `json:"lines"`
	Warnings    []string             `json:"warnings,omitempty"`
}

// MovementLineAnswer is a line's deltas and the level after it.
type MovementLineAnswer struct {
	Location string      `json:"location"`
	SKU      string      `json:"sku"`
	Deltas   Balances    `json:"deltas"`
	Level    LevelAnswer `json:"level"`
}

// LevelAnswer is a stock level as callers see it.
type LevelAnswer struct {
	Location string `json:"location"`
	SKU      string `json:"sku"`
	Region   string `json:"region"`
	Balances
	Available int64      `json:"available"`
	Version   int64      `json:"version"`
	UpdatedAt *time.Time `json:"updated_at"` // null for a level that never had an event
}

// DescribeLevel is a stock level as callers see it.
func DescribeLevel(l Level) LevelAnswer {
	a := LevelAnswer{
		Location: l.Key.Location, SKU: l.Key.SKU, Region: l.Key.Region,
		Balances: l.Balances, Available: l.Available(), Version: l.Version,
	}
	if l.Version > 0 {
		a.UpdatedAt = &l.UpdatedAt
	}
	return a
}

// movementKind is what one kind of movement does.
type movementKind struct {
	kind Kind
	// check finds what is wrong with a line whatever the stock is; field is relative to the line.
	check func(MovementLine) []FieldError
	// decide gives the line's deltas on the level as the lines before left it, or refuses.
	decide func(*Draft, *Movement, int) (Balances, error)
	// needsReason asks for a reason.
	needsReason bool
	// once forbids the same level twice in a movement.
	once bool
}

// movementKinds is the list of movements: one file and one line each.
var movementKinds = []movementKind{
	receive, sell, returnKind, adjust, count, quarantine, restore, scrap,
}

// MovementKinds lists the names.
func MovementKinds() []Kind {
	names := make([]Kind, len(movementKinds))
	for i, k := range movementKinds {
		names[i] = k.kind
	}
	return names
}

func (m *Movement) rule() (movementKind, bool) {
	for _, k := range movementKinds {
		if k.kind == m.Kind {
			return k, true
		}
	}
	return movementKind{}, false
}

// Check names every field that is wrong whatever the stock is.
func (m *Movement) Check() []FieldError {
	rule, known := m.rule()
	if !known {
		return []FieldError{{Field: "kind", Message: fmt.Sprintf("is not one of %v", MovementKinds())}}
	}
	var wrong []FieldError
	if rule.needsReason && m.Meta.Reason == "" {
		wrong = append(wrong, FieldError{Field: "reason", Message: fmt.Sprintf("is required for %s", m.Kind)})
	}
	seen := map[LevelKey]bool{}
	for i, l := range m.Lines {
		at := fmt.Sprintf("lines[%d].", i)
		for _, f := range append(rule.check(l), l.CheckOptions(m.Kind)...) {
			wrong = append(wrong, FieldError{Field: at + f.Field, Message: f.Message})
		}
		if rule.once && seen[l.Level] {
			wrong = append(wrong, FieldError{Field: at + "sku", Message: fmt.Sprintf("is there twice for this location; a %s names each level once", m.Kind)})
		}
		seen[l.Level] = true
	}
	return wrong
}

// CheckOptions refuses options that another kind of movement would have listened to: silently
// ignored, they would do something else than the caller believes.
func (l MovementLine) CheckOptions(kind Kind) (wrong []FieldError) {
	only := func(given bool, field string, kinds ...Kind) {
		for _, k := range kinds {
			given = given && k != kind
		}
		if given {
			wrong = append(wrong, FieldError{Field: field, Message: fmt.Sprintf("means nothing for %s", kind)})
		}
	}
	only(l.AllowShortfall, "allow_shortfall", KindSell)
	only(l.AsOfVersion != nil, "as_of_version", KindCount)
	only(l.To != "", "to", KindReturn)
	only(l.From != "", "from", KindScrap)
	only(l.UnitCost != nil, "unit_cost", KindReceive, KindReturn, KindAdjust)
	if l.AsOfVersion != nil && *l.AsOfVersion < 0 {
		wrong = append(wrong, FieldError{Field: "as_of_version", Message: "must be at least 0"})
	}
	wrong = append(wrong, l.To.check("to")...)
	return append(wrong, l.From.check("from")...)
}

// Needs implements Command.
func (m *Movement) Needs() Needs {
	var n Needs
	for _, l := range m.Lines {
		n.Levels = append(n.Levels, l.Level)
		if l.AsOfVersion != nil {
			n.Watermarks = append(n.Watermarks, Watermark{l.Level, *l.AsOfVersion})
		}
	}
	return n
}

// Decide implements Command.
func (m *Movement) Decide(d *Draft) (Answer, error) {
	rule, known := m.rule()
	if !known {
		return Answer{}, &Refusal{Kind: Invalid, Detail: "unknown kind of movement", Fields: m.Check()}
	}
	for i, l := range m.Lines {
		level, err := d.Level(l.Level)
		if err != nil {
			return Answer{}, err
		}
		if l.IfVersion != nil {
			if err := checkVersion(level, *l.IfVersion, i); err != nil {
				return Answer{}, err
			}
		}
	}
	answer := &MovementAnswer{
		ID: m.ID, Kind: m.Kind, Region: m.ID.Region, Reason: m.Meta.Reason, Reference: m.Meta.Reference,
		Channel: m.Meta.Channel, RecordedAt: d.recordedAt(), EffectiveAt: m.Meta.EffectiveAt,
		Lines: make([]MovementLineAnswer, len(m.Lines)),
	}
	if answer.EffectiveAt.IsZero() {
		answer.EffectiveAt = answer.RecordedAt
	}
	if err := m.post(d, rule, answer); err != nil {
		return Answer{}, err
	}
	return Answer{Movement: answer}, nil
}

// post decides every line, so that a refusal names all that fall short, not just the first.
func (m *Movement) post(d *Draft, rule movementKind, answer *MovementAnswer) error {
	var shortages []Shortage
	for i, l := range m.Lines {
		deltas, err := rule.decide(d, m, i)
		var falls *shortOf
		if errors.As(err, &falls) {
			shortages = append(shortages, Shortage(*falls))
			continue
		}
		if err != nil {
			return err
		}
		level, err := d.post(l.Level, deltas, cause{kind: m.Kind, command: m.ID, unitCost: l.UnitCost, meta: m.Meta})
		if err != nil {
			return nameLine(err, i)
		}
		answer.Lines[i] = MovementLineAnswer{Location: l.Level.Location, SKU: l.Level.SKU, Deltas: deltas, Level: DescribeLevel(level)}
		short := deltas.Shortfall
		if m.Kind == KindCount {
			short = level.Shortfall // also what was short before and still is
		}
		if short > 0 {
			answer.Warnings = append(answer.Warnings, fmt.Sprintf(
				"line %d: %d units of SKU %q at location %q are short: they left, or were not found, although they are promised or not on the books",
				i+1, short, l.Level.SKU, l.Level.Location))
		}
	}
	if len(shortages) > 0 {
		return insufficient(shortages)
	}
	return nil
}

func nameLine(err error, line int) error {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	for i := range refusal.Fields {
		refusal.Fields[i].Field = fmt.Sprintf("lines[%d].%s", line, refusal.Fields[i].Field)
	}
	return refusal
}

func checkVersion(level Level, want int64, line int) error {
	if level.Version == want {
		return nil
	}
	return &Refusal{
		Kind: VersionMismatch, Expected: want, Current: level.Version,
		Detail: fmt.Sprintf("line %d: SKU %q at location %q is at version %d, not %d", line+1, level.Key.SKU, level.Key.Location, level.Version, want),
	}
}

// shortOf is how a kind says that a line falls short; the movement collects them.
type shortOf Shortage

func (s *shortOf) Error() string { return "insufficient stock" }

func (m *Movement) short(line int, available int64) error {
	l := m.Lines[line]
	quantity := l.Quantity
	if quantity < 0 {
		quantity = -quantity
	}
	return &shortOf{Line: line + 1, SKU: l.Level.SKU, Location: l.Level.Location, Requested: quantity, Available: max(available, 0)}
}

func positive(l MovementLine) []FieldError {
	if l.Quantity <= 0 {
		return []FieldError{{Field: "quantity", Message: "must be at least 1"}}
	}
	return nil
}
