package service_test

import (
	"slices"
	"strings"
	"testing"

	"stockyard/service/auth"
	"stockyard/service/inventory"
)

// A kind of movement without a rule would be nobody's, and a rule of none is a slip.
func TestEveryKindOfMovementHasARule(t *testing.T) {
	kinds := inventory.MovementKinds()
	for _, kind := range kinds {
		if rule, known := auth.RuleOf(auth.MoveKind(string(kind))); !known || rule.Reach != auth.Placed {
			t.Errorf("%s has the rule %+v", kind, rule)
		}
	}
	for _, op := range auth.Operations() {
		kind, of := strings.CutPrefix(string(op), string(auth.Move)+":")
		if of && op != auth.MoveShort && !slices.Contains(kinds, inventory.Kind(kind)) {
			t.Errorf("%s is the rule of no kind of movement", op)
		}
	}
}
