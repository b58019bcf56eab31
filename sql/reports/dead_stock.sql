-- Dead stock.
--
-- What lies on hand and has not been sold for long, although it has been there?
--
-- Parameters:
--   days    integer = 90 in 1..36500      Neither sold nor received in so many days.
--   region  text =                        Only this region; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   region     text            Home region of the location.
--   location   text            The location.
--   sku        text            The SKU.
--   on_hand    integer, units  Physically there and on the books.
--   came_at    time            When units last came.
--   sold_at    time            When units last left by sale or fulfilment; null for never.
-- Chart: bars sku: on_hand
SELECT e.region, e.location, e.sku, sum(e.on_hand_delta) AS on_hand,
       max(CASE WHEN e.on_hand_delta > 0 THEN e.effective_at END) AS came_at,
       max(CASE WHEN e.sold > 0 THEN e.effective_at END) AS sold_at
  FROM ledger AS e
 WHERE :'region' = '' OR e.region = :'region'
 GROUP BY e.region, e.location, e.sku
HAVING sum(e.on_hand_delta) > 0
   AND coalesce(max(CASE WHEN e.on_hand_delta > 0 OR e.sold > 0 THEN e.effective_at END) < now() - :'days'::bigint * interval '24 hours', true)
 ORDER BY on_hand DESC, e.region, e.location, e.sku
 LIMIT :'limit'::bigint
