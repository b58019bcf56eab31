-- Sales by channel.
--
-- How much does each channel sell, in how many reservations, and what comes back?
--
-- Parameters:
--   from    date = 30 days ago            First day, UTC.
--   to      date = today                  Last day, UTC.
--   region  text =                        Only what left from this region; empty for all.
--   sku     text =                        Only this SKU; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   channel       text                   The channel; null for sales of none.
--   sold          integer, units         Units that left by sale or fulfilment.
--   returned      integer, units         Units that came back.
--   net           integer, units         Sold less returned.
--   reservations  integer, reservations  That units left for.
--   share         decimal, %             Of all units sold.
-- Chart: bars channel: sold, returned
SELECT c.channel, c.sold, c.returned, c.sold - c.returned AS net, c.reservations,
       round(100 * c.sold / nullif(sum(c.sold) OVER (), 0), 2) AS share
  FROM (SELECT r.channel, sum(r.sold) AS sold, sum(r.returned) AS returned, count(r.reservation_id) AS reservations
          FROM (SELECT s.channel, s.reservation_id, sum(s.sold) AS sold, sum(s.returned) AS returned
                  FROM sales AS s
                 WHERE s.day >= :'from'::date AND s.day <= :'to'::date
                   AND (:'region' = '' OR s.region = :'region')
                   AND (:'sku' = '' OR s.sku = :'sku')
                 GROUP BY s.channel, s.reservation_id) AS r
         GROUP BY r.channel) AS c
 ORDER BY c.sold DESC, coalesce(c.channel, '')
 LIMIT :'limit'::bigint
