-- datasets --
-- Published datasets, or one of any state; newest first.
SELECT d.id, d.origin, d.title, d.title_en, d.abstract, d.abstract_en, d.provider, d.theme, d.open_type, d.condition,
       d.condition_en, d.cycle, d.licence, d.spatial, d.temporal, d.also, d.fields, d.formats, d.shapes, d.made, d.state,
       d.version, d.extras, d.first_published, d.updated_at, d.changed_at, coalesce(v.rows, 0) AS rows,
       coalesce(encode(v.digest, 'hex'), '') AS digest, coalesce(v.epsilon, 0) AS epsilon, v.accuracy, v.report, v.entry,
       coalesce(u.downloads, 0)::bigint AS downloads, coalesce(u.calls, 0)::bigint AS calls,
       coalesce(r.mean, 0)::float8 AS rating, coalesce(r.marks, 0)::bigint AS ratings
FROM opendata.dataset d
LEFT JOIN opendata.version v ON v.dataset = d.id AND v.version = d.version
LEFT JOIN LATERAL (
    SELECT sum(uses) FILTER (WHERE kind = 'download') AS downloads, sum(uses) FILTER (WHERE kind = 'call') AS calls
    FROM opendata.usage u WHERE u.dataset = d.id) u ON true
LEFT JOIN LATERAL (SELECT avg(mark) AS mean, count(*) AS marks FROM opendata.rating r WHERE r.dataset = d.id) r ON true
WHERE (($1::text[] IS NULL AND d.state = 'published') OR d.id = ANY ($1)) AND ($2::text IS NULL OR d.id > $2)
ORDER BY d.id LIMIT $3

-- versions --
-- Every release of a dataset, newest first.
SELECT version, released_at, rows, encode(digest, 'hex') AS digest, epsilon, accuracy, report, entry
FROM opendata.version WHERE dataset = $1 ORDER BY version DESC LIMIT 100

-- page_of_rows --
-- Rows of a release after a place, in order.
SELECT n, data, shape FROM opendata.row WHERE dataset = $1 AND version = $2 AND n > $3 ORDER BY n LIMIT $4

-- reports --
-- What the gate found, newest first.
SELECT id, at, by, passed, rows, encode(digest, 'hex') AS digest, findings, entry
FROM opendata.gate_report WHERE dataset = $1 ORDER BY id DESC LIMIT 20

-- count_use --
-- One use more of a dataset today.
SELECT opendata.count_use($1, $2, $3)
