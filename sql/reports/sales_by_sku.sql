-- Sales by SKU.
--
-- Which products sell best, and what part of all units sold is each?
--
-- Parameters:
--   from    date = 30 days ago            First day, UTC.
--   to      date = today                  Last day, UTC.
--   region  text =                        Only this region; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   sku       text            The SKU.
--   sold      integer, units  Units that left by sale or fulfilment.
--   returned  integer, units  Units that came back.
--   net       integer, units  Sold less returned.
--   share     decimal, %      Of all units sold.
-- Chart: bars sku: sold, returned
SELECT s.sku, s.sold, s.returned, s.sold - s.returned AS net,
       round(100 * s.sold / nullif(sum(s.sold) OVER (), 0), 2) AS share
  FROM (SELECT e.sku, sum(e.sold) AS sold, sum(e.returned) AS returned
          FROM ledger AS e
         WHERE e.kind IN ('sell', 'fulfil', 'return')
           AND e.day >= :'from'::date AND e.day <= :'to'::date
           AND (:'region' = '' OR e.region = :'region')
         GROUP BY e.sku) AS s
 ORDER BY s.sold DESC, s.sku
 LIMIT :'limit'::bigint
