-- state --
-- How many are published; the newest change of any, so that one that goes offline counts too.
SELECT count(*) FILTER (WHERE state = 'published') AS published, max(changed_at) AS changed FROM opendata.dataset

-- page --
-- A page of the published ones.
SELECT id FROM opendata.dataset WHERE state = 'published' ORDER BY id OFFSET $1 LIMIT $2

-- spatial --
-- Published ones with shapes, open to everybody.
SELECT id FROM opendata.dataset
WHERE state = 'published' AND shapes AND version > 0 AND open_type = 'unconditional' ORDER BY id LIMIT 1000
