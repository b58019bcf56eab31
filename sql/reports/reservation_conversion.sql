-- Reservation conversion.
--
-- Of the reservations that were made on each day, how many were fulfilled, released or let expire?
--
-- Parameters:
--   from     date = 30 days ago            First day, UTC.
--   to       date = today                  Last day, UTC.
--   channel  text =                        Only this channel; empty for all.
--   limit    integer = 1000 in 1..100000   Rows at most.
-- Columns:
--   day         date                   Day, UTC, on which they were made.
--   made        integer, reservations  All of that day.
--   held        integer, reservations  Still held.
--   allocated   integer, reservations  Confirmed and yet to be fulfilled.
--   fulfilled   integer, reservations  Of which units left, and none is still to leave.
--   released    integer, reservations  Of which no unit left.
--   expired     integer, reservations  That ran out of time.
--   conversion  decimal, %             Fulfilled of those that are neither held nor allocated; null where there is none.
-- Chart: lines day: fulfilled, released, expired
SELECT d.day, d.made, d.held, d.allocated, d.fulfilled, d.released, d.expired,
       round(100 * d.fulfilled / nullif(d.made - d.held - d.allocated, 0), 2) AS conversion
  FROM (SELECT r.day, count(*)::decimal AS made,
               sum(CASE WHEN r.status = 'held' THEN 1 ELSE 0 END)::decimal AS held,
               sum(CASE WHEN r.status = 'allocated' THEN 1 ELSE 0 END)::decimal AS allocated,
               sum(CASE WHEN r.status = 'fulfilled' THEN 1 ELSE 0 END)::decimal AS fulfilled,
               sum(CASE WHEN r.status = 'released' THEN 1 ELSE 0 END)::decimal AS released,
               sum(CASE WHEN r.status = 'expired' THEN 1 ELSE 0 END)::decimal AS expired
          FROM reservation_outcomes AS r
         WHERE r.day >= :'from'::date AND r.day <= :'to'::date
           AND (:'channel' = '' OR r.channel = :'channel')
         GROUP BY r.day) AS d
 ORDER BY d.day
 LIMIT :'limit'::bigint
