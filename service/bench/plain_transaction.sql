\set sku random(1, :skus)
\set a random(1, 9000000000000000000)
\set b random(1, 9000000000000000000)
BEGIN;
SELECT on_hand, held, version, on_hand - held AS free FROM plain_levels WHERE location = 'bench' AND sku = 'sku-' || :sku FOR UPDATE \gset
\if :free >= 1
UPDATE plain_levels SET held = held + 1, version = version + 1, updated_at = now() WHERE location = 'bench' AND sku = 'sku-' || :sku;
INSERT INTO plain_reservations (id, status, expires_at) VALUES (md5(:a::text)::uuid, 'held', now() + INTERVAL '15 minutes');
INSERT INTO plain_lines (reservation_id, line, location, sku, quantity) VALUES (md5(:a::text)::uuid, 1, 'bench', 'sku-' || :sku, 1);
INSERT INTO plain_events (location, sku, version, kind, held_delta, on_hand, held, reservation_id)
VALUES ('bench', 'sku-' || :sku, :version + 1, 'reserve', 1, :on_hand, :held + 1, md5(:a::text)::uuid);
INSERT INTO plain_keys (key, answer) VALUES (md5(:b::text), '{"id":"' || md5(:a::text) || '","status":"held"}');
\endif
COMMIT;
