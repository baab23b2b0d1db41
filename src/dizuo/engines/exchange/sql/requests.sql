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

-- draft_request --
-- A new draft of a department; its number.
SELECT exchange.draft_request($1, $2, $3, $4)

-- request --
-- One request with its resource's title and provider.
SELECT q.id, q.number, q.department, q.resource, q.fields, q.purpose, q.basis, q.matter, q.duty, q.scope, q.methods, q.until, q.frequency,
       q.per_day, q.responsible, q.committed, q.despite, q.share_type, q.state, q.clock, q.clocks, q.drafted_by, q.refusal, q.refusal_words,
       q.supplemented, q.extended, q.settled_at, q.grant_id, q.version, q.created_at, q.changed_at, q.sent_at,
       coalesce(r.title, '') AS title, coalesce(r.provider, '') AS provider
FROM exchange.share_request q LEFT JOIN exchange.resource r ON r.code = q.resource
WHERE q.number = $1

-- work --
-- Requests that concern a department or, for the authority, all that were sent; running first, newest first.
SELECT q.id, q.number, q.department, q.resource, q.fields, q.purpose, q.basis, q.matter, q.duty, q.scope, q.methods, q.until, q.frequency,
       q.per_day, q.responsible, q.committed, q.despite, q.share_type, q.state, q.clock, q.clocks, q.drafted_by, q.refusal, q.refusal_words,
       q.supplemented, q.extended, q.settled_at, q.grant_id, q.version, q.created_at, q.changed_at, q.sent_at,
       coalesce(r.title, '') AS title, coalesce(r.provider, '') AS provider
FROM exchange.share_request q LEFT JOIN exchange.resource r ON r.code = q.resource
WHERE q.department = ANY ($1) OR (r.provider = ANY ($1) AND q.state NOT IN ('draft', 'department_review')) OR ($2 AND q.state <> 'draft')
ORDER BY (q.state IN ('department_review', 'authority_review', 'supplement', 'provider_reply', 'agreed', 'dispute', 'ruling')) DESC,
         q.changed_at DESC, q.id DESC
LIMIT $3

-- steps --
-- What happened to a request, in order.
SELECT ord, at, event, from_state, to_state, actor, name, unit, post, words, reason, law, clock, used, in_time, entry
FROM exchange.share_step WHERE request = $1 ORDER BY ord

-- save_request --
-- Keep what was filled in.
SELECT exchange.save_request($1, $2, $3)

-- move_request --
-- One step.
SELECT exchange.move_request($1, $2, $3, $4, $5, $6)

-- provision_request --
-- Open what was agreed to.
SELECT exchange.provision_request($1, $2, $3, $4, $5)

-- note_interception --
-- Somebody was pointed to what is there.
SELECT exchange.note_interception($1, $2)

-- right_to_same --
-- A usable right of the department to the same fields for the same matter, or on the same law where it is for a duty.
SELECT id, consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires, state, ended_why, version, scope,
       frequency, request, opened_at, changed_at
FROM exchange.data_grant
WHERE consumer = $1 AND resource = $2 AND fields @> $3 AND matter = $4 AND (matter <> '' OR basis = $5) AND state = 'open'
  AND starts <= $6 AND expires >= $6
ORDER BY expires DESC LIMIT 1

-- offered --
-- One resource, as a request needs to know it.
SELECT code, title, title_en, provider, share_type, share_condition, share_basis, fields, state, update_cycle
FROM exchange.resource WHERE code = $1

-- all_offered --
-- Every published resource.
SELECT code, title, title_en, provider, share_type, share_condition, share_basis, fields, state, update_cycle
FROM exchange.resource WHERE state IN ('published', 'changing') ORDER BY share_type, provider, code

-- reasons --
-- The lawful reasons for refusing.
SELECT id, by, law, verified FROM exchange.refusal_reason ORDER BY ord

-- holding_datum --
-- The resource that holds a datum, its field, and a usable right of the department to it.
SELECT r.code, r.title, r.provider, f.value ->> 'id' AS field, r.share_type,
       (SELECT g.id FROM exchange.data_grant g
        WHERE g.consumer = $2 AND g.resource = r.code AND g.fields @> ARRAY[f.value ->> 'id'] AND g.state = 'open' AND g.starts <= $3 AND g.expires >= $3
        ORDER BY g.expires DESC LIMIT 1) AS held
FROM exchange.resource r, jsonb_array_elements(r.fields) AS f
WHERE f.value ->> 'datum' = $1 AND r.state IN ('published', 'changing')
ORDER BY (r.kind = 'register') DESC, r.code LIMIT 1

-- rights --
-- Every right with its resource's title and provider, running ones first.
SELECT g.id, g.consumer, g.resource, g.fields, g.purpose, g.matter, g.basis, g.methods, g.per_day, g.starts, g.expires, g.state, g.ended_why,
       g.version, g.scope, g.frequency, g.request, g.opened_at, g.changed_at, r.title, r.title_en, r.provider, r.share_type, r.fields AS of_resource
FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource
ORDER BY (g.state = 'open') DESC, g.consumer, g.id DESC LIMIT 5000

-- needs --
-- What departments asked for, without anybody's name: the list of needs.
SELECT q.number, q.department, q.resource, r.title, r.title_en, r.provider, q.share_type, q.fields, q.purpose, q.basis, q.matter, q.frequency, q.until, q.state,
       q.sent_at, q.refusal
FROM exchange.share_request q JOIN exchange.resource r ON r.code = q.resource
WHERE q.sent_at IS NOT NULL AND q.state <> 'draft' ORDER BY q.sent_at DESC, q.id DESC LIMIT 5000

