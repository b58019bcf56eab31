package auth_test

import (
	"slices"
	"strings"
	"testing"

	"stockyard/service/auth"
)

// matrix is who may do what, said once more than in the table of rules and in another way, so that
// nobody changes it by accident. A cell has an answer for each of four grants of the role, as to the
// place LON in europe: everywhere; in europe; at LON; in asia. y: may. o: may elsewhere, but not
// there. -: may nowhere.
const matrix = `
                  viewer pos  warehouse planner integrator admin
put_product       ----   ---- ----      y---    y---       y---
get_product       yyyy   yyyy yyyy      yyyy    yyyy       yyyy
patch_product     ----   ---- ----      y---    y---       y---
archive_product   ----   ---- ----      y---    y---       y---
list_products     yyyy   yyyy yyyy      yyyy    yyyy       yyyy
import_products   ----   ---- ----      y---    y---       y---
put_location      ----   ---- ----      ----    yyyo       yyyo
get_location      yyyy   yyyy yyyy      yyyy    yyyy       yyyy
patch_location    ----   ---- ----      ----    yyyo       yyyo
archive_location  ----   ---- ----      ----    yyyo       yyyo
list_locations    yyyy   yyyy yyyy      yyyy    yyyy       yyyy
put_channel       ----   ---- ----      y---    y---       y---
get_channel       yyyy   yyyy yyyy      yyyy    yyyy       yyyy
patch_channel     ----   ---- ----      y---    y---       y---
archive_channel   ----   ---- ----      y---    y---       y---
list_channels     yyyy   yyyy yyyy      yyyy    yyyy       yyyy
put_threshold     ----   ---- ----      y---    y---       y---
get_threshold     yyyy   yyyy yyyy      yyyy    yyyy       yyyy
patch_threshold   ----   ---- ----      y---    y---       y---
archive_threshold ----   ---- ----      y---    y---       y---
list_thresholds   yyyy   yyyy yyyy      yyyy    yyyy       yyyy
list_regions      yyyy   yyyy yyyy      yyyy    yyyy       yyyy
get_level         yyyo   yyyo yyyo      yyyo    yyyo       yyyo
list_events       yyyo   yyyo yyyo      yyyo    yyyo       yyyo
list_levels       yyyo   yyyo yyyo      yyyo    yyyo       yyyo
get_availability  yyyo   yyyo yyyo      yyyo    yyyo       yyyo
watch             yyyo   yyyo yyyo      yyyo    yyyo       yyyo
move              ----   yyyo yyyo      ----    yyyo       yyyo
move_batch        ----   yyyo yyyo      ----    yyyo       yyyo
move:receive      ----   ---- yyyo      ----    yyyo       yyyo
move:sell         ----   yyyo ----      ----    yyyo       yyyo
move:sell_short   ----   yyyo ----      ----    ----       yyyo
move:return       ----   yyyo yyyo      ----    yyyo       yyyo
move:adjust       ----   ---- yyyo      ----    yyyo       yyyo
move:count        ----   ---- yyyo      ----    yyyo       yyyo
move:quarantine   ----   ---- yyyo      ----    yyyo       yyyo
move:restore      ----   ---- yyyo      ----    yyyo       yyyo
move:scrap        ----   ---- yyyo      ----    yyyo       yyyo
reserve           ----   yyyo ----      ----    yyyo       yyyo
reserve_batch     ----   yyyo ----      ----    yyyo       yyyo
confirm           ----   yyyo ----      ----    yyyo       yyyo
extend            ----   yyyo ----      ----    yyyo       yyyo
release           ----   yyyo ----      ----    yyyo       yyyo
fulfil            ----   yyyo yyyo      ----    yyyo       yyyo
get_reservation   yyyo   yyyo yyyo      yyyo    yyyo       yyyo
list_reservations yyyo   yyyo yyyo      yyyo    yyyo       yyyo
create_transfer   ----   ---- yyyo      yyyo    yyyo       yyyo
ship_transfer     ----   ---- yyyo      ----    yyyo       yyyo
receive_transfer  ----   ---- yyyo      ----    yyyo       yyyo
close_transfer    ----   ---- yyyo      yyyo    yyyo       yyyo
cancel_transfer   ----   ---- yyyo      yyyo    yyyo       yyyo
get_transfer      yyyo   yyyo yyyo      yyyo    yyyo       yyyo
list_transfers    yyyo   yyyo yyyo      yyyo    yyyo       yyyo
put_webhook       ----   ---- ----      ----    y---       y---
get_webhook       ----   ---- ----      ----    y---       y---
delete_webhook    ----   ---- ----      ----    y---       y---
list_webhooks     ----   ---- ----      ----    y---       y---
list_deliveries   ----   ---- ----      ----    y---       y---
redeliver         ----   ---- ----      ----    y---       y---
verify            ----   ---- ----      ----    y---       y---
list_reports      yyyy   ---- ----      yyyy    ----       yyyy
run_report        y---   ---- ----      y---    ----       y---
create_key        ----   ---- ----      ----    ----       y---
get_key           ----   ---- ----      ----    ----       y---
list_keys         ----   ---- ----      ----    ----       y---
revoke_key        ----   ---- ----      ----    ----       y---
list_audit_log    ----   ---- ----      ----    ----       y---
list_seals        ----   ---- ----      ----    ----       y---
`

