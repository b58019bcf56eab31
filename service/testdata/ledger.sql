-- A year of stock levels number $1 to $2 with $3 events each, in cycles of six: four units come, one is
-- reserved, confirmed and fulfilled, one is sold, and one is lost.
INSERT INTO products (sku, name, attributes, version, created_at, updated_at)
SELECT 'sku-' || i::text, 'Product ' || i::text, '{}', 1, now() - interval '8760 hours', now() FROM generate_series($1::bigint, $2::bigint) AS g(i)
 WHERE $3::bigint > 0;

INSERT INTO stock_levels (region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, updated_at)
SELECT '{region}', 'sku-' || i::text, 'LOC-' || (i % 3)::text, ($3::bigint / 6)::bigint, 0, 0, 0, 0, 0, $3::bigint, now()
  FROM generate_series($1::bigint, $2::bigint) AS g(i);

INSERT INTO stock_events (region, sku, location, version, kind,
       on_hand_delta, held_delta, allocated_delta, quarantined_delta, incoming_delta, shortfall_delta,
       on_hand, held, allocated, quarantined, incoming, shortfall, movement_home, movement_id,
       reservation_home, reservation_id, reason, channel, actor, effective_at, recorded_at)
SELECT '{region}', 'sku-' || i::text, 'LOC-' || (i % 3)::text, v,
       CASE v % 6 WHEN 1 THEN 'receive' WHEN 2 THEN 'reserve' WHEN 3 THEN 'confirm' WHEN 4 THEN 'fulfil' WHEN 5 THEN 'sell' ELSE 'adjust' END,
       CASE v % 6 WHEN 1 THEN 4 WHEN 2 THEN 0 WHEN 3 THEN 0 ELSE -1 END,
       CASE v % 6 WHEN 2 THEN 1 WHEN 3 THEN -1 ELSE 0 END,
       CASE v % 6 WHEN 3 THEN 1 WHEN 4 THEN -1 ELSE 0 END, 0, 0, 0,
       0, 0, 0, 0, 0, 0, '{region}', gen_random_uuid(),
       CASE WHEN v % 6 IN (2, 3, 4) THEN '{region}'::crdb_internal_region END,
       CASE WHEN v % 6 IN (2, 3, 4) THEN ('00000000-0000-4000-8000-' || lpad((i * 1000 + ((v - v % 6) / 6)::bigint)::text, 12, '0'))::uuid END,
       CASE v % 6 WHEN 0 THEN 'reason ' || (i % 7)::text END, CASE v % 6 WHEN 5 THEN 'shop' END, 'bench',
       now() - ($3::bigint - v) * interval '1 second' * (31536000 / $3::bigint)::bigint - i % 86400 * interval '1 second',
       now() - ($3::bigint - v) * interval '1 second' * (31536000 / $3::bigint)::bigint
  FROM generate_series($1::bigint, $2::bigint) AS g(i), generate_series(1, $3::bigint) AS h(v);

INSERT INTO reservations (region, id, status, order_reference, channel, expires_at, version, created_at, updated_at)
SELECT '{region}', ('00000000-0000-4000-8000-' || lpad((i * 1000 + c)::text, 12, '0'))::uuid, 'fulfilled', NULL, 'web', now(), 1,
       now() - ($3::bigint - c * 6) * interval '1 second' * (31536000 / $3::bigint)::bigint, now()
  FROM generate_series($1::bigint, $2::bigint) AS g(i), generate_series(0, ($3::bigint / 6)::bigint - 1) AS h(c);
