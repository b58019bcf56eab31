-- Writes the statements that copy all rows of the database `stockyard_before` into the one that it runs
-- in: the way from a CockroachDB database that was made without regions to one that has them. Pods are
-- stopped meanwhile. Each table is one transaction; of one with millions of rows copy a region at a time,
-- by adding WHERE region = '...'.
--
--   cockroach sql --url "$ADMIN_URL" -e 'ALTER DATABASE stockyard RENAME TO stockyard_before; CREATE DATABASE stockyard'
--   stockyard migrate
--   cockroach sql --url "$URL" --format=raw < sql/copy.sql | grep -E '^(INSERT|UPDATE)' > copy-rows.sql
--   cockroach sql --url "$URL" < copy-rows.sql && stockyard verify

SELECT 'INSERT INTO ' || c.relname || ' (' || string_agg(quote_ident(a.attname), ', ') || ') SELECT '
    || string_agg(quote_ident(a.attname) || CASE WHEN t.typname = 'crdb_internal_region' THEN '::text::crdb_internal_region' ELSE '' END, ', ')
    || ' FROM stockyard_before.public.' || c.relname || ';'
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'public'
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
 WHERE c.relkind = 'r' AND c.relname NOT IN ('schema_migrations', 'schema_lock', 'feed_source', 'feed_batches')
 GROUP BY c.relname
 UNION ALL
-- The feed begins behind the copy, so that nothing is left to feed_batches that isn't in it.
SELECT 'UPDATE schema_migrations SET applied_at = now() WHERE true;'
 ORDER BY 1;
