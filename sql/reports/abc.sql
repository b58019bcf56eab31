-- ABC by sales.
--
-- Which few products make up most of the units sold (A), which come next (B), and which hardly matter (C)?
--
-- Parameters:
--   from    date = 90 days ago            First day, UTC.
--   to      date = today                  Last day, UTC.
--   region  text =                        Only this region; empty for all.
--   a       integer = 80 in 0..100        A is what is within this percentage of all units sold.
--   b       integer = 95 in 0..100        B is what comes next, within this percentage.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   rank        integer         Place by units sold, from 1 on.
--   sku         text            The SKU.
--   sold        integer, units  Units that left by sale or fulfilment.
--   share       decimal, %      Of all units sold.
--   cumulative  decimal, %      Share of this product and those before it.
--   class       text            A, B or C: where the share of those before it lies.
-- Chart: lines rank: cumulative
SELECT c.rank, c.sku, c.sold, round(100 * c.sold / c.total, 2) AS share, round(100 * c.upto / c.total, 2) AS cumulative,
       CASE WHEN 100 * (c.upto - c.sold) < :'a'::bigint * c.total THEN 'A'
            WHEN 100 * (c.upto - c.sold) < :'b'::bigint * c.total THEN 'B' ELSE 'C' END AS class
  FROM (SELECT s.sku, s.sold, sum(s.sold) OVER () AS total,
               row_number() OVER (ORDER BY s.sold DESC, s.sku) AS rank,
               sum(s.sold) OVER (ORDER BY s.sold DESC, s.sku ROWS UNBOUNDED PRECEDING) AS upto
          FROM (SELECT e.sku, sum(e.sold) AS sold
                  FROM ledger AS e
                 WHERE e.kind IN ('sell', 'fulfil')
                   AND e.day >= :'from'::date AND e.day <= :'to'::date
                   AND (:'region' = '' OR e.region = :'region')
                 GROUP BY e.sku) AS s
         WHERE s.sold > 0) AS c
 ORDER BY c.rank
 LIMIT :'limit'::bigint