const europe, asia = "europe-west1", "asia-southeast1"

var london = auth.Place{Region: europe, Location: "LON"}

func grantsOf(role auth.Role) []auth.Grant {
	return []auth.Grant{
		{Role: role}, {Role: role, Regions: []string{europe}}, {Role: role, Locations: []string{"LON"}}, {Role: role, Regions: []string{asia}},
	}
}

// written reads the matrix.
func written(t *testing.T) map[auth.Operation]map[auth.Role]string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	var roles []auth.Role
	for _, name := range strings.Fields(lines[0]) {
		roles = append(roles, auth.Role(name))
	}
	if !slices.Equal(roles, auth.Roles()) {
		t.Fatalf("the matrix is about %v; the roles are %v", roles, auth.Roles())
	}
	all := map[auth.Operation]map[auth.Role]string{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		op := auth.Operation(cells[0])
		if len(cells) != 1+len(roles) || all[op] != nil {
			t.Fatalf("the matrix has the line %q", line)
		}
		all[op] = map[auth.Role]string{}
		for i, cell := range cells[1:] {
			all[op][roles[i]] = cell
		}
	}
	return all
}

func TestTheTableOfRulesIsTheMatrix(t *testing.T) {
	want := written(t)
	for _, op := range auth.Operations() {
		if want[op] == nil {
			t.Errorf("%s is not in the matrix", op)
		}
	}
	for op, roles := range want {
		for role, cell := range roles {
			got := ""
			for _, g := range grantsOf(role) {
				got += answer(t, auth.Principal{Grants: []auth.Grant{g}}, op)
			}
			if got != cell {
				t.Errorf("%s as %s: %s, want %s", op, role, got, cell)
			}
		}
	}
}

// answer asks all there is to ask; the answers must not contradict each other.
func answer(t *testing.T, p auth.Principal, op auth.Operation) string {
	t.Helper()
	may, there, scope := p.May(op), p.MayAt(op, london), p.Scope(op)
	if scope.Covers(london) != there || there && !may {
		t.Errorf("%s with %v: may %v, there %v, scope %+v", op, p.Grants, may, there, scope)
	}
	switch {
	case there:
		return "y"
	case may:
		return "o"
	}
	return "-"
}

// Grants add up, but a role is never taken from one and a place from another.
func TestGrantsDontMix(t *testing.T) {
	for op, roles := range written(t) {
		for role, cell := range roles {
			p := auth.Principal{Grants: []auth.Grant{{Role: auth.Viewer}, {Role: role, Regions: []string{asia}}}}
			want := cell[3:]
			if viewer := roles[auth.Viewer][:1]; viewer == "y" {
				want = viewer
			}
			if got := answer(t, p, op); got != want {
				t.Errorf("%s as a viewer everywhere and a %s elsewhere: %s, want %s", op, role, got, want)
			}
		}
	}
}

func TestWhoHasNoGrantMayDoNothing(t *testing.T) {
	for _, p := range []auth.Principal{{}, {Kind: auth.KindKey, ID: "x", Grants: []auth.Grant{{}, {Role: "king"}, {Role: "ADMIN"}}}} {
		for _, op := range auth.Operations() {
			if got := answer(t, p, op); got != "-" {
				t.Errorf("%s with %v: %s", op, p.Grants, got)
			}
		}
	}
}

func TestAnUnknownOperationIsNobodys(t *testing.T) {
	for _, role := range auth.Roles() {
		for _, op := range []auth.Operation{"", "mov", "move:", auth.MoveKind("give"), "Move"} {
			if got := answer(t, auth.Principal{Grants: grantsOf(role)}, op); got != "-" {
				t.Errorf("%q as %s: %s", op, role, got)
			}
		}
	}
}
