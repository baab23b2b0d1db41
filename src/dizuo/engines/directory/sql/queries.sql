-- find_session --
-- A live session with its account and posts, in one statement: every page begins with it.
SELECT s.id, s.csrf_key, s.channel, s.acting, s.started_at, s.seen_at, s.ends_at,
       a.id AS account, a.kind, a.subject, a.name, a.demo_key IS NOT NULL AS demo,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(p.post, u.organisation, u.id, u.name, u.division) ORDER BY p.post, u.id), '[]')
        FROM directory.posting p JOIN directory.unit u ON u.id = p.unit
        WHERE p.account = a.id AND p.valid_from <= $3 AND (p.valid_to IS NULL OR p.valid_to >= $3)) AS posts
FROM directory.session s JOIN directory.account a ON a.id = s.account
WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.ends_at > $2 AND a.closed_at IS NULL

-- touch_session --
-- Moves the end of a used session on; never past twelve hours after its beginning.
UPDATE directory.session SET seen_at = $2, ends_at = $3 WHERE id = $1 AND ended_at IS NULL AND ends_at < $3

-- open_session --
-- A new session of an account that is not closed.
INSERT INTO directory.session (token_hash, account, csrf_key, channel, started_at, seen_at, ends_at)
SELECT $1, a.id, $3, $4, $5, $5, $6 FROM directory.account a WHERE a.id = $2 AND a.closed_at IS NULL
RETURNING id

-- end_session --
-- Ends a session for good.
UPDATE directory.session SET ended_at = $2 WHERE token_hash = $1 AND ended_at IS NULL

-- end_sessions_of --
-- Ends every session of an account, for example after a lost phone.
UPDATE directory.session SET ended_at = $2 WHERE account = $1 AND ended_at IS NULL RETURNING token_hash

-- set_acting --
-- For whom a live session acts from now on; null for nobody.
UPDATE directory.session SET acting = $2 WHERE token_hash = $1 AND ended_at IS NULL AND ends_at > $3 RETURNING id

-- account --
-- One account with its posts.
SELECT a.id AS account, a.kind, a.subject, a.name, a.demo_key IS NOT NULL AS demo, a.closed_at,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(p.post, u.organisation, u.id, u.name, u.division) ORDER BY p.post, u.id), '[]')
        FROM directory.posting p JOIN directory.unit u ON u.id = p.unit
        WHERE p.account = a.id AND p.valid_from <= $2 AND (p.valid_to IS NULL OR p.valid_to >= $2)) AS posts
FROM directory.account a WHERE a.id = $1

-- resident_account --
-- The account of a person, made at the first sign-in.
WITH made AS (
    INSERT INTO directory.account (kind, subject, name) VALUES ('resident', $1, $2)
    ON CONFLICT (subject) WHERE kind = 'resident' DO UPDATE SET name = excluded.name
    WHERE directory.account.name <> excluded.name AND directory.account.demo_key IS NULL
    RETURNING id
)
SELECT id FROM made UNION ALL
SELECT id FROM directory.account WHERE kind = 'resident' AND subject = $1
LIMIT 1

-- demo_people --
-- The invented people that the demonstration sign-in offers, in order.
SELECT demo_key, id, kind, name, demo_note FROM directory.account
WHERE demo_order IS NOT NULL AND closed_at IS NULL ORDER BY demo_order, id

-- demo_account --
-- The account of one invented person.
SELECT id FROM directory.account WHERE demo_key = $1 AND closed_at IS NULL

-- holders --
-- Officials who hold a post at a unit today.
SELECT a.id, a.name FROM directory.posting p JOIN directory.account a ON a.id = p.account
WHERE p.unit = $1 AND p.post = ANY ($2::text[]) AND a.closed_at IS NULL
  AND p.valid_from <= $3 AND (p.valid_to IS NULL OR p.valid_to >= $3)
ORDER BY a.id

-- represented_by --
-- The enterprises that a person represents.
SELECT enterprise, name, as_of FROM directory.representation WHERE person = $1 ORDER BY name LIMIT 200

-- represents --
-- Whether a person represents an enterprise, and its name.
SELECT name FROM directory.representation WHERE person = $1 AND enterprise = $2

-- mandates_of --
-- Mandates that somebody gave or holds, newest first.
SELECT id, giver, giver_name, proxy, proxy_name, matters, valid_from, valid_to, granted_at, revoked_at
FROM directory.mandate WHERE giver = $1 OR proxy = $1 ORDER BY id DESC LIMIT 200

-- mandate --
-- One mandate, locked against being revoked meanwhile.
SELECT id, giver, giver_name, proxy, proxy_name, matters, valid_from, valid_to, granted_at, revoked_at
FROM directory.mandate WHERE id = $1 FOR SHARE

-- grant_mandate --
-- A new mandate with its ledger entry.
INSERT INTO directory.mandate (giver, giver_name, proxy, proxy_name, matters, valid_from, valid_to, granted_at, entry)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id

-- revoke_mandate --
-- The giver takes a mandate back, or the proxy gives it up.
UPDATE directory.mandate SET revoked_at = $2, revoked_by = $3
WHERE id = $1 AND revoked_at IS NULL AND $3 IN (giver, proxy)
RETURNING id, giver, giver_name, proxy, proxy_name, matters, valid_from, valid_to, granted_at, revoked_at

-- end_mandated_sessions --
-- Sessions that acted on a mandate stop acting at once when it is revoked.
UPDATE directory.session SET acting = NULL
WHERE ended_at IS NULL AND acting ->> 'mandate' = $1::text RETURNING token_hash

-- enter --
-- One entry of the ledger.
SELECT ledger.append($1, $2::jsonb, $3, $4::jsonb)
