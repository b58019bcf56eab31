-- Availability and shortages.
--
-- Which products are scarce, at how many locations are they out of stock, and what is on its way?
--
-- Parameters:
--   below   integer = 1 in -1000000000..1000000000  Products with less available than this, in all.
--   region  text =                       Only stock in this region; empty for all.
--   limit   integer = 1000 in 1..100000  Rows at most.
-- Columns:
--   sku            text                The SKU.
--   name           text                The product's name.
--   available      integer, units      What is free, in all; below zero where more is promised than there is.
--   on_hand        integer, units      Physically there and on the books, in all.
--   locations      integer, locations  That have had it.
--   locations_out  integer, locations  Of these, where nothing is free.
--   incoming       integer, units      On their way between locations.
--   shortfall      integer, units      Left although the books did not have them free.
-- Chart: bars sku: available, incoming
SELECT c.sku, c.name,
       coalesce(sum(s.available), 0) AS available, coalesce(sum(s.on_hand), 0) AS on_hand,
       count(s.location) AS locations, sum(CASE WHEN s.available <= 0 THEN 1 ELSE 0 END) AS locations_out,
       coalesce(sum(s.incoming), 0) AS incoming, coalesce(sum(s.shortfall), 0) AS shortfall
  FROM catalogue AS c
  LEFT JOIN stock_now AS s ON s.sku = c.sku AND (:'region' = '' OR s.region = :'region')
 WHERE c.archived_at IS NULL
 GROUP BY c.sku, c.name
HAVING coalesce(sum(s.available), 0) < :'below'::bigint
 ORDER BY available, c.sku
 LIMIT :'limit'::bigint
