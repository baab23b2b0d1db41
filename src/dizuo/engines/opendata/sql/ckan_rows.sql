-- table_lock --
-- The resource of a dataset's table, held until the transaction ends.
SELECT resource FROM opendata.loaded_table WHERE dataset = $1 FOR UPDATE

-- table_show --
-- Columns and key of a dataset's table.
SELECT fields, keys FROM opendata.loaded_table WHERE dataset = $1

-- table_put --
-- A table's columns and key.
INSERT INTO opendata.loaded_table (dataset, resource, fields, keys) VALUES ($1, $2, $3, $4)
ON CONFLICT (dataset) DO UPDATE SET fields = excluded.fields, keys = excluded.keys, changed_at = now()

-- table_refused --
-- Why its rows were not released, '' when they were.
UPDATE opendata.loaded_table SET refused = $2, changed_at = now() WHERE dataset = $1

-- rows_clear --
-- No rows any more.
DELETE FROM opendata.loaded_row WHERE dataset = $1

-- rows_insert --
-- Rows behind those that are there.
WITH last AS (SELECT coalesce(max(n), 0) AS n FROM opendata.loaded_row WHERE dataset = $1),
new AS (
    INSERT INTO opendata.loaded_row (dataset, n, key, data)
    SELECT $1, last.n + one.place, one.value->>'key', one.value->'data'
    FROM last CROSS JOIN jsonb_array_elements($2) WITH ORDINALITY AS one (value, place) RETURNING 1)
SELECT count(*) FROM new

-- rows_upsert --
-- Rows by their key: changed where it is there, added where not; of two with one key in a call the last counts.
WITH last AS (SELECT coalesce(max(n), 0) AS n FROM opendata.loaded_row WHERE dataset = $1),
wanted AS (
    SELECT DISTINCT ON (one.value->>'key') one.value->>'key' AS key, one.value->'data' AS data, one.place
    FROM jsonb_array_elements($2) WITH ORDINALITY AS one (value, place) ORDER BY one.value->>'key', one.place DESC),
new AS (
    INSERT INTO opendata.loaded_row AS r (dataset, n, key, data)
    SELECT $1, last.n + row_number() OVER (ORDER BY wanted.place), wanted.key, wanted.data FROM last CROSS JOIN wanted
    ON CONFLICT (dataset, key) WHERE key IS NOT NULL DO UPDATE SET data = excluded.data RETURNING 1)
SELECT count(*) FROM new

-- rows_update --
-- Rows by their key, those that are there only; fields that are not told stay.
WITH wanted AS (
    SELECT DISTINCT ON (one.value->>'key') one.value->>'key' AS key, one.value->'data' AS data
    FROM jsonb_array_elements($2) WITH ORDINALITY AS one (value, place) ORDER BY one.value->>'key', one.place DESC),
new AS (
    UPDATE opendata.loaded_row r SET data = r.data || jsonb_strip_nulls(wanted.data) FROM wanted
    WHERE r.dataset = $1 AND r.key = wanted.key RETURNING 1)
SELECT count(*) FROM new

-- rows_delete --
-- Rows whose fields have one of the values told, all rows when nothing is told.
DELETE FROM opendata.loaded_row r WHERE r.dataset = $1 AND NOT EXISTS (
    SELECT FROM jsonb_each($2::jsonb) AS f (name, wanted)
    WHERE NOT (f.wanted @> to_jsonb(coalesce(r.data->>f.name, ''))))

-- rows_all --
-- Every row in order.
SELECT data FROM opendata.loaded_row WHERE dataset = $1 ORDER BY n

-- release --
-- Enter what the gate found and release the rows when they passed; the version, 0 when there is none to be seen.
SELECT opendata.release_loaded($1, $2, $3, $4, $5, $6)
