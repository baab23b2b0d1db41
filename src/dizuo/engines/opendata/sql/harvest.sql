-- source_put --
-- Add a source, or change one.
INSERT INTO opendata.harvest_source (id, kind, title, url, licence, allowed, every_hours, added_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, title = excluded.title, url = excluded.url, licence = excluded.licence,
    allowed = excluded.allowed, every_hours = excluded.every_hours, etag = '', last_modified = '', mark = '', active = true

-- source --
-- One source with what it said last.
SELECT id, kind, title, url, licence, allowed, every_hours, active, etag, last_modified, mark
FROM opendata.harvest_source WHERE id = $1

-- source_active --
-- Stop or start a source.
UPDATE opendata.harvest_source SET active = $2 WHERE id = $1 RETURNING id

-- source_said --
-- What a source said when all of it was taken.
UPDATE opendata.harvest_source SET etag = $2, last_modified = $3, mark = $4 WHERE id = $1

-- sources --
-- Every source with its last run and how its records fare.
SELECT s.id, s.kind, s.title, s.url, s.licence, s.every_hours, s.active, r.id AS run, r.state, r.why, r.pages, r.started_at,
       r.ended_at, coalesce(c.shown, 0) AS shown, coalesce(c.offline, 0) AS offline, coalesce(c.refused, 0) AS refused
FROM opendata.harvest_source s
LEFT JOIN LATERAL (SELECT * FROM opendata.harvest_run r WHERE r.source = s.id ORDER BY r.id DESC LIMIT 1) r ON true
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE fate NOT IN ('refused', 'offline')) AS shown, count(*) FILTER (WHERE fate = 'offline') AS offline,
           count(*) FILTER (WHERE fate = 'refused') AS refused
    FROM opendata.harvest_record h WHERE h.source = s.id) c ON true
ORDER BY s.id

-- due --
-- Active sources whose last whole run began too long ago, or whose run was cut off.
SELECT s.id FROM opendata.harvest_source s WHERE s.active AND (
    EXISTS (SELECT FROM opendata.harvest_run r WHERE r.source = s.id AND r.state = 'running')
    OR NOT EXISTS (SELECT FROM opendata.harvest_run r WHERE r.source = s.id AND r.state <> 'running'
                   AND r.started_at > $1::timestamptz - make_interval(hours => s.every_hours)))
ORDER BY s.id

-- run_left --
-- A run of this source that was cut off.
SELECT id, next_page, pages FROM opendata.harvest_run WHERE source = $1 AND state = 'running'

-- run_new --
-- A new run.
INSERT INTO opendata.harvest_run (source, next_page) VALUES ($1, $2) RETURNING id

-- run_on --
-- Where a run goes on.
UPDATE opendata.harvest_run SET next_page = $2, pages = pages + 1 WHERE id = $1

-- run_end --
-- How a run ended.
UPDATE opendata.harvest_run SET state = $2, why = $3, ended_at = now() WHERE id = $1

-- counts --
-- What became of the records that a run saw.
SELECT fate, count(*) AS records FROM opendata.harvest_record WHERE run = $1 GROUP BY fate

-- known --
-- What is known of these records.
SELECT h.identifier, h.dataset, h.digest, h.fate, d.extras->'ckan'->>'created' AS created
FROM opendata.harvest_record h LEFT JOIN opendata.dataset d ON d.id = h.dataset
WHERE h.source = $1 AND h.identifier = ANY ($2::text[])

-- taken --
-- Whether a name is in use.
SELECT EXISTS (SELECT FROM opendata.dataset WHERE id = $1)

-- put --
-- Write a harvested dataset.
SELECT opendata.put_foreign('harvested', $1, $2, $3)

-- show --
-- Show a harvested dataset, or take it offline.
SELECT opendata.show_harvested($1, $2)

-- fate --
-- What became of a record.
INSERT INTO opendata.harvest_record AS h (source, identifier, dataset, digest, fate, why, run)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (source, identifier) DO UPDATE SET dataset = coalesce(excluded.dataset, h.dataset), digest = excluded.digest,
    fate = excluded.fate, why = excluded.why, run = excluded.run,
    changed_at = CASE WHEN h.fate = excluded.fate THEN h.changed_at ELSE now() END

-- missing --
-- Records with a dataset that is shown, which this run did not see.
SELECT identifier, dataset FROM opendata.harvest_record
WHERE source = $1 AND run < $2 AND dataset IS NOT NULL AND fate <> 'offline' ORDER BY identifier

-- shown --
-- How many datasets of a source are shown.
SELECT count(*) FROM opendata.harvest_record WHERE source = $1 AND dataset IS NOT NULL AND fate <> 'offline'

-- fates --
-- What became of a source's records, those with a reason first.
SELECT identifier, dataset, fate, why, changed_at FROM opendata.harvest_record WHERE source = $1
ORDER BY why = '', changed_at DESC, identifier LIMIT $2

-- lock --
-- One process at a time works on a source; a process that dies lets go.
SELECT pg_try_advisory_lock(70720, hashtext($1))

-- unlock --
-- Let go.
SELECT pg_advisory_unlock(70720, hashtext($1))

-- ledger --
-- Enter it.
SELECT ledger.append($1, $2, NULL, NULL)

-- unindexed --
-- Foreign datasets whose entries of the search are not those of what is said of them now.
SELECT d.id, d.changed_at FROM opendata.dataset d LEFT JOIN opendata.foreign_indexed i ON i.dataset = d.id
WHERE d.origin <> 'declared' AND i.changed_at IS DISTINCT FROM d.changed_at ORDER BY d.id LIMIT 5000

-- indexed --
-- The entries of a dataset are of this moment.
INSERT INTO opendata.foreign_indexed (dataset, changed_at) VALUES ($1, $2)
ON CONFLICT (dataset) DO UPDATE SET changed_at = excluded.changed_at
