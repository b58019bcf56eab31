-- Stock at a past moment.
--
-- How much of each product was at each location at a moment, by the time that things took effect?
--
-- Parameters:
--   at        time = now                 The moment.
--   region    text =                     Only this region; empty for all.
--   location  text =                     Only this location; empty for all.
--   sku       text =                     Only this SKU; empty for all.
--   limit     integer = 1000 in 1..100000  Rows at most.
-- Columns:
--   region       text            Home region of the location.
--   location     text            The location.
--   sku          text            The SKU.
--   on_hand      integer, units  Physically there and on the books.
--   allocated    integer, units  Promised to confirmed orders.
--   quarantined  integer, units  On hand and not for sale.
--   incoming     integer, units  On their way from another location.
--   shortfall    integer, units  Left although the books did not have them free.
--   changed_at   time            When it was last changed before.
-- Chart: bars sku: on_hand
SELECT e.region, e.location, e.sku,
       sum(e.on_hand_delta) AS on_hand, sum(e.allocated_delta) AS allocated, sum(e.quarantined_delta) AS quarantined,
       sum(e.incoming_delta) AS incoming, sum(e.shortfall_delta) AS shortfall, max(e.effective_at) AS changed_at
  FROM ledger AS e
 WHERE e.effective_at <= :'at'::timestamptz
   AND (:'region' = '' OR e.region = :'region')
   AND (:'location' = '' OR e.location = :'location')
   AND (:'sku' = '' OR e.sku = :'sku')
 GROUP BY e.region, e.location, e.sku
 ORDER BY e.region, e.location, e.sku
 LIMIT :'limit'::bigint
