\set sku random(1, :skus)
WITH level AS (
    UPDATE plain_levels SET held = held + 1, version = version + 1, updated_at = now()
     WHERE location = 'bench' AND sku = 'sku-' || :sku AND on_hand - held >= 1
    RETURNING location, sku, version, on_hand, held
), reservation AS (
    INSERT INTO plain_reservations (id, status, expires_at)
    SELECT gen_random_uuid(), 'held', now() + INTERVAL '15 minutes' FROM level RETURNING id, expires_at
), line AS (
    INSERT INTO plain_lines (reservation_id, line, location, sku, quantity)
    SELECT reservation.id, 1, level.location, level.sku, 1 FROM reservation, level RETURNING reservation_id
), event AS (
    INSERT INTO plain_events (location, sku, version, kind, held_delta, on_hand, held, reservation_id)
    SELECT level.location, level.sku, level.version, 'reserve', 1, level.on_hand, level.held, reservation.id FROM level, reservation RETURNING version
)
INSERT INTO plain_keys (key, answer)
SELECT gen_random_uuid()::text, '{"id":"' || id::text || '","status":"held","expires_at":"' || expires_at::text || '"}' FROM reservation
RETURNING answer;
