-- Oversell and shortfall register.
--
-- What left although the books did not have it, when, and is it still owed an explanation?
--
-- Parameters:
--   from    date = 30 days ago            First day, UTC.
--   to      date = today                  Last day, UTC.
--   region  text =                        Only this region; empty for all.
--   sku     text =                        Only this SKU; empty for all.
--   limit   integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   effective_at  time            When it left.
--   region        text            Home region of the location.
--   location      text            Where it left.
--   sku           text            The SKU.
--   kind          text            What was done, such as sell.
--   units         integer, units  Units that the books did not have free.
--   still_open    integer, units  Shortfall that the location has of the SKU now.
--   channel       text            The channel; null for none.
--   reference     text            The reference; null for none.
--   actor         text            Who did it.
-- Chart: bars sku: units
SELECT e.effective_at, e.region, e.location, e.sku, e.kind, e.shortfall_delta AS units, s.shortfall AS still_open,
       e.channel, e.reference, e.actor
  FROM ledger AS e
  LEFT JOIN stock_now AS s ON s.region = e.region AND s.location = e.location AND s.sku = e.sku
 WHERE e.shortfall_delta > 0
   AND e.day >= :'from'::date AND e.day <= :'to'::date
   AND (:'region' = '' OR e.region = :'region')
   AND (:'sku' = '' OR e.sku = :'sku')
 ORDER BY e.effective_at DESC, e.region, e.location, e.sku, e.version DESC
 LIMIT :'limit'::bigint
