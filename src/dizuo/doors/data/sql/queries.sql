-- What the data door tells about the stores: sizes and states, never a value about a person.

-- may_read --
-- Which of the views that other rooms publish for this page exist and may be read.
SELECT n.nspname || '.' || c.relname AS name,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname, c.relname) IN (('registers', 'holdings'), ('lake', 'delivered'), ('lake', 'rejected_kinds'))

-- holdings --
-- How many records stand in each register, and when the last one was written.
SELECT register, records, last_at FROM registers.holdings

-- delivered --
-- The last delivery of each department for each register.
SELECT DISTINCT ON (register, department) register, department, delivery, period_from, period_to, accepted, rejected,
       added, changed, state, landed_at
FROM lake.delivered ORDER BY register, department, landed_at DESC

-- rejected --
-- Why rows of a delivery were not taken: column and kind of fault, with counts; never the row.
SELECT delivery, field, code, rows FROM lake.rejected_kinds WHERE delivery = ANY ($1::bigint[]) ORDER BY rows DESC

-- checkpoint --
-- The last signed head of the ledger, and how many entries are under it.
SELECT size, encode(root, 'hex') AS root, note, at FROM ledger.checkpoint ORDER BY size DESC LIMIT 1

-- asked --
-- What the form of each matter asked and what it knew, over the applications since a moment.
SELECT matter, count(*) AS n, coalesce(avg((counts ->> 'asked')::numeric), 0)::float8 AS asked,
       coalesce(avg((counts ->> 'known')::numeric), 0)::float8 AS known
FROM cases.application WHERE submitted_at >= $1 GROUP BY 1
