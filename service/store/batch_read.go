package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"stockyard/service/inventory"
)

var selectNow = define("now", `SELECT now()`)

// Rows are read in key order with FOR UPDATE. On CockroachDB that only saves retries; it is the
// isolation level that makes decisions right.
var selectLevels = defineKeyed("levels", `
SELECT `+levelToDecide+`
  FROM stock_levels AS l
 WHERE (l.region, l.sku, l.location) IN $KEYS
 ORDER BY l.region, l.sku, l.location
   FOR UPDATE`, "::crdb_internal_region", "", "")

// PostgreSQL sets up each member of an IN list as a scan of its own. For more than fewLevels a join
// costs it less.
var selectManyLevels = defineOn(postgresql, "many_levels", `
SELECT `+levelToDecide+`
  FROM unnest($1, $2, $3) AS k(region, sku, location)
  JOIN stock_levels AS l ON l.region = k.region::crdb_internal_region AND l.sku = k.sku AND l.location = k.location
 ORDER BY l.region, l.sku, l.location
   FOR UPDATE OF l`, texts, texts, texts)

const (
	levelToDecide = `l.region::text, l.sku, l.location,
       l.on_hand, l.held, l.allocated, l.quarantined, l.incoming, l.shortfall,
       l.version, l.updated_at, l.closed, l.head`
	fewLevels = 8
)

var selectReservations = defineKeyed("reservations", `
SELECT r.region::text, r.id::text, r.status, coalesce(r.order_reference, ''), coalesce(r.channel, ''),
       r.expires_at, r.version, r.created_at, r.updated_at
  FROM reservations AS r
 WHERE (r.region, r.id) IN $KEYS
 ORDER BY r.region, r.id
   FOR UPDATE`, "::crdb_internal_region", "::uuid")

// Lines are not locked: whoever changes one holds the lock of its stock level or its reservation.
var selectLines = define("reservation_lines", `
SELECT r.region::text, r.reservation_id::text, r.line, r.home::text, r.location, r.sku,
       r.quantity, r.held, r.allocated, r.fulfilled, r.released, r.expired, r.expires_at
  FROM unnest($1, $2) AS k(region, id)
  JOIN reservation_lines AS r ON r.region = k.region::crdb_internal_region AND r.reservation_id = k.id::uuid`,
	texts, texts)

var selectWatermarks = define("watermarks", `
SELECT k.region, k.sku, k.location, k.version,
       coalesce(e.on_hand, 0), coalesce(e.held, 0), coalesce(e.allocated, 0),
       coalesce(e.quarantined, 0), coalesce(e.incoming, 0), coalesce(e.shortfall, 0),
       least(greatest(coalesce(sum(c.on_hand_delta - c.shortfall_delta), 0), -9223372036854775807), 9223372036854775807)::bigint
  FROM unnest($1, $2, $3, $4) AS k(region, sku, location, version)
  LEFT JOIN stock_events AS e ON e.region = k.region::crdb_internal_region
   AND e.sku = k.sku AND e.location = k.location AND e.version = k.version
  LEFT JOIN stock_events AS c ON c.region = k.region::crdb_internal_region
   AND c.sku = k.sku AND c.location = k.location AND c.version > k.version AND c.kind = 'count'
 WHERE k.version = 0 OR e.version IS NOT NULL
 GROUP BY k.region, k.sku, k.location, k.version, e.on_hand, e.held, e.allocated, e.quarantined, e.incoming, e.shortfall`,
	texts, texts, texts, ints)

var selectLapsed = define("lapsed_lines", `
SELECT r.region::text, r.reservation_id::text, r.line, r.home::text, r.location, r.sku,
       r.quantity, r.held, r.allocated, r.fulfilled, r.released, r.expired, r.expires_at
  FROM reservation_lines AS r
 WHERE r.region = $1::crdb_internal_region AND r.sku = $2 AND r.location = $3
   AND r.held > 0 AND r.expires_at <= $4
 ORDER BY r.expires_at
 LIMIT $5`, text, text, text, moment, bigint)

// BatchNeeds are the rows a batch of commands must see.
type BatchNeeds struct {
	inventory.Needs
	// Keys are looked up too where a command may have been written before.
	Keys []CommandKey
	// Leases are those that workers' commands were begun under.
	Leases []Lease
}

