-- Statements of the reads: each answers one page's question.

-- drafts_of --
-- Forms put aside by a person, newest first.
SELECT id, matter, answers, version, updated_at FROM cases.draft WHERE subject = $1 AND acting_for IS NOT DISTINCT FROM $2
ORDER BY updated_at DESC LIMIT 20

-- unfinished --
-- For each person and matter: the form put aside (the one named, else the newest) and the application that still runs.
SELECT d.id, d.answers, d.given, d.version, d.updated_at, r.number, r.title
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::uuid[]) WITH ORDINALITY AS w(subject, acting, matter, draft, ord)
LEFT JOIN LATERAL (
    SELECT f.id, f.answers, f.given, f.version, f.updated_at FROM cases.draft f
    WHERE f.subject = w.subject AND f.acting_for IS NOT DISTINCT FROM w.acting AND f.matter = w.matter
      AND (w.draft IS NULL OR f.id = w.draft)
    ORDER BY f.updated_at DESC LIMIT 1) d ON true
LEFT JOIN LATERAL (
    SELECT a.number, a.title, a.submitted_at FROM cases.application a
    WHERE w.acting IS NULL AND a.applicant = w.subject AND a.acting_for IS NULL AND a.matter = w.matter AND a.ended_at IS NULL
    UNION ALL
    SELECT a.number, a.title, a.submitted_at FROM cases.application a
    WHERE a.acting_for = coalesce(w.acting, w.subject) AND a.matter = w.matter AND a.ended_at IS NULL
    ORDER BY submitted_at DESC LIMIT 1) r ON true
ORDER BY w.ord

-- cases_of --
-- A person's own applications, newest first.
SELECT number, matter, title, state, promised, submitted_at, ended_at,
       (SELECT count(*) FROM cases.item i WHERE i.application = a.id) AS items,
       (SELECT count(*) FROM cases.item i WHERE i.application = a.id AND i.ended_at IS NOT NULL) AS ended,
       EXISTS (SELECT 1 FROM cases.rating r WHERE r.application = a.id) AS rated
FROM cases.application a
WHERE (CASE WHEN $2::bigint IS NULL THEN (a.applicant = $1 AND a.acting_for IS NULL) OR a.acting_for = $1
       ELSE a.acting_for = $2 END)
  AND (submitted_at, id) < (coalesce($3::timestamptz, 'infinity'), 9223372036854775807)
ORDER BY submitted_at DESC LIMIT $4

-- consents_of --
-- What a person is asked to agree to, open ones first.
SELECT a.number, a.title, a.matter, a.applicant_name, c.id, c.party, c.items, c.asks, c.law, c.state, c.asked_at,
       c.expires_at, c.answered_at
FROM cases.consent c JOIN cases.application a ON a.id = c.application
WHERE c.subject = $1 ORDER BY (c.state = 'pending') DESC, c.asked_at DESC LIMIT 20

-- consent_asked --
-- One consent as the person asked sees it.
SELECT a.number, a.title, a.matter, a.applicant_name, c.id, c.party, c.items, c.asks, c.law, c.state, c.asked_at,
       c.expires_at, c.answered_at, a.id AS application
FROM cases.consent c JOIN cases.application a ON a.id = c.application
WHERE a.number = $1 AND c.id = $2 AND c.subject = $3

-- notices_of --
-- Messages to a person, newest first.
SELECT n.id, n.kind, n.says, n.at, n.read_at, n.item, a.number FROM cases.notice n
LEFT JOIN cases.application a ON a.id = n.application
WHERE n.subject = $1 AND n.id < coalesce($2::bigint, 9223372036854775807) ORDER BY n.id DESC LIMIT $3

-- unread_of --
-- How many messages a person has not opened, up to a hundred.
SELECT count(*) FROM (SELECT 1 FROM cases.notice WHERE subject = $1 AND read_at IS NULL LIMIT 100) AS few

-- mark_read --
-- Messages up to this one were seen.
UPDATE cases.notice SET read_at = $3 WHERE subject = $1 AND id <= $2 AND read_at IS NULL

-- documents_of --
-- A person's documents, newest first.
SELECT d.number, d.name, d.kind, d.licence_type, d.issuer_name, d.issued_at, d.state, d.trust_level, a.number AS application, a.title
FROM cases.document d JOIN cases.application a ON a.id = d.application
WHERE d.holder = $1 ORDER BY d.issued_at DESC LIMIT 100

-- document --
-- One document.
SELECT d.number, d.name, d.kind, d.licence_type, d.issuer, d.issuer_name, d.holder, d.holder_name, d.fields, d.trust_level,
       d.sha256, d.check_code, d.state, d.issued_at, d.item, a.number AS application, a.title, a.applicant, a.acting_for
FROM cases.document d JOIN cases.application a ON a.id = d.application WHERE d.number = $1

-- documents_in --
-- The documents of an application.
SELECT number, item, name, issued_at FROM cases.document WHERE application = $1 ORDER BY issued_at

-- decisions_in --
-- The decisions that stand in an application.
SELECT id, item, step, verdict, reason, law, remedy, official, official_name, post, unit, at, final_at, effective_at
FROM cases.decision WHERE application = $1 AND undone_at IS NULL ORDER BY id

-- fixes_in --
-- The fix requests of an application.
SELECT item, wants, reason, asked_by, asked_at, until, answer, answered_at, served FROM cases.fix WHERE application = $1

