-- Numbered tags: a person can prove that no entry about them is missing, and nobody else can tell which entries belong together.
--
-- The sealer, being the one writer, numbers the entries about each person as it places them. The leaf of an entry
-- (`dizuo-entry/2`) holds a tag of 16 bytes and the hash of the entry's content:
--
--     tag(n) = SHA-256(02 || key(n))[:16]        key(n + 1) = SHA-256(03 || key(n))
--
-- with key(1) random for every person. Keys only go forwards: once the first ones are deleted, nobody can say any more which of
-- the older leaves were about that person. An entry about nobody has a random tag, so that a leaf does not tell whether it is
-- about somebody. Leaves without a tag are older ones (`dizuo-entry/1`) and stay as they are.

ALTER TABLE ledger.leaf ADD COLUMN tag bytea CHECK (length(tag) = 16);

CREATE TABLE ledger.person (
    subject   bigint PRIMARY KEY,
    -- The first number that can still be told, and its key; the number that comes next, and its key.
    first     bigint NOT NULL CHECK (first > 0),
    first_key bytea  NOT NULL CHECK (length(first_key) = 32),
    next      bigint NOT NULL CHECK (next >= first),
    next_key  bytea  NOT NULL CHECK (length(next_key) = 32)
);
COMMENT ON TABLE ledger.person IS 'How many entries are about each person, and the keys of their tags; written by the sealer alone';

-- Which tags belong to entries whose personal part was lawfully erased: the person still sees that the number is there.
CREATE TABLE ledger.erased_tag (
    tag   bytea  PRIMARY KEY,
    entry bigint NOT NULL
);
COMMENT ON TABLE ledger.erased_tag IS 'Tags of erased entries, so that an erased number is not a missing one';