// BatchRows are what a batch is decided on.
type BatchRows struct {
	State *inventory.State
	// Levels are the stock levels that were looked for, whether or not they have a row.
	Levels   []inventory.LevelKey
	Recorded map[CommandKey]Recorded
	// Held are the leases that still stand. The read makes the transaction conflict with whoever
	// takes one over meanwhile.
	Held map[Lease]bool
}

// ReadBatch reads what a batch needs, in one round trip that also begins the transaction; where
// reservations or transfers are among it, in one more, because only their lines say which stock
// levels to lock.
func (tx *Tx) ReadBatch(ctx context.Context, n BatchNeeds) (BatchRows, error) {
	var now time.Time
	tx.queue(selectNow, func(r pgx.Rows) error { return r.Scan(&now) })
	rows := BatchRows{Recorded: tx.queueKeys(n.Keys), Held: tx.queueLeases(n.Leases)}
	marks := map[inventory.Watermark]inventory.Mark{}
	if len(n.Watermarks) > 0 {
		tx.queueWatermarks(n.Watermarks, marks)
	}
	reservations := map[inventory.ID]inventory.Reservation{}
	lines := map[inventory.ID][]inventory.Line{}
	if len(n.Reservations) > 0 {
		tx.queueReservations(n.Reservations, reservations, lines)
	}
	transfers := map[inventory.ID]inventory.Transfer{}
	transferLines := map[inventory.ID][]inventory.TransferLine{}
	if len(n.Transfers) > 0 {
		tx.queueTransfers(n.Transfers, transfers, transferLines)
	}
	if len(n.Reservations)+len(n.Transfers) > 0 {
		if err := tx.Run(ctx); err != nil {
			return rows, err
		}
	}
	for id, t := range transfers {
		t.Lines = transferLines[id]
		transfers[id] = t
	}
	rows.Levels = slices.Concat(n.Levels, levelsOf(lines), endsOf(transfers))
	var levels []inventory.Level
	tx.queueLevels(rows.Levels, func(l inventory.Level) { levels = append(levels, l) })
	if err := tx.Run(ctx); err != nil {
		return rows, err
	}
	rows.State = inventory.NewState(now)
	for _, l := range levels {
		rows.State.AddLevel(l)
	}
	for id, r := range reservations {
		rows.State.AddReservation(r, lines[id])
	}
	for _, t := range transfers {
		rows.State.AddTransfer(t)
	}
	for w, m := range marks {
		rows.State.AddWatermark(w, m)
	}
	return rows, nil
}

func levelsOf(lines map[inventory.ID][]inventory.Line) (keys []inventory.LevelKey) {
	for _, of := range lines {
		for _, l := range of {
			keys = append(keys, l.Level)
		}
	}
	return keys
}

func endsOf(transfers map[inventory.ID]inventory.Transfer) (keys []inventory.LevelKey) {
	for _, t := range transfers {
		keys = append(keys, t.Levels()...)
	}
	return keys
}

// queueLevels locks levels in key order: whoever needs several meets others in the same order.
func (tx *Tx) queueLevels(keys []inventory.LevelKey, add func(inventory.Level)) {
	keys = slices.Compact(slices.SortedFunc(slices.Values(keys), inventory.LevelKey.Compare))
	row := func(r pgx.Rows) error {
		l, err := scanLevel(r)
		add(l)
		return err
	}
	if !tx.store.dialect.cockroach && len(keys) > fewLevels {
		regions, skus, locations := levelColumns(keys)
		tx.queue(selectManyLevels, row, regions, skus, locations)
		return
	}
	queueKeyed(tx, selectLevels, row, keys, func(k inventory.LevelKey) []any { return []any{k.Region, k.SKU, k.Location} })
}

func (tx *Tx) queueReservations(ids []inventory.ID, reservations map[inventory.ID]inventory.Reservation, lines map[inventory.ID][]inventory.Line) {
	ids = unique(slices.SortedFunc(slices.Values(ids), inventory.ID.Compare))
	queueKeyed(tx, selectReservations, func(r pgx.Rows) error {
		v, err := scanReservation(r)
		reservations[v.ID] = v
		return err
	}, ids, func(id inventory.ID) []any { return []any{id.Region, uuidText(id.UUID)} })
	lineRegions, lineIDs := tx.lineColumns(ids)
	tx.queue(selectLines, func(r pgx.Rows) error {
		l, err := scanLine(r)
		lines[l.Reservation] = append(lines[l.Reservation], l)
		return err
	}, lineRegions, lineIDs)
}

