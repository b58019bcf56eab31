-- Top contended SKUs.
--
-- Which stock levels are changed most often, and how often in their busiest minute?
--
-- Parameters:
--   hours   integer = 24 in 1..876000     Until now, by the time that things were recorded.
--   region  text =                        Only this region; empty for all.
--   limit   integer = 100 in 1..100000    Rows at most.
-- Columns:
--   region          text             Home region of the location.
--   location        text             The location.
--   sku             text             The SKU.
--   events          integer, events  Changes of the stock level.
--   busiest_minute  time             When the minute began in which it was changed most often.
--   in_minute       integer, events  Changes in that minute.
-- Chart: bars sku: in_minute
SELECT b.region, b.location, b.sku, b.events, b.minute AS busiest_minute, b.in_minute
  FROM (SELECT m.region, m.location, m.sku, m.minute, m.in_minute,
               sum(m.in_minute) OVER (PARTITION BY m.region, m.location, m.sku) AS events,
               row_number() OVER (PARTITION BY m.region, m.location, m.sku ORDER BY m.in_minute DESC, m.minute) AS place
          FROM (SELECT e.region, e.location, e.sku, date_trunc('minute', e.recorded_at) AS minute, count(*) AS in_minute
                  FROM ledger AS e
                 WHERE e.recorded_at > now() - :'hours'::bigint * interval '1 hour'
                   AND (:'region' = '' OR e.region = :'region')
                 GROUP BY e.region, e.location, e.sku, date_trunc('minute', e.recorded_at)) AS m) AS b
 WHERE b.place = 1
 ORDER BY b.in_minute DESC, b.events DESC, b.region, b.location, b.sku
 LIMIT :'limit'::bigint
