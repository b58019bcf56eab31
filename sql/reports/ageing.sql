-- Ageing of stock.
--
-- How long has what is on hand been at its location, if what came first left first?
--
-- Parameters:
--   region    text =                     Only this region; empty for all.
--   location  text =                     Only this location; empty for all.
--   sku       text =                     Only this SKU; empty for all.
--   limit     integer = 1000 in 1..100000  Rows at most.
-- Columns:
--   region       text            Home region of the location.
--   location     text            The location.
--   sku          text            The SKU.
--   on_hand      integer, units  Physically there and on the books.
--   days_30      integer, units  Came in the last 30 days.
--   days_90      integer, units  Came 31 to 90 days ago.
--   days_180     integer, units  Came 91 to 180 days ago.
--   days_365     integer, units  Came 181 to 365 days ago.
--   older        integer, units  Came before that.
--   oldest_days  integer, days   Age of the oldest unit, in whole days.
-- Chart: bars sku: days_30, days_90, days_180, days_365, older
SELECT a.region, a.location, a.sku, a.on_hand,
       sum(CASE WHEN a.days <= 30 THEN a.units ELSE 0 END) AS days_30,
       sum(CASE WHEN a.days > 30 AND a.days <= 90 THEN a.units ELSE 0 END) AS days_90,
       sum(CASE WHEN a.days > 90 AND a.days <= 180 THEN a.units ELSE 0 END) AS days_180,
       sum(CASE WHEN a.days > 180 AND a.days <= 365 THEN a.units ELSE 0 END) AS days_365,
       sum(CASE WHEN a.days > 365 THEN a.units ELSE 0 END) AS older,
       floor(max(a.days)) AS oldest_days
  FROM (SELECT r.region, r.location, r.sku, s.on_hand,
               (extract(epoch FROM now())::decimal - extract(epoch FROM r.effective_at)::decimal) / 86400 AS days,
               -- Of what came, as much is left as the later arrivals don't account for.
               least(r.came, s.on_hand - (r.upto - r.came)) AS units
          FROM (SELECT e.region, e.location, e.sku, e.effective_at, e.on_hand_delta::decimal AS came,
                       sum(e.on_hand_delta::decimal) OVER (PARTITION BY e.region, e.location, e.sku
                           ORDER BY e.effective_at DESC, e.version DESC ROWS UNBOUNDED PRECEDING) AS upto
                  FROM ledger AS e
                 WHERE e.on_hand_delta > 0
                   AND (:'region' = '' OR e.region = :'region')
                   AND (:'location' = '' OR e.location = :'location')
                   AND (:'sku' = '' OR e.sku = :'sku')) AS r
          JOIN stock_now AS s ON s.region = r.region AND s.location = r.location AND s.sku = r.sku
         WHERE r.upto - r.came < s.on_hand) AS a
 GROUP BY a.region, a.location, a.sku, a.on_hand
 ORDER BY a.region, a.location, a.sku
 LIMIT :'limit'::bigint
