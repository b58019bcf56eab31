-- Shrinkage and adjustments by reason.
--
-- What was found, and what was lost, when stock was counted, adjusted, scrapped or lost on its way?
--
-- Parameters:
--   from      date = 30 days ago            First day, UTC.
--   to        date = today                  Last day, UTC.
--   region    text =                        Only this region; empty for all.
--   location  text =                        Only this location; empty for all.
--   sku       text =                        Only this SKU; empty for all.
--   limit     integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   kind    text             adjust, count, scrap, or transfer_lose.
--   reason  text             The reason that was given; null for none.
--   events  integer, events  Changes of a stock level.
--   found   integer, units   Units that the books had too few of.
--   lost    integer, units   Units that the books had too many of.
--   net     integer, units   Found less lost.
-- Chart: bars reason: found, lost
SELECT a.kind, a.reason, count(*) AS events,
       sum(CASE WHEN a.units > 0 THEN a.units ELSE 0 END) AS found,
       sum(CASE WHEN a.units < 0 THEN -a.units ELSE 0 END) AS lost,
       sum(a.units) AS net
  FROM (SELECT e.kind, e.reason,
               CASE WHEN e.kind = 'transfer_lose' THEN e.incoming_delta::decimal ELSE e.on_hand_delta::decimal - e.shortfall_delta END AS units
          FROM ledger AS e
         WHERE e.kind IN ('adjust', 'count', 'scrap', 'transfer_lose')
           AND e.day >= :'from'::date AND e.day <= :'to'::date
           AND (:'region' = '' OR e.region = :'region')
           AND (:'location' = '' OR e.location = :'location')
           AND (:'sku' = '' OR e.sku = :'sku')) AS a
 GROUP BY a.kind, a.reason
 ORDER BY net, a.kind, coalesce(a.reason, '')
 LIMIT :'limit'::bigint
