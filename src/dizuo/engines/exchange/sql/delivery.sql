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
LEFT JOIN exchange.grant_use u ON u.grant_id = g.id AND u.day = (now() AT TIME ZONE 'Asia/Shanghai')::date
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
