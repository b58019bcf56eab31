-- Turnover and days of cover.
--
-- How often was each product's stock sold in a period, and for how long does what was left last?
--
-- Parameters:
--   from    date = 90 days ago            First day, UTC.
--   to      date = today                  Last day, UTC; the period ends now at the latest.
--   region  text =                        Only this region; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   sku            text                    The SKU.
--   sold           integer, units          Units that left by sale or fulfilment in the period.
--   mean_on_hand   decimal, units          On hand, on average over the period's time.
--   closing        integer, units          On hand at the end of the period.
--   turns          decimal, times          Sold by mean on hand; null where there was none.
--   sold_per_day   decimal, units per day  Sold by the days of the period.
--   days_of_cover  decimal, days           Closing by sold per day; null where nothing was sold.
-- Chart: bars sku: turns
SELECT t.sku, t.sold, round(t.mean, 2) AS mean_on_hand, t.closing,
       round(t.sold / nullif(round(t.mean, 6), 0), 2) AS turns,
       round(t.sold * 86400 / t.seconds, 3) AS sold_per_day,
       round(t.closing * t.seconds / 86400 / nullif(t.sold, 0), 1) AS days_of_cover
  FROM (SELECT s.sku, s.sold, s.closing, p.seconds,
               -- What came within the period was there for a part of it only.
               s.closing - s.late / p.seconds AS mean
          FROM (SELECT e.sku, sum(e.on_hand_delta) AS closing,
                       sum(CASE WHEN e.effective_at >= :'from'::date::timestamp AT TIME ZONE 'UTC' THEN e.sold ELSE 0 END) AS sold,
                       sum(CASE WHEN e.effective_at >= :'from'::date::timestamp AT TIME ZONE 'UTC'
                                THEN e.on_hand_delta::decimal * (extract(epoch FROM e.effective_at)::bigint - (:'from'::date - '1970-01-01'::date)::bigint * 86400)
                                ELSE 0 END) AS late
                  FROM ledger AS e
                 WHERE e.effective_at < least((:'to'::date + 1)::timestamp AT TIME ZONE 'UTC', now())
                   AND (:'region' = '' OR e.region = :'region')
                 GROUP BY e.sku) AS s
          JOIN (SELECT (extract(epoch FROM b.ends) - extract(epoch FROM b.begins))::decimal AS seconds
                  FROM (SELECT :'from'::date::timestamp AT TIME ZONE 'UTC' AS begins,
                               least((:'to'::date + 1)::timestamp AT TIME ZONE 'UTC', now()) AS ends) AS b
                 WHERE b.begins < b.ends) AS p ON true) AS t
 ORDER BY t.sold DESC, t.sku
 LIMIT :'limit'::bigint
