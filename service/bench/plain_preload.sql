-- Levels number $1 to $2 with $3 events each: the first received the stock, and each other one a unit
-- more.
INSERT INTO plain_levels (location, sku, on_hand, held, version, updated_at)
SELECT 'bench', 'sku-' || i::text, 1000000000 + $3::bigint, 0, $3::bigint + 1, now() FROM generate_series($1::bigint, $2::bigint) AS g(i);

INSERT INTO plain_events (location, sku, version, kind, held_delta, on_hand, held, reservation_id)
SELECT 'bench', 'sku-' || i::text, v, 'receive', 0, 1000000000 + v - 1, 0, gen_random_uuid()
  FROM generate_series($1::bigint, $2::bigint) AS g(i), generate_series(1, $3::bigint) AS h(v);
