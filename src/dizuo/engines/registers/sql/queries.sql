-- request --
-- First step of many reads: everything entered, tickets only.
SELECT registers.request($1::text::jsonb)::text

-- release --
-- Second step: the values of committed tickets.
SELECT registers.release($1::uuid[], $2::bytea[])::text

-- write --
-- Changes of records with their ledger entries, in the caller's transaction.
SELECT registers.write($1::text::jsonb)::text
