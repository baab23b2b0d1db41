-- What intake asks of the deliveries and pushes. A delivery moves on only as lake.note_step allows.

-- one --
-- A delivery.
SELECT * FROM lake.source_delivery WHERE id = $1

-- of_source --
-- A source's deliveries that are in one of some states, oldest first.
SELECT * FROM lake.source_delivery WHERE source = $1 AND state = ANY ($2::text[]) ORDER BY id

-- enter --
-- A landed delivery; the same bytes are the same delivery, and a refused one gets another try.
INSERT INTO lake.source_delivery AS d
    (source, name, sha256, bytes, format, mode, period, declaration, watermark, previous)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, (
    SELECT p.id FROM lake.source_delivery p
    WHERE p.source = $1 AND p.state NOT IN ('open', 'refused', 'held') ORDER BY p.id DESC LIMIT 1))
ON CONFLICT (source, sha256) WHERE sha256 IS NOT NULL DO UPDATE SET
    seen = d.seen + 1, seen_at = now(),
    name = CASE d.state WHEN 'refused' THEN excluded.name ELSE d.name END,
    period = CASE d.state WHEN 'refused' THEN excluded.period ELSE d.period END,
    format = CASE d.state WHEN 'refused' THEN excluded.format ELSE d.format END,
    mode = CASE d.state WHEN 'refused' THEN excluded.mode ELSE d.mode END,
    declaration = CASE d.state WHEN 'refused' THEN excluded.declaration ELSE d.declaration END,
    why_code = CASE d.state WHEN 'refused' THEN NULL ELSE d.why_code END,
    why_says = CASE d.state WHEN 'refused' THEN NULL ELSE d.why_says END,
    state = CASE d.state WHEN 'refused' THEN 'landed' ELSE d.state END
RETURNING *, xmax = 0 AS new

-- before --
-- The last delivery before this one that went on: its period, and how many of its rows could be read.
SELECT p.id, p.period, p.rows_in - coalesce((
    SELECT sum(k.rows) FROM lake.source_rejected_kind k WHERE k.delivery = p.id AND k.stage = 'read'), 0)::bigint AS read
FROM lake.source_delivery p
WHERE p.source = $1 AND p.id < $2 AND p.mode = 'full'
  AND p.state IN ('read', 'standardised', 'checked', 'linked', 'published')
ORDER BY p.id DESC LIMIT 1

-- forget_kinds --
-- A stage that begins again counts again.
DELETE FROM lake.source_rejected_kind WHERE delivery = $1 AND stage = $2

-- add_kinds --
-- How many rows failed which check in which column at a stage.
INSERT INTO lake.source_rejected_kind AS k (delivery, stage, col, code, rows)
SELECT $1, $2, col, code, rows FROM unnest($3::text[], $4::text[], $5::bigint[]) AS given(col, code, rows)
ON CONFLICT (delivery, stage, col, code) DO UPDATE SET rows = k.rows + excluded.rows

-- read_done --
-- What reading gave: the delivery goes on, or is held with its reason and would go on from here.
UPDATE lake.source_delivery
SET state = CASE WHEN $6::text IS NULL THEN 'read' ELSE 'held' END,
    held_from = CASE WHEN $6 IS NULL THEN NULL ELSE 'read' END,
    why_code = $6, why_says = $7, rows_in = $2, rows_read = $3, rows_rejected = $4, notes = $5
WHERE id = $1 AND state = 'landed'
RETURNING *

-- refuse --
-- A delivery that cannot be taken as a whole.
UPDATE lake.source_delivery
SET state = 'refused', held_from = NULL, why_code = $2, why_says = $3
WHERE id = $1 AND state NOT IN ('open', 'published', 'refused')
RETURNING *

-- hold --
-- Stop a delivery where it is.
UPDATE lake.source_delivery SET state = 'held', held_from = state, why_code = $2, why_says = $3
WHERE id = $1 AND state NOT IN ('open', 'published', 'refused', 'held')
RETURNING *

-- release --
-- Let a held delivery go on from where it was.
UPDATE lake.source_delivery SET state = held_from, held_from = NULL, why_code = NULL, why_says = NULL
WHERE id = $1 AND state = 'held'
RETURNING *

