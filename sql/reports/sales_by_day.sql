-- Sales by day.
--
-- How many units were sold and returned on each day, and what is that net?
--
-- Parameters:
--   from    date = 30 days ago            First day, UTC.
--   to      date = today                  Last day, UTC.
--   region  text =                        Only this region; empty for all.
--   sku     text =                        Only this SKU; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   day       date            Day, UTC.
--   sold      integer, units  Units that left by sale or fulfilment.
--   returned  integer, units  Units that came back.
--   net       integer, units  Sold less returned.
-- Chart: lines day: sold, returned
SELECT e.day, sum(e.sold) AS sold, sum(e.returned) AS returned, sum(e.sold) - sum(e.returned) AS net
  FROM ledger AS e
 WHERE e.kind IN ('sell', 'fulfil', 'return')
   AND e.day >= :'from'::date AND e.day <= :'to'::date
   AND (:'region' = '' OR e.region = :'region')
   AND (:'sku' = '' OR e.sku = :'sku')
 GROUP BY e.day
 ORDER BY e.day
 LIMIT :'limit'::bigint
