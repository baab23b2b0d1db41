-- key_make --
-- A new key.
INSERT INTO opendata.machine_key (digest, organisation, note, made_by, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING id

-- key_revoke --
-- Stop a key that works.
UPDATE opendata.machine_key SET revoked_at = now(), revoked_by = $2, revoked_why = $3
WHERE id = $1 AND revoked_at IS NULL RETURNING organisation

-- key_list --
-- Every key ever made.
SELECT id, organisation, note, made_by, made_at, expires_at, revoked_at FROM opendata.machine_key ORDER BY id DESC

-- key_find --
-- The live key with this hash.
SELECT id, organisation FROM opendata.machine_key WHERE digest = $1 AND expires_at > $2 AND revoked_at IS NULL

-- ledger --
-- Enter it.
SELECT ledger.append($1, $2, NULL, NULL)