-- specials_in --
-- The special procedures of an application.
SELECT item, kind, reason, needs, started_by, started_at, result, ended_at FROM cases.special
WHERE application = $1 ORDER BY id

-- tasks_in --
-- The open work on an application.
SELECT id, kind, item, step, department, unit, power, state, due, detail, opened_at FROM cases.task
WHERE application = $1 AND state IN ('open', 'held') ORDER BY id

-- rating --
-- The rating of an application.
SELECT level, says, at FROM cases.rating WHERE application = $1

-- history --
-- What happened to an application, oldest first.
SELECT seq, at, item, step, name, from_state, to_state, actor_kind, actor_name, post, unit, reason, clock, detail
FROM cases.event WHERE application = $1 ORDER BY seq

-- history_between --
-- Everything that happened in a time, by application, for export.
SELECT a.number, a.matter, a.place, a.channel, a.submitted_at, e.seq, e.at, e.item, e.step, e.name, e.from_state,
       e.to_state, e.actor_kind, e.post, e.unit
FROM cases.event e JOIN cases.application a ON a.id = e.application
WHERE a.submitted_at >= $1 AND a.submitted_at < $2 AND ($3::text IS NULL OR a.matter = $3)
ORDER BY a.id, e.seq

-- corrections_of --
-- Errors that a person reported.
SELECT number, register, key, field, says, wants, source, unit, reporter, state, reason, due, opened_at, ended_at
FROM cases.correction WHERE subject = $1 AND reporter <> '系统线索' ORDER BY opened_at DESC LIMIT 50

-- desk --
-- A page of a rail and the bounded counts of all rails, in one walk along the queue's index.
WITH mine AS (
    SELECT power, scope FROM unnest($1::text[], $2::text[]) AS m (power, scope)
), page AS (
    SELECT q.due, q.task FROM mine CROSS JOIN LATERAL (
        SELECT due, task FROM cases.queue
        WHERE power = mine.power AND rail = $3 AND scope = mine.scope AND (due, task) > ($4, $5)
        ORDER BY due, task LIMIT $6
    ) AS q ORDER BY q.due, q.task LIMIT $6
)
SELECT (SELECT coalesce(json_agg(json_build_object(
            'task', t.id, 'kind', t.kind, 'step', t.step, 'item', t.item, 'due', page.due, 'detail', t.detail,
            'unit', t.unit, 'department', t.department, 'opened_at', t.opened_at, 'number', a.number,
            'matter', a.matter, 'title', a.title, 'applicant', a.applicant_name, 'channel', a.channel,
            'submitted_at', a.submitted_at, 'state', i.state, 'paused', i.paused, 'exceptions', i.exceptions,
            'due_statute', i.due_statute, 'version', i.version) ORDER BY page.due, page.task), '[]')
        FROM page JOIN cases.task t ON t.id = page.task
        LEFT JOIN cases.application a ON a.id = t.application
        LEFT JOIN cases.item i ON i.application = t.application AND i.id = t.item)::text AS rows,
    (SELECT count(*) FROM (SELECT 1 FROM mine CROSS JOIN LATERAL (SELECT 1 FROM cases.queue
        WHERE power = mine.power AND rail = 'waiting' AND scope = mine.scope LIMIT $7) AS q LIMIT $7) AS few) AS waiting,
    (SELECT count(*) FROM (SELECT 1 FROM mine CROSS JOIN LATERAL (SELECT 1 FROM cases.queue
        WHERE power = mine.power AND rail = 'cooperating' AND scope = mine.scope LIMIT $7) AS q LIMIT $7) AS few) AS cooperating,
    (SELECT count(*) FROM (SELECT 1 FROM mine CROSS JOIN LATERAL (SELECT 1 FROM cases.queue
        WHERE power = mine.power AND rail = 'supervised' AND scope = mine.scope LIMIT $7) AS q LIMIT $7) AS few) AS supervised,
    (SELECT count(*) FROM (SELECT 1 FROM unnest($8::text[]) AS o (official) CROSS JOIN LATERAL (SELECT 1 FROM cases.handled h
        WHERE h.official = o.official ORDER BY h.at DESC, h.application DESC LIMIT $7) AS few LIMIT $7) AS all_of) AS mine

-- handled_by --
-- What an official worked on, latest first.
SELECT h.at, a.id, h.item, a.number, a.matter, a.title, a.applicant_name AS applicant, a.state AS application_state, i.state,
       i.due_promise, i.version
FROM unnest($1::text[]) AS o (official) CROSS JOIN LATERAL (
    SELECT at, application, item FROM cases.handled
    WHERE official = o.official AND (at, application) < (coalesce($2::timestamptz, 'infinity'), $3)
    ORDER BY at DESC, application DESC LIMIT $4
) AS h JOIN cases.application a ON a.id = h.application
JOIN cases.item i ON i.application = h.application AND i.id = h.item
ORDER BY h.at DESC, h.application DESC LIMIT $4

-- done_counts --
-- Numbers of work done in a time, for 说到做到: ended applications, of these in time, and their mean working effort.
SELECT count(*) AS ended, count(*) FILTER (WHERE promised IS NULL OR ended_at <= promised) AS in_time,
       coalesce(avg((counts ->> 'asked')::numeric), 0)::float8 AS asked,
       coalesce(avg((counts ->> 'known')::numeric), 0)::float8 AS known,
       coalesce(avg(extract(epoch FROM ended_at - submitted_at)), 0)::float8 AS seconds
FROM cases.application WHERE ended_at >= $1 AND ($2::text IS NULL OR matter = $2)
