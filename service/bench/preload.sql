-- Stock levels number $1 to $2 with $3 events each: the first received the stock, and each other one
-- a unit more.
INSERT INTO products (sku, name, attributes, version, created_at, updated_at)
SELECT '{prefix}-' || i::text, 'Benchmark', '{}', 1, now(), now() FROM generate_series($1::bigint, $2::bigint) AS g(i)
 WHERE $3::bigint > 0;

INSERT INTO stock_levels (region, sku, location, on_hand, held, allocated, quarantined, incoming, shortfall, version, updated_at)
SELECT '{region}', '{prefix}-' || i::text, '{location}', 1000000000 + $3::bigint - 1, 0, 0, 0, 0, 0, $3::bigint, now()
  FROM generate_series($1::bigint, $2::bigint) AS g(i);

INSERT INTO stock_events (region, sku, location, version, kind,
       on_hand_delta, held_delta, allocated_delta, quarantined_delta, incoming_delta, shortfall_delta,
       on_hand, held, allocated, quarantined, incoming, shortfall, movement_home, movement_id, actor, effective_at, recorded_at)
SELECT '{region}', '{prefix}-' || i::text, '{location}', v, 'receive',
       CASE WHEN v = 1 THEN 1000000000 ELSE 1 END, 0, 0, 0, 0, 0,
       1000000000 + v - 1, 0, 0, 0, 0, 0, '{region}', gen_random_uuid(), 'bench', now(), now()
  FROM generate_series($1::bigint, $2::bigint) AS g(i), generate_series(1, $3::bigint) AS h(v);