-- duties --
-- What each provider is bound to provide, and how it answers: the list of duties.
SELECT r.code, r.title, r.title_en, r.provider, r.share_type, r.share_condition, r.update_cycle, r.fields,
       count(q.id) FILTER (WHERE q.state IN ('provider_reply', 'agreed', 'dispute')) AS waiting,
       count(q.id) FILTER (WHERE q.grant_id IS NOT NULL) AS provided,
       count(q.id) FILTER (WHERE q.refusal IS NOT NULL) AS refused
FROM exchange.resource r LEFT JOIN exchange.share_request q ON q.resource = r.code AND q.sent_at IS NOT NULL
WHERE r.state IN ('published', 'changing') AND r.share_type IN (1, 2)
GROUP BY r.code ORDER BY r.provider, r.share_type, r.code

-- kept_back --
-- What is not shared, and on which law: the negative list.
SELECT code, title, title_en, provider, share_basis, fields FROM exchange.resource
WHERE state IN ('published', 'changing') AND share_type = 3 ORDER BY provider, code

-- figures --
-- How fast and how far requests were answered; from the record alone.
WITH answered AS (
    -- An answer: the authority's for what is unconditional or does not conform, else the provider's.
    SELECT s.request, s.at, s.used, s.in_time, s.event, s.reason, q.share_type, q.department, r.provider
    FROM exchange.share_step s JOIN exchange.share_request q ON q.id = s.request JOIN exchange.resource r ON r.code = q.resource
    WHERE s.event IN ('conform', 'reject', 'agree', 'refuse') AND s.at >= $1
)
SELECT (SELECT count(*) FROM answered) AS answers,
       (SELECT avg(used)::float8 FROM answered WHERE used IS NOT NULL) AS mean_days,
       (SELECT count(*) FROM answered WHERE in_time) AS in_time,
       (SELECT count(*) FROM answered WHERE in_time IS NOT NULL) AS timed,
       (SELECT count(*) FROM answered WHERE event IN ('reject', 'refuse')) AS refused,
       (SELECT coalesce(jsonb_object_agg(reason, n), '{}') FROM
           (SELECT reason, count(*) AS n FROM answered WHERE reason IS NOT NULL GROUP BY reason) AS by_reason) AS by_reason,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('provider', provider, 'answers', n, 'mean_days', mean, 'in_time', kept, 'timed', timed, 'refused', refused)
                        ORDER BY provider), '[]') FROM
           (SELECT provider, count(*) AS n, avg(used)::float8 AS mean, count(*) FILTER (WHERE in_time) AS kept,
                   count(*) FILTER (WHERE in_time IS NOT NULL) AS timed, count(*) FILTER (WHERE event IN ('reject', 'refuse')) AS refused
            FROM answered WHERE event IN ('agree', 'refuse') GROUP BY provider) AS by_provider) AS by_provider,
       (SELECT count(*) FROM exchange.share_request q WHERE q.sent_at >= $1) AS sent,
       (SELECT count(*) FROM exchange.share_request q WHERE q.sent_at >= $1 AND q.grant_id IS NOT NULL) AS satisfied,
       (SELECT count(*) FROM exchange.share_request q WHERE q.sent_at >= $1 AND q.grant_id IS NULL
           AND q.state IN ('department_review', 'authority_review', 'supplement', 'provider_reply', 'agreed', 'dispute', 'ruling')) AS running,
       (SELECT count(*) FROM exchange.data_grant g WHERE g.state = 'open' AND g.starts <= $2 AND g.expires >= $2) AS rights,
       (SELECT count(*) FROM exchange.data_grant g WHERE g.state = 'open' AND g.starts <= $2 AND g.expires >= $2 AND g.frequency = 'realtime'
           AND g.methods && ARRAY['query', 'subscribe']) AS real_time,
       (SELECT count(*) FROM exchange.interception i WHERE i.at >= $1 AND NOT i.despite AND i.kind = 'request') AS pointed_requests,
       (SELECT count(*) FROM exchange.interception i WHERE i.at >= $1 AND NOT i.despite AND i.kind = 'question') AS pointed_questions,
       returned.records AS returned, returned.rights AS returned_rights
FROM (
    -- What came back down (数据回流): delivered to a department of a lower level than the one that provides it.
    SELECT coalesce(sum(d.n), 0)::bigint AS records, count(DISTINCT g.id) AS rights
    FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource
    JOIN jsonb_each_text($3::jsonb) AS low ON low.key = g.consumer
    JOIN jsonb_each_text($3::jsonb) AS high ON high.key = r.provider AND high.value::integer > low.value::integer
    CROSS JOIN LATERAL (
        SELECT u.used AS n FROM exchange.grant_used u
        WHERE u.grant_id = g.id AND u.day >= ($1::timestamptz AT TIME ZONE 'Asia/Shanghai')::date
        UNION ALL SELECT p.rows FROM exchange.bulk b JOIN exchange.bulk_part p ON p.bulk = b.id
        WHERE b.grant_id = g.id AND p.entered_at >= $1 AND p.rows IS NOT NULL
        UNION ALL SELECT s.delivered FROM exchange.subscription s WHERE s.grant_id = g.id AND s.opened_at >= $1
    ) AS d
    WHERE d.n > 0
) AS returned

-- code_of --
-- The code of a declared register's or source's resource.
SELECT code FROM exchange.resource WHERE (kind = $1) AND ((kind = 'register' AND register = $2) OR (kind = 'source' AND source = $2))

-- any_request --
-- Whether there is any request yet.
SELECT EXISTS (SELECT FROM exchange.share_request)

-- discard_draft --
-- A draft that nobody else has seen is deleted, with its entry.
SELECT exchange.discard_draft($1, $2, $3)
