-- last_checkpoint --
-- Where the ledger stands: the newest signed tree head.
SELECT size, root, note, tx::text AS tx, entry, (SELECT name FROM ledger.suite) AS suite
FROM ledger.checkpoint ORDER BY size DESC LIMIT 1

-- checkpoint_at --
-- The signed tree head of one size.
SELECT size, root, note FROM ledger.checkpoint WHERE size = $1

-- first_checkpoint_over --
-- The newest signed tree head that covers a leaf.
SELECT size, root, note FROM ledger.checkpoint WHERE size > $1 ORDER BY size DESC LIMIT 1

-- moved --
-- Whether the database came from another server: its present transaction number lies before the last sealed one.
SELECT pg_snapshot_xmax(pg_current_snapshot()) <= $1::text::xid8

-- place --
-- Give the next entries of finished transactions their places, numbers and tags (see ledger.place).
SELECT entry, hash FROM ledger.place($1, $2::text::xid8, $3, $4, $5, true)

-- number --
-- The same, for a hash that the database does not have: what the leaves cover, to be hashed and kept by the caller.
SELECT seq, entry, tag, content FROM ledger.place($1, $2::text::xid8, $3, $4, $5, false)

-- tx_of --
-- The transaction of an entry.
SELECT tx::text FROM ledger.entry WHERE id = $1

-- add_leaves --
-- Keep leaves that were hashed outside the database.
INSERT INTO ledger.leaf (seq, entry, hash, tag) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[], $4::bytea[])

-- suite --
-- Which hash and signature this ledger uses; nothing: ed25519.
SELECT name FROM ledger.suite

-- choose_suite --
-- The first sealing says which, for good.
INSERT INTO ledger.suite (name) VALUES ($1)

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
SELECT id, at, kind, body, commitment, seq, tag FROM ledger.covered($1)

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
SELECT c.size, c.root, c.note, (SELECT name FROM ledger.suite) AS suite,
       coalesce((SELECT string_agg(s.line || E'\n', '' ORDER BY s.witness) FROM ledger.cosignature s WHERE s.size = c.size), '')
           AS cosignatures
FROM ledger.checkpoint c
WHERE c.size = coalesce((SELECT max(size) FROM ledger.cosignature WHERE size > $1),
                        (SELECT max(size) FROM ledger.checkpoint WHERE size > $1))

-- bundle --
-- What the leaves of a range cover.
SELECT seq, id, at, kind, body, commitment, tag FROM ledger.bundle($1, $2)

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

-- numbers_of --
-- The keys of one person's numbers.
SELECT first, first_key, last FROM ledger.numbers_of($1)

-- places_of --
-- Where the entries about one person stand, oldest first; those without a place last.
SELECT seq, tag, id, at, kind, body, commitment FROM ledger.places_of($1)

-- erased_places --
-- Erased entries under these tags.
SELECT tag, seq, id, at, kind, body, commitment FROM ledger.erased_places($1)

-- untagged --
-- Whether a range of leaves has one of the first version, which holds the entry itself.
SELECT EXISTS (SELECT FROM ledger.leaf WHERE seq >= $1 AND seq < $2 AND tag IS NULL)

-- open_due --
-- Open the sealed entries whose day has come.
SELECT ledger.open_due()

-- seals --
-- Seals that are still closed and that these posts oversee or may extend.
SELECT entry, since, opens_on, unit, post, basis, extended, overlong, ground, overseen FROM ledger.seals($1)

-- seals_counted --
-- How many seals are in force, by ground.
SELECT ground, unit, closed, extended, overlong FROM ledger.seals_counted()

-- extend_seal --
-- Keep a seal for longer.
SELECT ledger.extend_seal($1, $2, $3, $4)

-- lift_seal --
-- Open a seal before its day.
SELECT ledger.lift_seal($1, $2, $3)

-- entries_where --
-- Entries about one person that pass a filter, newest first.
SELECT id, at, kind, body, payload, seq FROM ledger.entries_where($1, $2, $3, $4, $5, $6, $7)

-- uses_of --
-- The kinds of use about one person after an entry; those up to another apart from later ones.
SELECT unit, actor, purpose, first, first_at, last_at, count, settled FROM ledger.uses_of($1, $2, $3)

-- tally --
-- What is about one person after an entry, how much there is up to it, how many of the kept seals are still closed.
SELECT held, first, first_key, last, ids, tags, placed, seals, ledger.closed_of($3 || seals) AS closed FROM ledger.tally($1, $2, $4)

-- note_kinds --
-- Note which kinds of use began among the next leaves.
SELECT ledger.note_kinds($1)

-- new_kinds --
-- How many kinds of use are new to a person.
SELECT ledger.new_kinds($1)

-- looked --
-- Up to which entry somebody has seen their list, and whether new kinds of use are pointed out.
SELECT entry, tells FROM ledger.looked WHERE subject = $1

-- look --
-- They have seen it up to here.
INSERT INTO ledger.looked AS l (subject, entry) VALUES ($1, $2)
ON CONFLICT (subject) DO UPDATE SET entry = EXCLUDED.entry WHERE l.entry < EXCLUDED.entry

