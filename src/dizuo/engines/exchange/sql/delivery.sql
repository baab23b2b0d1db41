-- Signed calls between departments: keys, rights, both steps of a call.

-- deliver --
-- Both steps of many calls, with the commit between them.
CALL exchange.deliver($1::text::jsonb, $2::bytea[], NULL)

-- ask --
-- First step of many calls: everything held against the rights and entered, tickets only.
SELECT exchange.ask($1::text::jsonb)

-- release --
-- Second step: the values of committed tickets.
SELECT registers.release($1::uuid[], $2::bytea[])::text

-- signing_keys --
-- Every registered key, revoked ones too, so that a refusal can say why.
SELECT id, consumer, algorithm, public, valid_from, valid_until, made_by, made_at, revoked_at, revoked_by, revoked_why
FROM exchange.signing_key ORDER BY made_at, id

-- rights --
-- What a department was ever granted, with what today has used of it; newest first.
SELECT g.id, g.version, g.consumer, g.resource, g.fields, g.purpose, g.matter, g.basis, g.methods, g.per_day, g.starts, g.expires, g.state,
       r.title, r.register, ARRAY(SELECT f ->> 'id' FROM jsonb_array_elements(r.fields) AS f) AS known,
       coalesce(u.used, 0) AS used
FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource
LEFT JOIN exchange.grant_used u ON u.grant_id = g.id AND u.day = (now() AT TIME ZONE 'Asia/Shanghai')::date
WHERE g.consumer = $1 ORDER BY g.id DESC

-- enter --
-- Entries that concern no person: what was refused before anybody was known, in counts.
SELECT ledger.append_batch($1)

-- add_key --
-- Register a public key with its entry.
SELECT exchange.add_key($1, $2, $3, $4, $5, $6)

-- revoke_key --
-- Stop a key with its entry.
SELECT exchange.revoke_key($1, $2, $3)

-- ask_node --
-- A call about a resource at a department's node: held against its right and entered.
SELECT exchange.ask_node($1::text::jsonb)

-- told_node --
-- What the node said, entered before anybody is told.
SELECT exchange.told_node($1, $2::text::jsonb, $3)

-- tell_forgotten --
-- Calls whose process died before it knew the node's answer.
SELECT exchange.tell_forgotten()

-- nodes --
-- Where resources are asked for that stay at their department.
SELECT n.resource, n.organisation, n.address, n.keys, n.private FROM exchange.node n JOIN exchange.resource r ON r.code = n.resource
WHERE n.stopped_at IS NULL AND r.state <> 'offline' ORDER BY n.resource

-- note_availability --
-- Answers, failures and probes of one resource's interface, today.
SELECT exchange.note_availability($1, $2, $3, $4, $5, $6)

-- bind_node --
-- Where a resource is asked for.
SELECT exchange.bind_node($1, $2, $3, $4, $5)

-- stop_node --
-- The base asks there no more.
SELECT exchange.stop_node($1, $2, $3)

-- bound_nodes --
-- Every node ever bound, with today's counts.
SELECT n.resource, r.title, n.organisation, n.address, n.keys, n.private, n.made_by, n.made_at, n.stopped_at,
       coalesce(a.answered, 0) AS answered, coalesce(a.failed, 0) AS failed, coalesce(a.probes, 0) AS probes,
       coalesce(a.probes_failed, 0) AS probes_failed, coalesce(a.last_why, '') AS last_why
FROM exchange.node n JOIN exchange.resource r ON r.code = n.resource
LEFT JOIN exchange.availability a ON a.resource = n.resource AND a.day = (now() AT TIME ZONE 'Asia/Shanghai')::date
ORDER BY n.resource

-- note_calls --
-- What was called, by kind and minute.
SELECT exchange.note_calls($1)

-- calls_seen --
-- The latest calls of a department; with $2 only those that were refused.
SELECT m.minute, m.key, m.call, m.resource, m.grant_id, m.status, m.code, m.says, m.entry, m.times, m.last_at
FROM exchange.call_minute m WHERE m.consumer = $1 AND (NOT $2 OR m.status >= 400) ORDER BY m.minute DESC, m.last_at DESC LIMIT $3

-- keys_of --
-- The keys of a department, newest first.
SELECT id, consumer, algorithm, public, valid_from, valid_until, made_by, made_at, revoked_at, revoked_by, revoked_why
FROM exchange.signing_key WHERE consumer = $1 ORDER BY made_at DESC, id DESC

-- keys_used --
-- When each key of a department last opened a call.
SELECT m.key, max(m.last_at) AS last_at FROM exchange.call_minute m WHERE m.consumer = $1 AND m.status <> 401 GROUP BY m.key

-- feeds_behind --
-- How many positions of the feed lie before each open subscription of a department.
SELECT f.id, f.behind FROM exchange.feeds_behind($1) AS f

-- grants_used --
-- A department's rights with what they used today and in seven days, those that run first.
SELECT g.id, g.resource, r.title, r.title_en, g.methods, CASE WHEN g.state = 'open' AND g.expires < d.today THEN 'expired' ELSE g.state END AS state,
       g.starts, g.expires, g.per_day, q.number AS request, coalesce(u.used, 0) AS used, coalesce(u.calls, 0) AS calls, coalesce(w.used, 0) AS week
FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource
CROSS JOIN (SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date AS today) AS d
LEFT JOIN exchange.share_request q ON q.id = g.request
LEFT JOIN exchange.grant_used u ON u.grant_id = g.id AND u.day = d.today
LEFT JOIN LATERAL (SELECT sum(v.used)::bigint AS used FROM exchange.grant_used v WHERE v.grant_id = g.id AND v.day > d.today - 7) AS w ON true
WHERE g.consumer = $1 ORDER BY g.state IN ('open', 'suspended') DESC, g.id DESC LIMIT 200

-- stop_own_key --
-- Stop a key of the actor's own department.
SELECT exchange.stop_own_key($1, $2, $3)

-- feed_pause --
-- A subscription rests.
SELECT exchange.feed_pause($1, $2, $3)

-- feed_resume --
-- A subscription goes on.
SELECT exchange.feed_resume($1, $2)
