-- Sales by day.
--
-- How many units were sold and returned on each day, and what is that net?
--
-- Parameters:
--   from    date = 30 days ago            First day, UTC.
--   to      date = today                  Last day, UTC.
--   region  text =                        Only this region; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   day       date            Day, UTC.
--   sold      integer, units  Units that left by sale or fulfilment.
--   returned  integer, units  Units that came back.
--   net       integer, units  Sold less returned.
-- Chart: lines day: sold, returned
SELECT s.day, sum(s.sold) AS sold, sum(s.returned) AS returned, sum(s.sold) - sum(s.returned) AS net
  FROM (SELECT (e.effective_at AT TIME ZONE 'UTC')::date AS day, e.region::text AS region,
               CASE WHEN e.kind = 'return' THEN 0 ELSE e.shortfall_delta::decimal - e.on_hand_delta END AS sold,
               CASE WHEN e.kind = 'return' THEN e.on_hand_delta ELSE 0 END AS returned
          FROM stock_events AS e
         WHERE e.kind IN ('sell', 'fulfil', 'return')) AS s
 WHERE s.day >= :'from'::date AND s.day <= :'to'::date
   AND (:'region' = '' OR s.region = :'region')
 GROUP BY s.day
 ORDER BY s.day
 LIMIT :'limit'::bigint
