-- last_checkpoint --
-- Where the ledger stands: the newest signed tree head.
SELECT size, root, note, tx::text AS tx, entry FROM ledger.checkpoint ORDER BY size DESC LIMIT 1

-- checkpoint_at --
-- The signed tree head of one size.
SELECT size, root, note FROM ledger.checkpoint WHERE size = $1

-- first_checkpoint_over --
-- The newest signed tree head that covers a leaf.
SELECT size, root, note FROM ledger.checkpoint WHERE size > $1 ORDER BY size DESC LIMIT 1

-- moved --
-- Whether the database came from another server: its present transaction number lies before the last sealed one.
SELECT pg_snapshot_xmax(pg_current_snapshot()) <= $1::text::xid8

-- seal --
-- Give the next entries of finished transactions their places and leaf hashes, in the order (tx, id).
-- Everything below the snapshot's xmin has ended and is visible here, so nothing can appear before it later.
WITH due AS MATERIALIZED (
    SELECT id, tx, at, kind, body, commitment FROM ledger.entry
    WHERE (tx, id) > ($2::text::xid8, $3::bigint) AND tx < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY tx, id LIMIT $4
), placed AS (
    INSERT INTO ledger.leaf (seq, entry, hash)
    SELECT $1::bigint + row_number() OVER (ORDER BY tx, id) - 1, id,
           sha256('\x00'::bytea || convert_to(
               'dizuo-entry/1' || E'\nid ' || id::text
               || E'\nat ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               || E'\nkind ' || kind || E'\nbody ' || body::text
               || E'\ncommitment ' || encode(commitment, 'hex') || E'\n', 'UTF8'))
    FROM due ORDER BY tx, id
    RETURNING seq, entry, hash
)
SELECT p.hash, p.seq, p.entry, d.tx::text AS tx FROM placed p JOIN due d ON d.id = p.entry ORDER BY p.seq

-- seal_moved --
-- The same after the database moved: transaction numbers of the old server lie in the future and have all ended.
WITH due AS MATERIALIZED (
    SELECT id, tx, at, kind, body, commitment FROM ledger.entry e
    WHERE (tx < pg_snapshot_xmin(pg_current_snapshot()) OR tx >= pg_snapshot_xmax(pg_current_snapshot()))
      AND NOT EXISTS (SELECT FROM ledger.leaf l WHERE l.entry = e.id)
    ORDER BY id LIMIT $2
), placed AS (
    INSERT INTO ledger.leaf (seq, entry, hash)
    SELECT $1::bigint + row_number() OVER (ORDER BY id) - 1, id,
           sha256('\x00'::bytea || convert_to(
               'dizuo-entry/1' || E'\nid ' || id::text
               || E'\nat ' || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               || E'\nkind ' || kind || E'\nbody ' || body::text
               || E'\ncommitment ' || encode(commitment, 'hex') || E'\n', 'UTF8'))
    FROM due ORDER BY id
    RETURNING seq, entry, hash
)
SELECT hash, seq, entry FROM placed ORDER BY seq

-- add_checkpoint --
-- Keep a signed tree head.
INSERT INTO ledger.checkpoint (size, root, note, tx, entry) VALUES ($1, $2, $3, $4::text::xid8, $5)

-- add_nodes --
-- Keep the hashes of completed subtrees.
INSERT INTO ledger.node (level, position, hash) SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])

-- nodes --
-- Hashes of kept subtrees, by level and range of positions; level 0 is the leaves.
SELECT s.level, n.position, n.hash FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS s(level, low, high)
JOIN LATERAL (
    SELECT position, hash FROM ledger.node WHERE s.level > 0 AND level = s.level AND position >= s.low AND position < s.high
    UNION ALL
    SELECT seq, hash FROM ledger.leaf WHERE s.level = 0 AND seq >= s.low AND seq < s.high
) AS n ON true

-- covered --
-- One entry as its leaf covers it, and its place.
SELECT id, at, kind, body, commitment, seq FROM ledger.covered($1)

-- entries_of --
-- Entries about one person, newest first.
SELECT id, at, kind, body, payload, seq FROM ledger.entries_of($1, $2, $3)

-- append_batch --
-- Many entries in one statement.
SELECT ledger.append_batch($1)

-- served_checkpoint --
-- The tree head that the public sees: the newest one with a cosignature while that is younger than $1 seconds, else the newest.
SELECT c.size, c.root, c.note,
       coalesce((SELECT string_agg(s.line || E'\n', '' ORDER BY s.witness) FROM ledger.cosignature s WHERE s.size = c.size), '')
           AS cosignatures
FROM ledger.checkpoint c
WHERE c.size = coalesce(
    (SELECT w.size FROM (SELECT max(size) AS size FROM ledger.cosignature) m JOIN ledger.checkpoint w ON w.size = m.size
     WHERE w.at > clock_timestamp() - make_interval(secs => $1)),
    (SELECT max(size) FROM ledger.checkpoint))

-- proving_checkpoint --
-- The tree head for a proof of leaf $1: the newest that witnesses signed, when it covers the leaf; else the newest.
SELECT c.size, c.root, c.note,
       coalesce((SELECT string_agg(s.line || E'\n', '' ORDER BY s.witness) FROM ledger.cosignature s WHERE s.size = c.size), '')
           AS cosignatures
FROM ledger.checkpoint c
WHERE c.size = coalesce((SELECT max(size) FROM ledger.cosignature WHERE size > $1),
                        (SELECT max(size) FROM ledger.checkpoint WHERE size > $1))

-- bundle --
-- What the leaves of a range cover.
SELECT seq, id, at, kind, body, commitment FROM ledger.bundle($1, $2)

-- cosigned --
-- How far each witness has signed.
SELECT witness, max(size) AS size FROM ledger.cosignature GROUP BY witness

-- add_cosignature --
-- Keep what a witness signed.
INSERT INTO ledger.cosignature (size, witness, line, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- due_for_stamp --
-- The newest checkpoint, when an authority stamped none of the last $2.
SELECT c.size, c.note FROM ledger.checkpoint c
WHERE c.size = (SELECT max(size) FROM ledger.checkpoint)
  AND coalesce((SELECT max(s.size) FROM ledger.stamp s WHERE s.authority = $1), -1)
      < (SELECT min(n.size) FROM (SELECT size FROM ledger.checkpoint ORDER BY size DESC LIMIT $2) n)

-- stamps --
-- Every time stamp with its checkpoint.
SELECT s.size, s.token, c.note FROM ledger.stamp s JOIN ledger.checkpoint c ON c.size = s.size ORDER BY s.size

-- add_stamp --
-- Keep a time-stamp token.
INSERT INTO ledger.stamp (size, authority, token, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING

-- cosignatures --
-- What these witnesses signed, with its checkpoint.
SELECT s.size, s.line, c.note FROM ledger.cosignature s JOIN ledger.checkpoint c ON c.size = s.size
WHERE s.witness = ANY($1::text[]) ORDER BY s.size