-- advance --
-- The next stage is done; rows it rejected are no longer among those that go on.
UPDATE lake.source_delivery
SET state = $2, rows_read = rows_read - $3, rows_rejected = rows_rejected + $3, rows_published = $4,
    rows_merged = $5, rows_held = $6
WHERE id = $1
RETURNING *

-- ledger --
-- One entry about a delivery or a key; nothing personal is in it.
SELECT ledger.append($1, $2, NULL, NULL)

-- watermark --
-- How far a table was pulled; a refused delivery does not count, so its rows come again.
SELECT watermark FROM lake.source_delivery
WHERE source = $1 AND watermark IS NOT NULL AND state <> 'refused' ORDER BY id DESC LIMIT 1

-- key_make --
-- A new key of a source; only its hash is kept.
INSERT INTO lake.source_key (source, hash, note, per_minute, made_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING id

-- key_revoke --
-- Stop a key for good.
UPDATE lake.source_key SET revoked_at = now(), revoked_by = $2, revoked_why = $3
WHERE id = $1 AND revoked_at IS NULL RETURNING source

-- key_list --
-- The keys of all sources, or of one, newest first, with their last use.
SELECT k.id, k.source, k.note, k.per_minute, k.made_by, k.made_at, k.expires_at, k.revoked_at, k.revoked_by,
       k.revoked_why, (SELECT max(p.at) FROM lake.push p WHERE p.key = k.id) AS used_at
FROM lake.source_key k WHERE $1::text IS NULL OR k.source = $1 ORDER BY k.id DESC

-- key_find --
-- The live key with this hash.
SELECT id, source, per_minute FROM lake.source_key
WHERE hash = $1 AND revoked_at IS NULL AND expires_at > $2

-- pushed_before --
-- A push under this once-only key, if there was one.
SELECT id, delivery, digest, accepted, rejected, answer FROM lake.push WHERE source = $1 AND once = $2

-- pushed_lately --
-- How many pushes came with a key in the last minute.
SELECT count(*) FROM lake.push WHERE key = $1 AND at > $2::timestamptz - interval '1 minute'

-- open_delivery --
-- The delivery to which a source's pushes are being added, kept open while we add.
SELECT id FROM lake.source_delivery WHERE source = $1 AND state = 'open' FOR SHARE

-- open_new --
-- A delivery for pushes to come; nothing when another process was quicker.
INSERT INTO lake.source_delivery (source, format, mode, period, declaration, state)
VALUES ($1, 'push', $2, $3, $4, 'open')
ON CONFLICT (source) WHERE state = 'open' DO NOTHING

-- push --
-- One request as it came, with the answer it gets.
INSERT INTO lake.push (source, delivery, key, once, digest, body, accepted, rejected, answer, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (source, once) DO NOTHING RETURNING id

-- refused_push --
-- A request that was not taken, counted by the minute.
INSERT INTO lake.push_refusal AS r (minute, source, key, code, bytes)
VALUES (date_trunc('minute', $1::timestamptz), $2, $3, $4, $5)
ON CONFLICT (minute, source, key, code) DO UPDATE SET times = r.times + 1, bytes = r.bytes + excluded.bytes

-- close_open --
-- The open delivery of a source, waiting for pushes that are being added.
SELECT id FROM lake.source_delivery WHERE source = $1 AND state = 'open' FOR UPDATE

-- bodies --
-- What was pushed into a delivery, in the order in which it came.
SELECT id, body FROM lake.push WHERE delivery = $1 AND body IS NOT NULL ORDER BY id

-- landed --
-- An open delivery is closed and its bytes are on disk.
UPDATE lake.source_delivery
SET state = 'landed', sha256 = $2, bytes = $3, period = $4, landed_at = now(), previous = (
    SELECT p.id FROM lake.source_delivery p
    WHERE p.source = $5 AND p.state NOT IN ('open', 'refused', 'held') ORDER BY p.id DESC LIMIT 1)
WHERE id = $1 RETURNING *

-- bodies_gone --
-- What was landed need not stand here too.
UPDATE lake.push SET body = NULL WHERE delivery = $1 AND body IS NOT NULL