-- choose_telling --
-- Whether new kinds of use are pointed out.
INSERT INTO ledger.looked (subject, tells) VALUES ($1, $2) ON CONFLICT (subject) DO UPDATE SET tells = EXCLUDED.tells

-- object --
-- One objection, unless its form token made one already.
INSERT INTO ledger.objection (number, token, entry, subject, unit, says, opened_at, due)
VALUES ('YY' || to_char($6::timestamptz AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || lpad(nextval('ledger.objection_number')::text, 5, '0'),
        $1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (token) DO NOTHING RETURNING number

-- objection_by_token --
-- What a form token already made.
SELECT number FROM ledger.objection WHERE token = $1 AND subject = $2

-- objections_of --
-- A person's objections, newest first.
SELECT number, entry, unit, says, opened_at, due, state, answer, ended_at FROM ledger.objection
WHERE subject = $1 ORDER BY opened_at DESC LIMIT 100

-- objections_at --
-- A department's objections: open ones by their clock, then the answered ones of late.
SELECT number, entry, unit, says, opened_at, due, state, answer, ended_at FROM ledger.objection
WHERE split_part(unit, ':', 1) = ANY ($1::text[]) ORDER BY state <> 'open', due NULLS LAST, opened_at DESC LIMIT 200

-- lock_objection --
-- One objection, to be answered.
SELECT number, entry, subject, unit, says, opened_at, due, state, answer, ended_at FROM ledger.objection WHERE number = $1 FOR UPDATE

-- answer_objection --
-- The department's answer.
UPDATE ledger.objection SET state = $2, answer = $3, official = $4, ended_at = $5 WHERE number = $1

-- segments_to --
-- How far runs of one length have a list of tags.
SELECT coalesce(max(high), 0) FROM ledger.tag_segment WHERE high - low = $1::bigint

-- run_tags --
-- The tags of a run of leaves, in order.
SELECT tag FROM ledger.leaf WHERE seq >= $1 AND seq < $2 AND tag IS NOT NULL ORDER BY tag

-- part_blocks --
-- The blocks of runs of length $3 between $1 and $2 in which tags from $4 to below $5 (null: any above) may stand.
SELECT b.tags FROM (
    SELECT t.tags, t.first, lead(t.first) OVER (PARTITION BY t.low ORDER BY t.block) AS next
    FROM ledger.tag_block t WHERE t.low >= $1 AND t.low < $2 AND t.high - t.low = $3::bigint
) AS b WHERE ($5::bytea IS NULL OR b.first < $5) AND (b.next IS NULL OR b.next > $4)

-- enter_tags --
-- What a list's root says is an entry, about nobody.
SELECT ledger.append('ledger.tags', $1, NULL, NULL)

-- add_segment --
-- A run has a list now.
INSERT INTO ledger.tag_segment (low, high, tags, root, entry) VALUES ($1, $2, $3, $4, $5)

-- add_blocks --
-- Blocks of a list.
INSERT INTO ledger.tag_block (low, high, block, first, tags, hash)
SELECT $1, $2, * FROM unnest($3::integer[], $4::bytea[], $5::bytea[], $6::bytea[])

-- let_blocks_go --
-- Blocks of runs that have been part of a larger run with a list for a day.
WITH due AS (
    UPDATE ledger.tag_segment s SET alone = true WHERE NOT s.alone AND s.made_at < now() - interval '1 day' RETURNING s.low, s.high
)
DELETE FROM ledger.tag_block b USING due d
WHERE b.low >= d.low AND b.low < d.high AND b.high <= d.high AND b.high - b.low < d.high - d.low

-- segments --
-- The longest lists that lie one behind the other from the first leaf on, whose roots stand before leaf $1 and whose blocks are kept;
-- each with its entry as the leaf covers it.
WITH RECURSIVE chosen (low, high, tags, entry) AS (
    SELECT -1::bigint, 0::bigint, 0, 0::bigint
    UNION ALL
    SELECT n.low, n.high, n.tags, n.entry FROM chosen c CROSS JOIN LATERAL (
        SELECT s.low, s.high, s.tags, s.entry FROM ledger.tag_segment s JOIN ledger.leaf l ON l.entry = s.entry
        WHERE s.low = c.high AND s.high <= $1 AND l.seq < $1
          AND (s.tags = 0 OR EXISTS (SELECT FROM ledger.tag_block b WHERE b.low = s.low AND b.high = s.high))
        ORDER BY s.high DESC LIMIT 1) AS n
)
SELECT s.low, s.high, s.tags, c.id, c.at, c.kind, c.body, c.commitment, c.seq, c.tag
FROM chosen s CROSS JOIN LATERAL ledger.covered(s.entry) AS c WHERE s.low >= 0 ORDER BY s.low

-- block_heads --
-- The heads of the blocks of these lists, and from which tag on each goes.
SELECT b.low, b.high, b.block, b.first, b.hash FROM unnest($1::bigint[], $2::bigint[]) AS s(low, high)
JOIN ledger.tag_block b ON b.low = s.low AND b.high = s.high ORDER BY b.low, b.high, b.block

-- block_tags --
-- The tags of these blocks.
SELECT b.low, b.block, b.tags FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS s(low, high, block)
JOIN ledger.tag_block b ON b.low = s.low AND b.high = s.high AND b.block = s.block
