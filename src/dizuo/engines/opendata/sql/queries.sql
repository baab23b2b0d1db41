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

-- stopped --
-- Declared datasets whose last release did not get through the gate, of some providers or of all; newest first.
SELECT d.id, d.title, d.title_en, d.provider, d.state = 'published' AS shown, g.at, g.rows,
       (SELECT count(*)::int FROM jsonb_array_elements(g.findings) f WHERE (f ->> 'stops')::boolean) AS stops
FROM opendata.dataset d CROSS JOIN LATERAL
    (SELECT r.at, r.rows, r.passed, r.findings FROM opendata.gate_report r WHERE r.dataset = d.id ORDER BY r.id DESC LIMIT 1) g
WHERE NOT g.passed AND d.state <> 'withdrawn' AND ($1::text[] IS NULL OR d.provider = ANY ($1)) ORDER BY g.at DESC LIMIT 100

-- count_use --
-- One use more of a dataset today.
SELECT opendata.count_use($1, $2, $3)

-- apply --
-- A new application.
SELECT opendata.apply($1, $2, $3, $4, $5, $6, $7)

-- move_application --
-- One step of an application.
SELECT opendata.move_application($1, $2, $3, $4, $5, $6)

-- ask --
-- A new ticket.
SELECT opendata.ask($1, $2, $3, $4, $5, $6, $7)

-- answer --
-- The answer to a ticket.
SELECT opendata.answer($1, $2, $3, $4, $5, $6)

-- show --
-- A new showcase, to be reviewed.
SELECT opendata.show($1, $2, $3, $4, $5, $6)

-- review_showcase --
-- What the review says.
SELECT opendata.review_showcase($1, $2, $3, $4)

-- rate --
-- A person's mark.
SELECT opendata.rate($1, $2, $3::smallint)

-- may_take --
-- Whether somebody may take a conditional dataset today.
SELECT opendata.may_take($1, $2, $3)

-- enter_taking --
-- A conditional dataset is taken.
SELECT opendata.enter_taking($1, $2, $3, $4)

-- own --
-- What a person asked for.
SELECT what, id, kind, dataset, said, state, reply, due, until, made_at FROM opendata.own($1)

-- applications --
-- Applications that officials have to do something about, of some organisations or of all; then those that run.
SELECT a.id, a.dataset, a.who, a.unit, a.purpose, a.use_until, a.state, a.due, a.made_at, a.reason, a.report
FROM opendata.application a JOIN opendata.dataset d ON d.id = a.dataset
WHERE a.state IN ('submitted', 'accepted', 'approved', 'open', 'reported') AND ($1::text[] IS NULL OR d.provider = ANY ($1))
ORDER BY a.state IN ('submitted', 'accepted') DESC, a.due NULLS LAST, a.id LIMIT 200

-- tickets --
-- Open tickets, of some organisations or of all.
SELECT id, kind, dataset, provider, text, place, due, state, answer, shown, made_at, answered_at FROM opendata.ticket
WHERE state = 'open' AND ($1::text[] IS NULL OR provider = ANY ($1)) ORDER BY due NULLS LAST, id LIMIT 200

-- answered --
-- What was answered and may be read by everybody.
SELECT id, kind, dataset, provider, text, place, due, state, answer, shown, made_at, answered_at FROM opendata.ticket
WHERE shown AND state <> 'open' AND ($1::text IS NULL OR dataset = $1) ORDER BY id DESC LIMIT $2

-- showcases --
-- Showcases of one state, of a dataset or of all.
SELECT id, title, url, maker, text, datasets, state, made_at FROM opendata.showcase
WHERE state = $1 AND ($2::text IS NULL OR $2 = ANY (datasets)) ORDER BY id DESC LIMIT $3