-- Which hash and signature this ledger uses, from its first checkpoint on: 'ed25519' (SHA-256) or 'sm2' (SM3). No row: ed25519.
CREATE TABLE ledger.suite (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    name text    NOT NULL CHECK (name IN ('ed25519', 'sm2'))
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.suite
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
COMMENT ON TABLE ledger.suite IS 'The hash and signature of this ledger';

-- The lines under a leaf that say what happened; nothing personal.
CREATE FUNCTION ledger.content(id bigint, at timestamptz, kind text, body jsonb, commitment bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.convert_to('dizuo-content/2' || E'\nid ' || id::text
    || E'\nat ' || pg_catalog.to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    || E'\nkind ' || kind || E'\nbody ' || body::text
    || E'\ncommitment ' || pg_catalog.encode(commitment, 'hex') || E'\n', 'UTF8');

-- Give the next entries of finished transactions their places, numbers and tags, in the order (tx, id); at most `most`.
-- Everything below the snapshot's xmin has ended and is visible here, so nothing can appear before it later. With `moved`
-- (the database came from another server) transaction numbers of the old server lie in the future and have all ended.
-- With `hashed` the leaves are kept here, under SHA-256; without, the caller hashes `content` and keeps them.
CREATE FUNCTION ledger.place(start bigint, after_tx xid8, after_entry bigint, most integer, moved boolean, hashed boolean)
RETURNS TABLE (seq bigint, entry bigint, tag bytea, hash bytea, content bytea)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    one     record;
    whom    bigint;
    k       bytea;
    seed    bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    n       integer := 0;
    number  bigint;
    ids     bigint[] := '{}';
    places  bigint[] := '{}';
    tags    bytea[] := '{}';
    persons bigint[] := '{}';
    begun   bytea[] := '{}';
    nexts   bigint[] := '{}';
    keys    bytea[] := '{}';
    p       integer := 0;
BEGIN
    -- By person, so that each one's key is taken up once.
    FOR one IN EXECUTE format(
        'SELECT d.id, d.subject, d.place, p.next, p.next_key
         FROM (SELECT e.id, e.subject, row_number() OVER (ORDER BY %1$s) AS place FROM ledger.entry e WHERE %2$s ORDER BY %1$s LIMIT $3) d
         LEFT JOIN ledger.person p ON p.subject = d.subject ORDER BY d.subject, d.place',
        CASE WHEN moved THEN 'e.id' ELSE 'e.tx, e.id' END,
        CASE WHEN moved THEN '(e.tx < pg_snapshot_xmin(pg_current_snapshot()) OR e.tx >= pg_snapshot_xmax(pg_current_snapshot()))'
                             ' AND NOT EXISTS (SELECT FROM ledger.leaf l WHERE l.entry = e.id)'
             ELSE '(e.tx, e.id) > ($1, $2) AND e.tx < pg_snapshot_xmin(pg_current_snapshot())' END)
    USING after_tx, after_entry, most LOOP
        n := n + 1;
        ids[n] := one.id;
        places[n] := one.place;
        IF one.subject IS NULL THEN
            tags[n] := substr(sha256(seed || int8send(one.place)), 1, 16);
        ELSE
            IF whom IS DISTINCT FROM one.subject THEN
                IF whom IS NOT NULL THEN
                    nexts[p] := number;
                    keys[p] := k;
                END IF;
                p := p + 1;
                whom := one.subject;
                number := coalesce(one.next, 1);
                k := coalesce(one.next_key, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));
                persons[p] := whom;
                begun[p] := k;
            END IF;
            tags[n] := substr(sha256('\x02'::bytea || k), 1, 16);
            k := sha256('\x03'::bytea || k);
            number := number + 1;
        END IF;
    END LOOP;
    IF whom IS NOT NULL THEN
        nexts[p] := number;
        keys[p] := k;
        INSERT INTO ledger.person AS known (subject, first, first_key, next, next_key)
        SELECT s, 1, b, x, y FROM unnest(persons, begun, nexts, keys) AS u(s, b, x, y)
        ON CONFLICT (subject) DO UPDATE SET next = EXCLUDED.next, next_key = EXCLUDED.next_key;
    END IF;
    IF NOT hashed THEN
        RETURN QUERY
            SELECT start + u.place - 1, e.id, u.tag, NULL::bytea, ledger.content(e.id, e.at, e.kind, e.body, e.commitment)
            FROM unnest(ids, places, tags) AS u(id, place, tag) JOIN ledger.entry e ON e.id = u.id ORDER BY u.place;
        RETURN;
    END IF;
    RETURN QUERY
        WITH placed AS (
            INSERT INTO ledger.leaf (seq, entry, hash, tag)
            SELECT start + u.place - 1, e.id, sha256('\x00'::bytea || convert_to(
                       'dizuo-entry/2' || E'\ntag ' || encode(u.tag, 'hex') || E'\ncontent '
                       || encode(sha256(ledger.content(e.id, e.at, e.kind, e.body, e.commitment)), 'hex') || E'\n', 'UTF8')), u.tag
            FROM unnest(ids, places, tags) AS u(id, place, tag) JOIN ledger.entry e ON e.id = u.id ORDER BY u.place
            RETURNING seq, entry, hash
        )
        SELECT l.seq, l.entry, NULL::bytea, l.hash, NULL::bytea FROM placed l ORDER BY l.seq;
END $$;

-- The keys of one person's numbers: first number that can be told, its key, how many there are up to now.
CREATE FUNCTION ledger.numbers_of(subject bigint) RETURNS TABLE (first bigint, first_key bytea, last bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.first, p.first_key, p.next - 1 FROM ledger.person p WHERE p.subject = $1;
END;

-- Where the entries about one person stand, oldest first, with what their leaves cover; entries that have no place yet are last.
CREATE FUNCTION ledger.places_of(subject bigint)
RETURNS TABLE (seq bigint, tag bytea, id bigint, at timestamptz, kind text, body text, commitment bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.seq, l.tag, e.id, e.at, e.kind, e.body::text, e.commitment
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id WHERE e.subject = $1 ORDER BY l.seq NULLS LAST, e.id;
END;

-- Which of these tags stand under entries that were erased, and where: asked with tags that only the person's key gives.
CREATE FUNCTION ledger.erased_places(tags bytea[])
RETURNS TABLE (tag bytea, seq bigint, id bigint, at timestamptz, kind text, body text, commitment bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT g.tag, l.seq, e.id, e.at, e.kind, e.body::text, e.commitment
    FROM ledger.erased_tag g JOIN ledger.leaf l ON l.entry = g.entry JOIN ledger.entry e ON e.id = g.entry WHERE g.tag = ANY ($1);
END;

-- Erase what is personal in one entry: salt, payload and subject go, the leaf and every proof stay.
-- `reason_entry` is an entry of kind 'ledger.erase' whose body.entries names what it erases. False: already erased.
-- Only the role dizuo_eraser may: whoever could both use data and erase would write his own reason.
CREATE OR REPLACE FUNCTION ledger.erase(entry bigint, reason_entry bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done boolean;
    whom bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.entry r WHERE r.id = $2 AND r.kind = 'ledger.erase'
                   AND jsonb_typeof(r.body -> 'entries') = 'array' AND r.body -> 'entries' @> to_jsonb($1)) THEN
        RAISE EXCEPTION 'entry % is not a reason for erasing entry %', $2, $1 USING ERRCODE = 'DZ003',
            HINT = 'First append an entry of kind ledger.erase with body {"entries": [...], "basis": ...}.';
    END IF;
    SELECT e.subject INTO whom FROM ledger.entry e WHERE e.id = $1;
    PERFORM set_config('dizuo.erasing', pg_current_xact_id()::text, true);
    UPDATE ledger.entry e SET salt = NULL, payload = NULL, subject = NULL, erased_by = $2
    WHERE e.id = $1 AND e.erased_by IS NULL AND e.kind <> 'ledger.erase';
    done := FOUND;
    PERFORM set_config('dizuo.erasing', '', true);
    IF done AND whom IS NOT NULL THEN
        INSERT INTO ledger.erased_tag (tag, entry)
        SELECT l.tag, l.entry FROM ledger.leaf l WHERE l.entry = $1 AND l.tag IS NOT NULL ON CONFLICT DO NOTHING;
    END IF;
    RETURN done;
END $$;

-- Forget the oldest numbers of a person as far as their entries are erased: the keys before the first entry that is still about
-- them are deleted, and from then on nothing links those leaves to the person or to one another. Returns how many numbers.
CREATE FUNCTION ledger.forget_numbers(subject bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about ledger.person;
    k     bytea;
    t     bytea;
    gone  bytea[] := '{}';
BEGIN
    -- The sealer writes this row: it waits for us, or we for it.
    SELECT * INTO about FROM ledger.person p WHERE p.subject = $1 FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    k := about.first_key;
    FOR number IN about.first .. about.next - 1 LOOP
        t := substr(sha256('\x02'::bytea || k), 1, 16);
        EXIT WHEN NOT EXISTS (SELECT FROM ledger.erased_tag g WHERE g.tag = t);
        gone := gone || t;
        k := sha256('\x03'::bytea || k);
    END LOOP;
    UPDATE ledger.person p SET first = about.first + cardinality(gone), first_key = k WHERE p.subject = $1;
    DELETE FROM ledger.erased_tag g WHERE g.tag = ANY (gone);
    RETURN cardinality(gone);
END $$;

-- What the leaf of an entry covers: nothing personal.
DROP FUNCTION ledger.covered(bigint);
CREATE FUNCTION ledger.covered(entry bigint)
RETURNS TABLE (id bigint, at timestamptz, kind text, body text, commitment bytea, seq bigint, tag bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body::text, e.commitment, l.seq, l.tag
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id WHERE e.id = $1;
END;

-- What the leaves of a range cover, for the public log: sealed entries only, at most one bundle of 256.
DROP FUNCTION ledger.bundle(bigint, bigint);
CREATE FUNCTION ledger.bundle(low bigint, high bigint)
RETURNS TABLE (seq bigint, id bigint, at timestamptz, kind text, body text, commitment bytea, tag bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.seq, e.id, e.at, e.kind, e.body::text, e.commitment, l.tag
    FROM ledger.leaf l JOIN ledger.entry e ON e.id = l.entry
    WHERE l.seq >= $1 AND l.seq < least($2, $1 + 256) ORDER BY l.seq;
END;

REVOKE ALL ON ledger.person, ledger.erased_tag, ledger.suite FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.content(bigint, timestamptz, text, jsonb, bytea),
    ledger.place(bigint, xid8, bigint, integer, boolean, boolean), ledger.numbers_of(bigint), ledger.places_of(bigint),
    ledger.erased_places(bytea[]), ledger.forget_numbers(bigint), ledger.covered(bigint), ledger.bundle(bigint, bigint) FROM PUBLIC;
GRANT SELECT ON ledger.suite TO dizuo_app, dizuo_sealer;
GRANT INSERT ON ledger.suite TO dizuo_sealer;
GRANT EXECUTE ON FUNCTION ledger.place(bigint, xid8, bigint, integer, boolean, boolean) TO dizuo_sealer;
GRANT EXECUTE ON FUNCTION ledger.numbers_of(bigint), ledger.places_of(bigint), ledger.erased_places(bytea[]),
    ledger.covered(bigint), ledger.bundle(bigint, bigint) TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.forget_numbers(bigint) TO dizuo_eraser;
