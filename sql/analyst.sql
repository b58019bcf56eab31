-- What analysts may do: read the views of migrations/011_reports.sql, and nothing else. `stockyard
-- report grant` runs this; so does psql, by a user who may create roles. Then, for each analyst:
-- CREATE USER ada PASSWORD '...'; GRANT stockyard_analyst TO ada;
CREATE ROLE stockyard_analyst;
GRANT SELECT ON TABLE
    stock_now, ledger, sales, sales_daily, movements_daily,
    reservation_outcomes, reservations_open, transfers_now, catalogue, places
TO stockyard_analyst;
