-- Stock on hand.
--
-- How much of each product is at each location, and how much of it is promised, set aside or free?
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
--   held         integer, units  Promised to open carts and orders, until their holds expire.
--   allocated    integer, units  Promised to confirmed orders.
--   quarantined  integer, units  On hand and not for sale.
--   shortfall    integer, units  Left although the books did not have them free.
--   available    integer, units  What is free.
-- Chart: bars sku: on_hand, available
SELECT s.region, s.location, s.sku, s.on_hand, s.held, s.allocated, s.quarantined, s.shortfall, s.available
  FROM stock_now AS s
 WHERE (:'region' = '' OR s.region = :'region')
   AND (:'location' = '' OR s.location = :'location')
   AND (:'sku' = '' OR s.sku = :'sku')
 ORDER BY s.region, s.location, s.sku
 LIMIT :'limit'::bigint
