-- Statements of requests and rights (供需对接).

-- publish_departments --
-- Those whom the declarations name.
INSERT INTO exchange.department AS d (id, name, uscc)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (id) DO UPDATE SET name = excluded.name, uscc = excluded.uscc, retired_at = NULL
WHERE (d.name, d.uscc) <> (excluded.name, excluded.uscc) OR d.retired_at IS NOT NULL

-- retire_departments --
-- Those whom they name no longer.
UPDATE exchange.department SET retired_at = now() WHERE retired_at IS NULL AND id <> ALL ($1::text[])

-- grants_of --
-- Every right of a department, newest first; of one resource when it is named.
SELECT id, consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires, state, ended_why, version, scope,
       frequency, request, opened_at, changed_at
FROM exchange.data_grant WHERE consumer = $1 AND ($2::text IS NULL OR resource = $2) ORDER BY id DESC

-- grant --
-- One right.
SELECT id, consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires, state, ended_why, version, scope,
       frequency, request, opened_at, changed_at
FROM exchange.data_grant WHERE id = $1

-- open_grant --
-- Open a right that was agreed outside a request.
SELECT exchange.open_grant($1, $2)

-- move_grant --
-- Suspend, resume, revoke, expire or end a right; the day is today's where none is given.
SELECT exchange.move_grant($1, $2, $3, $4, $5, coalesce($6::date, (now() AT TIME ZONE 'Asia/Shanghai')::date))

-- over --
-- Running rights whose last day has passed.
SELECT id FROM exchange.data_grant WHERE state IN ('open', 'suspended') AND expires < $1 ORDER BY id LIMIT $2

-- note_use --
-- A right was used.
SELECT exchange.note_use($1)
