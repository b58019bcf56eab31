-- What analysts read: views with names and units that stay, whatever becomes of the tables below them.
-- Their columns are described in sql/README.md. Regions come out as text.

-- The index leaves its name to a view: on PostgreSQL they share their names.
ALTER INDEX IF EXISTS reservations_open RENAME TO reservations_by_expiry;

-- Stock as it is. A hold that has lapsed promises nothing, whether or not it is tidied away (I9).
CREATE OR REPLACE VIEW stock_now AS
SELECT l.region::text AS region, l.location, l.sku, l.on_hand,
       l.held - coalesce(h.lapsed, 0) AS held, l.allocated, l.quarantined, l.incoming, l.shortfall,
       l.on_hand - (l.held - coalesce(h.lapsed, 0)) - l.allocated - l.quarantined - l.shortfall AS available,
       l.version, l.updated_at, l.closed
  FROM stock_levels AS l
  LEFT JOIN (SELECT n.region::text AS home, n.location, n.sku, sum(n.held)::bigint AS lapsed
               FROM reservation_lines AS n
              WHERE n.held > 0 AND n.expires_at <= now()
              GROUP BY n.region, n.location, n.sku) AS h
    ON h.home = l.region::text AND h.location = l.location AND h.sku = l.sku;

-- Every event. What was sold is what left, whether or not the books had it: a command's quantity, so
-- that it fits.
CREATE OR REPLACE VIEW ledger AS
SELECT e.region::text AS region, e.location, e.sku, e.version, e.kind, e.effective_at, e.recorded_at,
       (e.effective_at AT TIME ZONE 'UTC')::date AS day,
       e.on_hand_delta, e.held_delta, e.allocated_delta, e.quarantined_delta, e.incoming_delta, e.shortfall_delta,
       e.on_hand, e.held, e.allocated, e.quarantined, e.incoming, e.shortfall,
       CASE WHEN e.kind IN ('sell', 'fulfil') THEN e.shortfall_delta - e.on_hand_delta ELSE 0 END AS sold,
       CASE WHEN e.kind = 'return' THEN e.on_hand_delta ELSE 0 END AS returned,
       e.unit_cost, e.currency, e.reason, e.reference, e.channel, e.actor,
       e.movement_id, e.reservation_home::text AS reservation_home, e.reservation_id,
       e.transfer_home::text AS transfer_home, e.transfer_id
  FROM stock_events AS e;

-- Sales and returns with their channels. What is fulfilled was sold in the channel of its
-- reservation. Regions are joined as text: CockroachDB 21.1.0-alpha loses rows of merges by two columns.
CREATE OR REPLACE VIEW sales AS
SELECT e.region::text AS region, e.location, e.sku, e.version, e.kind, e.effective_at, e.recorded_at,
       (e.effective_at AT TIME ZONE 'UTC')::date AS day,
       CASE WHEN e.kind = 'return' THEN 0 ELSE e.shortfall_delta - e.on_hand_delta END AS sold,
       CASE WHEN e.kind = 'return' THEN e.on_hand_delta ELSE 0 END AS returned,
       CASE WHEN e.kind = 'return' THEN 0 ELSE e.shortfall_delta END AS oversold,
       coalesce(e.channel, r.channel) AS channel, coalesce(r.order_reference, e.reference) AS reference,
       e.reservation_id
  FROM stock_events AS e
  LEFT JOIN reservations AS r ON r.id = e.reservation_id AND r.region::text = e.reservation_home::text
 WHERE e.kind IN ('sell', 'fulfil', 'return');

CREATE OR REPLACE VIEW sales_daily AS
SELECT s.day, s.region, s.location, s.sku, s.channel,
       sum(s.sold) AS sold, sum(s.returned) AS returned, sum(s.sold) - sum(s.returned) AS net, count(*) AS events
  FROM sales AS s
 GROUP BY s.day, s.region, s.location, s.sku, s.channel;

-- What changed physical stock or what is expected, by day; promises do not.
CREATE OR REPLACE VIEW movements_daily AS
SELECT (e.effective_at AT TIME ZONE 'UTC')::date AS day, e.region::text AS region, e.location, e.sku, e.kind, e.reason,
       sum(CASE WHEN e.on_hand_delta > 0 THEN e.on_hand_delta ELSE 0 END) AS came,
       sum(CASE WHEN e.on_hand_delta < 0 THEN -e.on_hand_delta ELSE 0 END) AS went,
       sum(e.on_hand_delta) AS on_hand_delta, sum(e.quarantined_delta) AS quarantined_delta,
       sum(e.incoming_delta) AS incoming_delta, sum(e.shortfall_delta) AS shortfall_delta, count(*) AS events
  FROM stock_events AS e
 WHERE e.on_hand_delta <> 0 OR e.quarantined_delta <> 0 OR e.incoming_delta <> 0 OR e.shortfall_delta <> 0
 GROUP BY (e.effective_at AT TIME ZONE 'UTC')::date, e.region, e.location, e.sku, e.kind, e.reason;

-- Reservations with what became of them: one that is held and whose time is up has expired.
CREATE OR REPLACE VIEW reservation_outcomes AS
SELECT r.region::text AS region, r.id AS reservation_id,
       CASE WHEN r.status = 'held' AND r.expires_at <= now() THEN 'expired' ELSE r.status END AS status,
       r.order_reference, r.channel, r.created_at, r.expires_at, r.updated_at,
       (r.created_at AT TIME ZONE 'UTC')::date AS day
  FROM reservations AS r;

-- The lines of reservations that still promise units, at the stock levels that promise them.
CREATE OR REPLACE VIEW reservations_open AS
SELECT l.home::text AS home, l.reservation_id, l.line, l.region::text AS region, l.location, l.sku,
       l.quantity, l.held, l.allocated, r.status, r.order_reference, r.channel, r.created_at, r.expires_at
  FROM reservation_lines AS l
  JOIN reservations AS r ON r.id = l.reservation_id AND r.region::text = l.home::text
 WHERE (l.held > 0 AND l.expires_at > now()) OR l.allocated > 0;

CREATE OR REPLACE VIEW transfers_now AS
SELECT t.region::text AS from_region, t.from_location, t.to_region::text AS to_region, t.to_location,
       t.id AS transfer_id, t.status, t.reference, t.created_at, t.updated_at,
       l.line, l.sku, l.quantity, l.shipped, l.received, l.quarantined, l.lost, l.returned,
       l.shipped - l.received - l.lost - l.returned AS in_transit
  FROM transfers AS t
  JOIN transfer_lines AS l ON l.transfer_id = t.id AND l.region::text = t.region::text;

CREATE OR REPLACE VIEW catalogue AS
SELECT p.sku, p.name, p.description, p.category, p.unit, p.barcode, p.unit_cost, p.currency, p.created_at, p.archived_at
  FROM products AS p;

CREATE OR REPLACE VIEW places AS
SELECT l.name AS location, l.title, l.region::text AS region, l.kind, l.country, l.latitude, l.longitude, l.created_at, l.archived_at
  FROM locations AS l;
