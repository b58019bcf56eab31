package store_test

import (
	"testing"

	"stockyard/service/inventory"
	"stockyard/service/store/storetest"
)

// sendLorries makes transfers of SKU T from LON to NYC: one that is partly there, 2 units of 6, 1 of
// them unfit; one of 3 that was returned; and a draft of 1.
func sendLorries(t *testing.T, db *storetest.DB) {
	t.Helper()
	from := inventory.Place{Region: "europe-west1", Location: "LON"}
	to := inventory.Place{Region: "us-east1", Location: "NYC"}
	serial := byte(0)
	id := func() inventory.ID {
		serial++
		return inventory.NewID(from.Level("T"), [16]byte{7: 9, 8: serial}, true)
	}
	run := func(key string, own inventory.ID, c inventory.Command) {
		t.Helper()
		decide(t, db, key, c, own)
	}
	stocked := id()
	run("stock-t", stocked, &inventory.Movement{ID: stocked, Kind: inventory.KindReceive, Lines: []inventory.MovementLine{{Level: from.Level("T"), Quantity: 10}}})
	for key, units := range map[string]int64{"partly": 6, "back": 3, "draft": 1} {
		lorry := id()
		run(key, lorry, &inventory.CreateTransfer{ID: lorry, From: from, To: to, Reference: key, Lines: []inventory.TransferOrder{{SKU: "T", Quantity: units}}})
		if key == "draft" {
			continue
		}
		step := id()
		run(key+"-ship", step, &inventory.ShipTransfer{ID: step, Reference: lorry})
		step = id()
		if key == "back" {
			run(key+"-close", step, &inventory.CloseTransfer{ID: step, Reference: lorry, Disposition: inventory.DispositionReturned})
			continue
		}
		run(key+"-receive", step, &inventory.ReceiveTransfer{ID: step, Reference: lorry, Lines: []inventory.TransferArrival{{SKU: "T", Quantity: 2, Quarantined: 1}}})
	}
}

// transferCorruptions are corruptions of what sendLorries makes.
func transferCorruptions() []corruption {
	const partly, back, draft = " WHERE quantity = 6", " WHERE quantity = 3", " WHERE quantity = 1"
	line := func(plant, mend, which string) [2]string {
		return [2]string{"UPDATE transfer_lines SET " + plant + which, "UPDATE transfer_lines SET " + mend + which}
	}
	header := func(plant, mend, which string) [2]string {
		return [2]string{
			"UPDATE transfers SET " + plant + " WHERE reference = '" + which + "'",
			"UPDATE transfers SET " + mend + " WHERE reference = '" + which + "'",
		}
	}
	event := func(plant, mend string) [2]string {
		return [2]string{
			"UPDATE stock_events SET " + plant + " WHERE sku = 'T' AND location = 'NYC' AND quarantined_delta > 0",
			"UPDATE stock_events SET " + mend + " WHERE sku = 'T' AND location = 'NYC' AND quarantined_delta > 0",
		}
	}
	var all []corruption
	add := func(sql [2]string, check, key string) { all = append(all, corruption{sql[0], sql[1], check, key}) }
	const level = "UPDATE stock_levels SET incoming = incoming "
	add([2]string{level + "+ 1 WHERE sku = 'T' AND location = 'NYC'", level + "- 1 WHERE sku = 'T' AND location = 'NYC'"}, "incoming", "NYC/T")
	add(header("to_location = 'GONE'", "to_location = 'NYC'", "partly"), "incoming", "NYC/T")
	add(header("to_location = 'GONE'", "to_location = 'NYC'", "partly"), "incoming", "GONE/T")
	for _, status := range []string{"draft", "in_transit", "received", "closed", "cancelled"} {
		add(header("status = '"+status+"'", "status = 'partially_received'", "partly"), "transfers", "*")
	}
	for _, status := range []string{"in_transit", "partially_received", "received"} {
		add(header("status = '"+status+"'", "status = 'closed'", "back"), "transfers", "*")
		add(header("status = '"+status+"'", "status = 'draft'", "draft"), "transfers", "*")
	}
	add(header("region = 'asia-southeast1'", "region = 'europe-west1'", "draft"), "transfers", "*")
	add(line("shipped = 5", "shipped = 6", partly), "transfers", "*")
	add(line("received = 7", "received = 2", partly), "transfers", "*")
	add(line("quarantined = 3", "quarantined = 1", partly), "transfers", "*")
	add(line("returned = -1, lost = 4", "returned = 3, lost = 0", back), "transfers", "*")
	add(line("shipped = 1", "shipped = 0", draft), "transfers", "*")
	add(line("shipped = 1", "shipped = 0", draft), "legs", "* SKU T")
	add(line("returned = 0, lost = 3", "returned = 3, lost = 0", back), "legs", "* SKU T")
	add(line("received = 3", "received = 2", partly), "legs", "* SKU T")
	add(line("quarantined = 2", "quarantined = 1", partly), "legs", "* SKU T")
	add(line("sku = 'U'", "sku = 'T'", partly), "legs", "* SKU U")
	add(event("kind = 'transfer_lose'", "kind = 'transfer_receive'"), "legs", "* SKU T")
	add(event("transfer_id = NULL", "transfer_id = (SELECT id FROM transfers WHERE reference = 'partly')"), "legs", "* SKU T")
	return all
}
