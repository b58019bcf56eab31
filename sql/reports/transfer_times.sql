-- Transfer times and losses.
--
-- How long is stock on its way between locations, and how much of it doesn't arrive?
--
-- Parameters:
--   from   date = 90 days ago            First day of shipping, UTC.
--   to     date = today                  Last day of shipping, UTC.
--   sku    text =                        Only this SKU; empty for all.
--   limit  integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   from_location  text                The origin.
--   to_location    text                The destination.
--   transfers      integer, transfers  That were shipped.
--   arrived        integer, transfers  Of these, of which units arrived and none is in transit.
--   mean_hours     decimal, hours      From shipping to the last arrival, of those that arrived; null where none has.
--   longest_hours  decimal, hours      The longest of these.
--   shipped        integer, units      Units that left.
--   received       integer, units      Units that arrived.
--   lost           integer, units      Units given up as lost.
--   returned       integer, units      Units that came back to the origin.
--   in_transit     integer, units      Units that left and are nowhere yet.
--   loss           decimal, %          Lost of shipped.
-- Chart: bars to_location: mean_hours
SELECT t.from_location, t.to_location, count(*) AS transfers,
       sum(CASE WHEN t.in_transit = 0 AND t.received > 0 THEN 1 ELSE 0 END) AS arrived,
       round(avg(CASE WHEN t.in_transit = 0 AND t.received > 0 THEN t.hours END), 2) AS mean_hours,
       round(max(CASE WHEN t.in_transit = 0 AND t.received > 0 THEN t.hours END), 2) AS longest_hours,
       sum(t.shipped) AS shipped, sum(t.received) AS received, sum(t.lost) AS lost, sum(t.returned) AS returned, sum(t.in_transit) AS in_transit,
       round(100 * sum(t.lost) / nullif(sum(t.shipped), 0), 2) AS loss
  FROM (SELECT n.from_location, n.to_location, n.shipped, n.received, n.lost, n.returned, n.in_transit,
               (extract(epoch FROM m.arrived_at)::decimal - extract(epoch FROM m.shipped_at)::decimal) / 3600 AS hours
          FROM (SELECT f.from_location, f.to_location, f.transfer_id,
                       sum(f.shipped) AS shipped, sum(f.received) AS received, sum(f.lost) AS lost,
                       sum(f.returned) AS returned, sum(f.in_transit) AS in_transit
                  FROM transfers_now AS f
                 WHERE f.shipped > 0
                   AND (:'sku' = '' OR f.sku = :'sku')
                 GROUP BY f.from_location, f.to_location, f.transfer_id) AS n
          JOIN (SELECT e.transfer_id,
                       min(CASE WHEN e.kind = 'transfer_ship' THEN e.effective_at END) AS shipped_at,
                       max(CASE WHEN e.kind = 'transfer_receive' THEN e.effective_at END) AS arrived_at
                  FROM ledger AS e
                 WHERE e.kind IN ('transfer_ship', 'transfer_receive')
                 GROUP BY e.transfer_id) AS m ON m.transfer_id = n.transfer_id
         WHERE m.shipped_at >= :'from'::date::timestamp AT TIME ZONE 'UTC'
           AND m.shipped_at < (:'to'::date + 1)::timestamp AT TIME ZONE 'UTC') AS t
 GROUP BY t.from_location, t.to_location
 ORDER BY t.from_location, t.to_location
 LIMIT :'limit'::bigint
