-- Reservations that expire soon.
--
-- Which held units will be free again soon, unless their reservations are confirmed or extended?
--
-- Parameters:
--   minutes  integer = 60 in 1..43200      From now on.
--   region   text =                        Only units in this region; empty for all.
--   channel  text =                        Only this channel; empty for all.
--   limit    integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   expires_at      time            When the hold ends.
--   home            text            Home region of the reservation.
--   reservation_id  text            The reservation.
--   order_reference  text            The order's reference; null for none.
--   channel         text            The channel; null for none.
--   region          text            Home region of the location.
--   location        text            Where the units are.
--   sku             text            The SKU.
--   held            integer, units  Units that will be free.
-- Chart: bars sku: held
SELECT o.expires_at, o.home, o.reservation_id::text AS reservation_id, o.order_reference, o.channel, o.region, o.location, o.sku, o.held
  FROM reservations_open AS o
 WHERE o.held > 0
   AND o.expires_at <= now() + :'minutes'::bigint * interval '1 minute'
   AND (:'region' = '' OR o.region = :'region')
   AND (:'channel' = '' OR o.channel = :'channel')
 ORDER BY o.expires_at, o.reservation_id, o.line
 LIMIT :'limit'::bigint
