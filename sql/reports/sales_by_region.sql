-- Sales by region and location.
--
-- Where do units leave for customers, and what part of all units sold is that?
--
-- Parameters:
--   from   date = 30 days ago            First day, UTC.
--   to     date = today                  Last day, UTC.
--   sku    text =                        Only this SKU; empty for all.
--   limit  integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   region    text            Home region of the location.
--   location  text            Where the units left.
--   sold      integer, units  Units that left by sale or fulfilment.
--   returned  integer, units  Units that came back.
--   net       integer, units  Sold less returned.
--   share     decimal, %      Of all units sold.
-- Chart: bars location: sold, returned
SELECT s.region, s.location, s.sold, s.returned, s.sold - s.returned AS net,
       round(100 * s.sold / nullif(sum(s.sold) OVER (), 0), 2) AS share
  FROM (SELECT e.region, e.location, sum(e.sold) AS sold, sum(e.returned) AS returned
          FROM ledger AS e
         WHERE e.kind IN ('sell', 'fulfil', 'return')
           AND e.day >= :'from'::date AND e.day <= :'to'::date
           AND (:'sku' = '' OR e.sku = :'sku')
         GROUP BY e.region, e.location) AS s
 ORDER BY s.sold DESC, s.region, s.location
 LIMIT :'limit'::bigint