// lineColumns are where the lines of reservations may lie: in the home region, or in any where the
// id says so. Only those regions are asked.
func (tx *Tx) lineColumns(ids []inventory.ID) (regions, uuids []string) {
	for _, id := range ids {
		in := []string{id.Region}
		if id.Spans() {
			in = tx.store.regions
		}
		for _, region := range in {
			regions = append(regions, region)
			uuids = append(uuids, uuidText(id.UUID))
		}
	}
	return regions, uuids
}

func (tx *Tx) queueWatermarks(marks []inventory.Watermark, into map[inventory.Watermark]inventory.Mark) {
	var regions, skus, locations []string
	var versions []int64
	for _, w := range unique(marks) {
		regions, skus, locations = append(regions, w.Key.Region), append(skus, w.Key.SKU), append(locations, w.Key.Location)
		versions = append(versions, w.Version)
	}
	tx.queue(selectWatermarks, func(r pgx.Rows) error {
		var w inventory.Watermark
		var m inventory.Mark
		b := &m.Then
		err := r.Scan(&w.Key.Region, &w.Key.SKU, &w.Key.Location, &w.Version,
			&b.OnHand, &b.Held, &b.Allocated, &b.Quarantined, &b.Incoming, &b.Shortfall, &m.Corrected)
		into[w] = m
		return err
	}, regions, skus, locations, versions)
}

// ReadLapsed reads the lapsed holds of levels into the state, at most limit of each.
func (tx *Tx) ReadLapsed(ctx context.Context, state *inventory.State, keys []inventory.LevelKey, limit int) error {
	found := make([][]inventory.Line, len(keys))
	for i, k := range keys {
		tx.queue(selectLapsed, func(r pgx.Rows) error {
			l, err := scanLine(r)
			found[i] = append(found[i], l)
			return err
		}, k.Region, k.SKU, k.Location, state.Now, int64(limit))
	}
	if err := tx.Run(ctx); err != nil {
		return err
	}
	for i, k := range keys {
		state.AddLapsed(k, found[i], len(found[i]) < limit)
	}
	return nil
}

func scanLevel(r pgx.Rows) (l inventory.Level, err error) {
	err = r.Scan(&l.Key.Region, &l.Key.SKU, &l.Key.Location,
		&l.OnHand, &l.Held, &l.Allocated, &l.Quarantined, &l.Incoming, &l.Shortfall,
		&l.Version, &l.UpdatedAt, &l.Closed, (*hashColumn)(&l.Head))
	return l, err
}

func scanReservation(r pgx.Rows) (v inventory.Reservation, err error) {
	var id string
	err = r.Scan(&v.ID.Region, &id, &v.Status, &v.OrderReference, &v.Channel, &v.ExpiresAt, &v.Version, &v.CreatedAt, &v.UpdatedAt)
	if err != nil {
		return v, err
	}
	v.ExpiresAt, v.CreatedAt, v.UpdatedAt = v.ExpiresAt.UTC(), v.CreatedAt.UTC(), v.UpdatedAt.UTC()
	v.ID.UUID, err = parseUUID(id)
	return v, err
}

func scanLine(r pgx.Rows) (l inventory.Line, err error) {
	var id string
	err = r.Scan(&l.Level.Region, &id, &l.Number, &l.Reservation.Region, &l.Level.Location, &l.Level.SKU,
		&l.Quantity, &l.Held, &l.Allocated, &l.Fulfilled, &l.Released, &l.Expired, &l.ExpiresAt)
	if err != nil {
		return l, err
	}
	l.ExpiresAt = l.ExpiresAt.UTC()
	l.Reservation.UUID, err = parseUUID(id)
	return l, err
}

func levelColumns(keys []inventory.LevelKey) (regions, skus, locations []string) {
	regions, skus, locations = make([]string, len(keys)), make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		regions[i], skus[i], locations[i] = k.Region, k.SKU, k.Location
	}
	return regions, skus, locations
}

func unique[T comparable](in []T) []T {
	if len(in) < 2 {
		return in
	}
	seen := make(map[T]bool, len(in))
	out := make([]T, 0, len(in))
	for _, v := range in {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// UUIDs travel as text: CockroachDB v21.1 takes no arrays of them.
func uuidText(u [16]byte) string {
	var b [36]byte
	return string(appendUUID(b[:0], u))
}
