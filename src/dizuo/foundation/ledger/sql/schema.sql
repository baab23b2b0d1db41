-- The ledger (用数账本): who used what and who decided what. Append-only, sequenced by one writer, signed.
--
-- An entry is one row, written in the business transaction. `body` holds nothing personal and is what the Merkle leaf
-- covers, together with a salted commitment to `subject` and `payload`, which can be erased (个人信息保护法 §47) without
-- breaking any proof.

CREATE TABLE ledger.entry (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The sealer takes the entries of finished transactions in the order (tx, id): a late commit is never skipped and
    -- no row is ever updated to give it a number.
    tx         xid8        NOT NULL DEFAULT pg_current_xact_id(),
    at         timestamptz NOT NULL DEFAULT now(),
    subject    bigint,
    first      boolean     NOT NULL,
    -- Lower-case words with dots: nothing that could forge a line of the leaf. (A regular expression costs 1 µs a row.)
    kind       text        NOT NULL CHECK (
        translate(kind, 'abcdefghijklmnopqrstuvwxyz0123456789_.', '') = '' AND length(kind) BETWEEN 1 AND 63),
    body       jsonb       NOT NULL CHECK (jsonb_typeof(body) = 'object'),
    -- SHA-256 of salt, subject and payload; empty when there is nothing personal.
    commitment bytea       NOT NULL,
    salt       bytea,
    payload    jsonb,
    erased_by  bigint
);
CREATE INDEX entry_order ON ledger.entry (tx, id);
CREATE INDEX entry_subject ON ledger.entry (subject, id) WHERE subject IS NOT NULL;
COMMENT ON TABLE ledger.entry IS '用数账本条目: one use, refusal or decision';

CREATE TABLE ledger.leaf (
    seq   bigint PRIMARY KEY,
    entry bigint NOT NULL UNIQUE,
    hash  bytea  NOT NULL,
    -- See below; leaves without one are of the first version.
    tag   bytea CHECK (length(tag) = 16)
);
COMMENT ON TABLE ledger.leaf IS 'Position of each entry in the Merkle tree (RFC 9162) and its leaf hash';

-- Hashes of the full subtrees of 2^level leaves, for every fourth level: enough to make any proof from a few dozen rows.
CREATE TABLE ledger.node (
    level    smallint NOT NULL CHECK (level > 0 AND level % 4 = 0),
    position bigint   NOT NULL,
    hash     bytea    NOT NULL,
    PRIMARY KEY (level, position)
);

CREATE TABLE ledger.checkpoint (
    size     bigint PRIMARY KEY CHECK (size > 0),
    root     bytea       NOT NULL,
    note     text        NOT NULL,
    -- The last entry under this checkpoint: where the sealer goes on.
    tx       xid8        NOT NULL,
    entry    bigint      NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE ledger.checkpoint IS 'Signed tree heads (C2SP checkpoint, Ed25519)';

-- What witnesses and time-stamp authorities said about a checkpoint; kept beside it, because the checkpoint is signed first.
CREATE TABLE ledger.cosignature (
    size    bigint NOT NULL,
    witness text   NOT NULL,
    -- The note's signature line (C2SP cosignature/v1).
    line    text   NOT NULL CHECK (line LIKE '— %' AND position(E'\n' IN line) = 0),
    at      timestamptz NOT NULL,
    PRIMARY KEY (size, witness)
);
COMMENT ON TABLE ledger.cosignature IS 'What independent witnesses signed under a checkpoint';

CREATE TABLE ledger.stamp (
    size      bigint NOT NULL,
    authority text   NOT NULL,
    -- TimeStampToken of RFC 3161 over the checkpoint's text.
    token     bytea  NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (size, authority)
);
COMMENT ON TABLE ledger.stamp IS 'Time stamps of a checkpoint (RFC 3161)';

-- Writing ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION ledger.commitment(salt bytea, subject bigint, payload jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.sha256(salt || pg_catalog.convert_to(
    coalesce(subject::text, '') || E'\n' || coalesce(payload::text, ''), 'UTF8'));

-- One entry. `subject` is the identity of the person concerned; `payload` is what may one day be erased.
CREATE FUNCTION ledger.append(kind text, body jsonb, subject bigint, payload jsonb) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH given AS MATERIALIZED (
        SELECT CASE WHEN $3 IS NULL AND $4 IS NULL THEN NULL ELSE uuid_send(gen_random_uuid()) END AS salt
    )
    INSERT INTO ledger.entry (first, kind, body, subject, payload, salt, commitment)
    SELECT true, $1, $2, $3, $4, salt, coalesce(ledger.commitment(salt, $3, $4), '') FROM given
    RETURNING id;
END;

-- Many entries in one statement: [{kind, body, subject?, payload?}] → their ids in the same order.
-- The salts come from one seed of 244 random bits that is kept nowhere, because asking the system for random bytes costs
-- five times as much as a hash; whoever knows the other salts of a batch does not know one that was erased.
CREATE FUNCTION ledger.append_batch(entries jsonb) RETURNS bigint[]
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH seed AS MATERIALIZED (
        SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) AS bytes
    ), given AS MATERIALIZED (
        SELECT ord, one.kind, one.body, one.subject, nullif(one.payload, 'null') AS payload,
               CASE WHEN one.subject IS NULL AND nullif(one.payload, 'null') IS NULL THEN NULL
                    ELSE substr(sha256(seed.bytes || int8send(ord)), 1, 16) END AS salt
        FROM seed, ROWS FROM (jsonb_to_recordset($1) AS (kind text, body jsonb, subject bigint, payload jsonb))
             WITH ORDINALITY AS one(kind, body, subject, payload, ord)
    ), kept AS (
        INSERT INTO ledger.entry (first, kind, body, subject, payload, salt, commitment)
        SELECT ord = 1, kind, body, subject, payload, salt, coalesce(ledger.commitment(salt, subject, payload), '')
        FROM given ORDER BY ord
        RETURNING id
    )
    SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM kept;
END;

-- A commit that may still be lost is refused. One check per append call, by its first row, at the commit.
--
-- A session can make it look too early (SET CONSTRAINTS … IMMEDIATE) or have its own statement run after it (a cursor WITH
-- HOLD is run to its end by the commit), and switch the setting then. Whenever this is not surely the commit's last word,
-- the transaction drops a table: such a commit is always flushed, whatever the setting says (PostgreSQL's manual,
-- "Asynchronous Commit"). Surely means: nothing is around this function, so no append is still running and no code block
-- called it, or nothing but the COMMIT of a procedure; the statement under way does not speak of constraints; no cursor waits
-- for the commit.
CREATE FUNCTION ledger.refuse_uncertain_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    around text;
    passing text;
BEGIN
    IF current_setting('synchronous_commit') = 'off' OR current_setting('fsync') = 'off' THEN
        RAISE EXCEPTION 'a ledger entry needs a durable commit, but synchronous_commit or fsync is off'
            USING ERRCODE = 'DZ001', HINT = 'SET synchronous_commit = on (the default) and try again.';
    END IF;
    GET DIAGNOSTICS around = PG_CONTEXT;
    IF around !~ E'^[^\n]*(\nPL/pgSQL function [^\n"]+ at COMMIT)?$' OR current_query() ILIKE '%constraints%'
       OR EXISTS (SELECT FROM pg_cursors WHERE is_holdable) THEN
        passing := 'durable_' || pg_current_xact_id();
        EXECUTE format('CREATE TABLE ledger.%I ()', passing);
        EXECUTE format('DROP TABLE ledger.%I', passing);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER durable AFTER INSERT ON ledger.entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.first) EXECUTE FUNCTION ledger.refuse_uncertain_commit();

-- Numbering -------------------------------------------------------------------------------------------------------

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

-- Changing nothing ------------------------------------------------------------------------------------------------

-- Rights already keep everybody but the owner out; this keeps the owner from an accident. Nothing here stops somebody
-- who owns the database: that is what the signed checkpoints kept outside are for.
CREATE FUNCTION ledger.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME = 'entry'
       AND current_setting('dizuo.erasing', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the ledger is append-only: % on ledger.% refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'DZ002', HINT = 'To erase what is personal in an entry, use ledger.erase(entry, reason_entry).';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.leaf
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.node
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stamp
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.suite
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- Erase what is personal in one entry: salt, payload and subject go, the leaf and every proof stay.
-- `reason_entry` is an entry of kind 'ledger.erase' whose body.entries names what it erases. False: already erased.
-- Only the role dizuo_eraser may: whoever could both use data and erase would write his own reason.
CREATE FUNCTION ledger.erase(entry bigint, reason_entry bigint) RETURNS boolean
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
        DELETE FROM ledger.use_kind k WHERE k.subject = whom AND k.first = $1;
    END IF;
    RETURN done;
END $$;

-- Reading ---------------------------------------------------------------------------------------------------------

-- Every entry about one person, newest first; the caller enters this reading itself. What a seal covers is not told.
CREATE FUNCTION ledger.entries_of(subject bigint, before bigint, count integer)
RETURNS TABLE (id bigint, at timestamptz, kind text, body jsonb, payload jsonb, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body, CASE WHEN e.kind <> 'sealed' THEN e.payload END, l.seq
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id
    WHERE e.subject = $1 AND e.id < coalesce($2, 9223372036854775807)
    ORDER BY e.id DESC LIMIT least($3, 1000);
END;

-- What the leaf of an entry covers: nothing personal.
CREATE FUNCTION ledger.covered(entry bigint)
RETURNS TABLE (id bigint, at timestamptz, kind text, body text, commitment bytea, seq bigint, tag bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body::text, e.commitment, l.seq, l.tag
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id WHERE e.id = $1;
END;

-- What the leaves of a range cover, for the public log: sealed entries only, at most one bundle of 256.
CREATE FUNCTION ledger.bundle(low bigint, high bigint)
RETURNS TABLE (seq bigint, id bigint, at timestamptz, kind text, body text, commitment bytea, tag bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.seq, e.id, e.at, e.kind, e.body::text, e.commitment, l.tag
    FROM ledger.leaf l JOIN ledger.entry e ON e.id = l.entry
    WHERE l.seq >= $1 AND l.seq < least($2, $1 + 256) ORDER BY l.seq;
END;

-- Sealed entries --------------------------------------------------------------------------------------------------

-- Sealed entries (lawful investigations): what may not be told yet is committed at once and told on its day.
--
-- A sealed entry stands in the log like any other; what it says lies in its payload, bound by the commitment. Whether the person
-- may know before that day that something is there is for the law to say (`tells`): if so, the sealed entry is about the person and
-- has a number of theirs; if not, it is about nobody until then, and its opening takes the person's next number. Either way the
-- person's numbers have no gap, and an opening that does not fit the commitment is found.

CREATE TABLE ledger.seal_ground (
    -- The declared ground, and one post of its unit: the one that orders, or the one that approves.
    id          text COLLATE "C" NOT NULL CHECK (id <> ''),
    post        text COLLATE "C" NOT NULL CHECK (post <> ''),
    role        text COLLATE "C" NOT NULL CHECK (role IN ('order', 'approve')),
    unit        text COLLATE "C" NOT NULL CHECK (unit <> ''),
    -- law:article, and for how many days at most.
    basis       text COLLATE "C" NOT NULL CHECK (basis <> ''),
    longest     integer NOT NULL CHECK (longest BETWEEN 1 AND 3650),
    tells       boolean NOT NULL,
    -- The unit that sees which seals go on for too long.
    overseer    text COLLATE "C" NOT NULL CHECK (overseer <> ''),
    -- {register: [field]}: what may be read so.
    reads       jsonb NOT NULL CHECK (jsonb_typeof(reads) = 'object'),
    declared_at timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (id, post)
);
COMMENT ON TABLE ledger.seal_ground IS 'Who may order and who may approve that an entry is kept sealed, on which law, for how long; declared by the owner alone';

CREATE TABLE ledger.sealed (
    entry     bigint PRIMARY KEY,
    since     date NOT NULL,
    opens_on  date NOT NULL CHECK (opens_on > since),
    -- How long the ground allowed; beyond it a seal is listed to the overseer.
    longest   integer NOT NULL,
    overseer  text COLLATE "C" NOT NULL,
    extended  integer NOT NULL DEFAULT 0,
    opened_by bigint,
    ground    text COLLATE "C" NOT NULL DEFAULT '',
    unit      text COLLATE "C" NOT NULL DEFAULT '',
    lifted_by bigint
);
CREATE INDEX sealed_due ON ledger.sealed (opens_on) WHERE opened_by IS NULL;
COMMENT ON TABLE ledger.sealed IS 'When each sealed entry opens';

CREATE FUNCTION ledger.today() RETURNS date LANGUAGE sql STABLE RETURN (pg_catalog.now() AT TIME ZONE 'Asia/Shanghai')::date;

-- The ground on which a post may order or approve, while it is declared; nothing otherwise.
CREATE FUNCTION ledger.ground_of(ground text, unit text, post text, role text) RETURNS SETOF ledger.seal_ground
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT * FROM ledger.seal_ground g WHERE g.id = $1 AND g.unit = $2 AND g.post = $3 AND g.role = $4 AND g.ended_at IS NULL;
END;

-- A sealed entry: like ledger.append, but told on a day. `actor` is {unit, post, approved}: who ordered, and the post that approved.
-- No role may call it: a function that looked at the order does, as the owner.
-- DZ004: no such ground, or not these two posts; DZ005: no such term; DZ006: what is sealed is no entry.
CREATE FUNCTION ledger.seal(
    kind text, body jsonb, subject bigint, payload jsonb, opens_on date, ground text, actor jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule ledger.seal_ground;
    made bigint;
BEGIN
    SELECT * INTO rule FROM ledger.ground_of($6, $7 ->> 'unit', $7 ->> 'post', 'order');
    IF NOT FOUND OR NOT EXISTS (SELECT FROM ledger.ground_of($6, $7 ->> 'unit', $7 ->> 'approved', 'approve')) THEN
        RAISE EXCEPTION 'no ground to seal: % ordered by % and approved by % of %', $6, $7 ->> 'post', $7 ->> 'approved', $7 ->> 'unit'
            USING ERRCODE = 'DZ004', HINT = 'Only a declared post may order, and only another declared one approve.';
    END IF;
    IF $5 IS NULL OR $5 <= ledger.today() OR $5 > ledger.today() + rule.longest THEN
        RAISE EXCEPTION 'a seal on % lasts from 1 to % days', $6, rule.longest USING ERRCODE = 'DZ005';
    END IF;
    IF $1 !~ '^[a-z0-9_.]{1,63}$' OR $1 LIKE 'sealed%' OR jsonb_typeof($2) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'what is sealed is not an entry' USING ERRCODE = 'DZ006';
    END IF;
    made := ledger.append('sealed',
        jsonb_build_object('opens_on', $5, 'ground', rule.id, 'basis', rule.basis, 'tells', rule.tells, 'approved', $7 -> 'approved',
                           'actor', jsonb_build_object('kind', 'official', 'unit', rule.unit, 'post', rule.post)),
        CASE WHEN rule.tells THEN $3 END,
        jsonb_build_object('sealed', jsonb_build_object('kind', $1, 'body', $2, 'subject', $3, 'payload', $4)));
    INSERT INTO ledger.sealed (entry, since, opens_on, longest, overseer, ground, unit)
    VALUES (made, ledger.today(), $5, rule.longest, rule.overseer, rule.id, rule.unit);
    RETURN made;
END $$;

-- Keep a seal for longer, with a reason: by a post that may approve on the same ground, entered too. DZ007: not to be extended so.
-- `actor` is {unit, post, official}; the reason and the official are in the erasable part.
CREATE FUNCTION ledger.extend_seal(entry bigint, until date, why text, actor jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule ledger.seal_ground;
    old  ledger.sealed;
BEGIN
    SELECT * INTO old FROM ledger.sealed s WHERE s.entry = $1 AND s.opened_by IS NULL AND s.lifted_by IS NULL FOR UPDATE;
    SELECT * INTO rule FROM ledger.ground_of(old.ground, $4 ->> 'unit', $4 ->> 'post', 'approve');
    IF old.entry IS NULL OR rule.id IS NULL OR coalesce(length(btrim($3)), 0) NOT BETWEEN 2 AND 1000
       OR $2 IS NULL OR $2 <= old.opens_on OR $2 > ledger.today() + rule.longest THEN
        RAISE EXCEPTION 'the seal of entry % is not to be extended so', $1 USING ERRCODE = 'DZ007',
            HINT = 'A post that may approve, a reason, a later day within the term, before the seal opens.';
    END IF;
    UPDATE ledger.sealed s SET opens_on = $2, extended = s.extended + 1 WHERE s.entry = $1;
    RETURN ledger.append('sealed.extended', jsonb_build_object('entry', $1, 'opens_on', $2, 'ground', rule.id, 'basis', rule.basis,
        'actor', jsonb_build_object('kind', 'official', 'unit', rule.unit, 'post', rule.post)), NULL,
        jsonb_build_object('why', btrim($3), 'official', $4 -> 'official'));
END $$;

-- Open a seal before its day, with a reason: by a post of the unit that may approve, or by the overseer. DZ008: not to be lifted so.
CREATE FUNCTION ledger.lift_seal(entry bigint, why text, actor jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old  ledger.sealed;
    made bigint;
BEGIN
    SELECT * INTO old FROM ledger.sealed s WHERE s.entry = $1 AND s.opened_by IS NULL AND s.lifted_by IS NULL FOR UPDATE;
    IF old.entry IS NULL OR coalesce(length(btrim($2)), 0) NOT BETWEEN 2 AND 1000 OR NOT coalesce(
        $3 ->> 'unit' = old.overseer OR EXISTS (SELECT FROM ledger.seal_ground g WHERE g.id = old.ground AND g.role = 'approve'
                                                AND g.unit = $3 ->> 'unit' AND g.post = $3 ->> 'post'), false) THEN
        RAISE EXCEPTION 'the seal of entry % is not to be lifted so', $1 USING ERRCODE = 'DZ008',
            HINT = 'A post that may approve or one of the overseer, a reason, before the seal opens.';
    END IF;
    made := ledger.append('sealed.lifted', jsonb_build_object('entry', $1, 'ground', old.ground,
        'actor', jsonb_build_object('kind', 'official', 'unit', $3 -> 'unit', 'post', $3 -> 'post')), NULL,
        jsonb_build_object('why', btrim($2), 'official', $3 -> 'official'));
    UPDATE ledger.sealed s SET lifted_by = made WHERE s.entry = $1;
    RETURN made;
END $$;

-- Open what is due: what was sealed is entered, about the person, with where it was sealed. Returns how many. By the sealer.
CREATE FUNCTION ledger.open_due() RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    one    record;
    opened bigint;
    n      integer := 0;
BEGIN
    FOR one IN SELECT s.entry, s.since, e.body, e.payload -> 'sealed' AS inside FROM ledger.sealed s JOIN ledger.entry e ON e.id = s.entry
               WHERE s.opened_by IS NULL AND (s.opens_on <= ledger.today() OR s.lifted_by IS NOT NULL)
               ORDER BY s.entry LIMIT 500 FOR UPDATE OF s SKIP LOCKED LOOP
        -- What was lawfully erased meanwhile opens as nothing.
        opened := ledger.append('sealed.opened',
            jsonb_strip_nulls(jsonb_build_object('entry', one.entry, 'since', one.since, 'basis', one.body -> 'basis',
                'actor', one.body -> 'actor', 'kind', one.inside -> 'kind', 'said', one.inside -> 'body')),
            (one.inside ->> 'subject')::bigint, nullif(one.inside -> 'payload', 'null'));
        UPDATE ledger.sealed s SET opened_by = opened WHERE s.entry = one.entry;
        n := n + 1;
    END LOOP;
    RETURN n;
END $$;

-- Seals that are still closed, for posts [{unit, post}] that oversee or may approve; nothing about any person.
CREATE FUNCTION ledger.seals(posts jsonb)
RETURNS TABLE (entry bigint, since date, opens_on date, unit text, post text, basis text, extended integer, overlong boolean,
               ground text, overseen boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.entry, s.since, s.opens_on, e.body -> 'actor' ->> 'unit', e.body -> 'actor' ->> 'post', e.body ->> 'basis', s.extended,
           s.opens_on > s.since + s.longest OR s.opens_on < ledger.today(), s.ground, h.overseen
    FROM ledger.sealed s JOIN ledger.entry e ON e.id = s.entry
    CROSS JOIN LATERAL (SELECT coalesce(bool_or(p.unit = s.overseer), false) AS overseen,
                               coalesce(bool_or(EXISTS (SELECT FROM ledger.seal_ground g WHERE g.id = s.ground AND g.role = 'approve'
                                                        AND g.unit = p.unit AND g.post = p.post)), false) AS held
                        FROM jsonb_to_recordset($1) AS p(unit text, post text)) h
    WHERE s.opened_by IS NULL AND s.lifted_by IS NULL AND (h.overseen OR h.held)
    ORDER BY s.opens_on > s.since + s.longest DESC, s.since, s.entry LIMIT 1000;
END;

-- How many seals are in force, by ground: for everybody; nothing about any person.
CREATE FUNCTION ledger.seals_counted() RETURNS TABLE (ground text, unit text, closed bigint, extended bigint, overlong bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.ground, s.unit, count(*), count(*) FILTER (WHERE s.extended > 0),
           count(*) FILTER (WHERE s.opens_on > s.since + s.longest OR s.opens_on < ledger.today())
    FROM ledger.sealed s WHERE s.opened_by IS NULL AND s.lifted_by IS NULL GROUP BY 1, 2 ORDER BY 1, 2;
END;

-- What a person sees ----------------------------------------------------------------------------------------------

-- What a person sees of the uses of their data: filtered in the database, kinds of use told apart, and objections (异议).

-- Entries about one person that pass a filter, newest first; what a seal covers is not told.
CREATE FUNCTION ledger.entries_where(
    subject bigint, before bigint, since timestamptz, until timestamptz, unit text, purpose text, count integer)
RETURNS TABLE (id bigint, at timestamptz, kind text, body jsonb, payload jsonb, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body, CASE WHEN e.kind <> 'sealed' THEN e.payload END, l.seq
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id
    WHERE e.subject = $1 AND e.id < coalesce($2, 9223372036854775807)
      AND e.at >= coalesce($3, '-infinity') AND e.at < coalesce($4, 'infinity')
      AND ($5 IS NULL OR split_part(e.body -> 'actor' ->> 'unit', ':', 1) = $5)
      AND ($6 IS NULL OR coalesce(e.body ->> 'purpose', e.body ->> 'matter') = $6)
    ORDER BY e.id DESC LIMIT least($7, 1000);
END;

-- What is about a person after an entry: in the order of their ids, with tags (none: not placed yet, or of the first version), and
-- which are sealed. `held`: how many there are up to that entry, so that a count that was kept is known to be still right.
CREATE FUNCTION ledger.tally(subject bigint, after bigint, again boolean)
RETURNS TABLE (held bigint, first bigint, first_key bytea, last bigint, ids bigint[], tags bytea[], placed boolean[], seals bigint[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN $2 > 0 AND $3 THEN (SELECT count(*) FROM ledger.entry e WHERE e.subject = $1 AND e.id <= $2) END,
           p.first, p.first_key, p.next - 1, f.ids, f.tags, f.placed, f.seals
    FROM (SELECT coalesce(array_agg(e.id ORDER BY e.id), '{}') AS ids, coalesce(array_agg(l.tag ORDER BY e.id), '{}') AS tags,
                 coalesce(array_agg(l.seq IS NOT NULL ORDER BY e.id), '{}') AS placed,
                 coalesce(array_agg(e.id ORDER BY e.id) FILTER (WHERE e.kind = 'sealed'), '{}') AS seals
          FROM ledger.entry e LEFT JOIN LATERAL (SELECT p.seq, p.tag FROM ledger.leaf p WHERE p.entry = e.id LIMIT 1) l ON true
          WHERE e.subject = $1 AND e.id > $2) f
    LEFT JOIN ledger.person p ON p.subject = $1;
END;

-- How many of these sealed entries are still closed.
CREATE FUNCTION ledger.closed_of(entries bigint[]) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT count(*) FROM ledger.sealed s WHERE s.entry = ANY ($1) AND s.opened_by IS NULL;
END;

-- The kinds of use about one person after an entry, apart for those up to another and those later.
CREATE FUNCTION ledger.uses_of(subject bigint, after bigint, until bigint)
RETURNS TABLE (unit text, actor text, purpose text, first bigint, first_at timestamptz, last_at timestamptz, count bigint, settled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(split_part(e.body -> 'actor' ->> 'unit', ':', 1), ''), coalesce(e.body -> 'actor' ->> 'kind', ''),
           coalesce(e.body ->> 'purpose', e.body ->> 'matter', ''), min(e.id), min(e.at), max(e.at), count(*), e.id <= $3
    FROM ledger.entry e WHERE e.subject = $1 AND e.id > $2 AND e.kind NOT IN ('data.viewed', 'sealed', 'sealed.opened')
    GROUP BY 1, 2, 3, 8 ORDER BY 6 DESC LIMIT 600;
END;

-- How far a person has read their own list, and whether new kinds of use are to be pointed out.
CREATE TABLE ledger.looked (
    subject bigint  PRIMARY KEY,
    entry   bigint  NOT NULL DEFAULT 0,
    tells   boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE ledger.looked IS 'Up to which entry a person has seen the uses of their data';

-- Which kinds of use there are about whom, and with which entry each began: so that a new one is pointed out on the front page
-- without counting a list. Noted behind the sealer, in the order of the leaves; `use_mark` is how far that has come.
CREATE TABLE ledger.use_kind (
    subject bigint NOT NULL,
    unit    text COLLATE "C" NOT NULL,
    actor   text COLLATE "C" NOT NULL,
    purpose text COLLATE "C" NOT NULL,
    first   bigint NOT NULL,
    PRIMARY KEY (subject, unit, actor, purpose)
);
CREATE INDEX use_kind_first ON ledger.use_kind (first);
COMMENT ON TABLE ledger.use_kind IS 'Kinds of use by others about each person, with the first entry of each';
CREATE TABLE ledger.use_mark (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL
);
COMMENT ON TABLE ledger.use_mark IS 'Up to which leaf kinds of use were noted';

-- Note the kinds of use among the next leaves, at most so many; returns how many leaves were looked at. By the sealer's role.
CREATE FUNCTION ledger.note_kinds(most integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    low  bigint;
    high bigint;
BEGIN
    INSERT INTO ledger.use_mark (seq) VALUES (0) ON CONFLICT DO NOTHING;
    SELECT m.seq INTO low FROM ledger.use_mark m FOR UPDATE;
    SELECT coalesce(max(l.seq) + 1, 0) INTO high FROM ledger.leaf l;
    high := least(high, low + most);
    IF high <= low THEN
        RETURN 0;
    END IF;
    INSERT INTO ledger.use_kind (subject, unit, actor, purpose, first)
    SELECT e.subject, split_part(e.body -> 'actor' ->> 'unit', ':', 1), coalesce(e.body -> 'actor' ->> 'kind', ''),
           left(coalesce(e.body ->> 'purpose', e.body ->> 'matter', ''), 300), min(e.id)
    FROM ledger.leaf l JOIN ledger.entry e ON e.id = l.entry
    WHERE l.seq >= low AND l.seq < high AND e.subject IS NOT NULL AND e.kind NOT IN ('data.viewed', 'sealed', 'sealed.opened')
      AND coalesce(e.body -> 'actor' ->> 'unit', '') <> '' AND e.body -> 'actor' ->> 'kind' IS DISTINCT FROM 'resident'
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT DO NOTHING;
    UPDATE ledger.use_mark m SET seq = high;
    RETURN high - low;
END $$;

-- How many kinds of use began after what a person has seen; none before the first visit, and none for who wants none.
CREATE FUNCTION ledger.new_kinds(subject bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT count(*) FROM ledger.looked l JOIN ledger.use_kind k ON k.subject = l.subject AND k.first > l.entry
    WHERE l.subject = $1 AND l.tells AND l.entry > 0;
END;

-- 异议: a person objects to a use; the department that used the data answers on a clock (个人信息保护法 50).
CREATE SEQUENCE ledger.objection_number;
CREATE TABLE ledger.objection (
    number    text COLLATE "C" PRIMARY KEY,
    token     text COLLATE "C" NOT NULL UNIQUE,
    entry     bigint NOT NULL,
    subject   bigint NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    says      text NOT NULL CHECK (length(says) BETWEEN 2 AND 1000),
    opened_at timestamptz NOT NULL,
    due       timestamptz,
    state     text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'upheld', 'declined')),
    answer    text NOT NULL DEFAULT '',
    official  bigint,
    ended_at  timestamptz
);
CREATE INDEX objection_subject ON ledger.objection (subject, opened_at DESC);
CREATE INDEX objection_open ON ledger.objection (unit, due) WHERE state = 'open';
COMMENT ON TABLE ledger.objection IS '异议: objections to uses of data, each answered by the department that used them';

-- The end of a person's list, shortly: sorted lists of the tags of whole runs of leaves, whose roots are entries of the log itself.

-- Which runs of leaves have such a list: from `low` up to `high`. `entry` (kind ledger.tags) says how many tags it has and its root.
CREATE TABLE ledger.tag_segment (
    low     bigint NOT NULL,
    high    bigint NOT NULL,
    tags    integer NOT NULL,
    root    bytea NOT NULL CHECK (length(root) = 32),
    entry   bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Whether the blocks of its parts are gone: they are kept for a day, because a proof may be under an older checkpoint.
    alone   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (low, high),
    CHECK (low >= 0 AND high > low)
);
COMMENT ON TABLE ledger.tag_segment IS 'Runs of leaves whose sorted tags have a root in the log; written behind the sealer';

-- The lists, 256 tags a block. Those of runs that are part of a larger one are let go a day later.
CREATE TABLE ledger.tag_block (
    low   bigint NOT NULL,
    high  bigint NOT NULL,
    block integer NOT NULL,
    first bytea NOT NULL,
    tags  bytea NOT NULL CHECK (length(tags) BETWEEN 16 AND 4096 AND length(tags) % 16 = 0),
    hash  bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (low, high, block)
);
COMMENT ON TABLE ledger.tag_block IS 'Sorted tags, 256 a block, with the head of each block';

-- Rights ----------------------------------------------------------------------------------------------------------

REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC;
GRANT USAGE ON SCHEMA ledger TO dizuo_app, dizuo_loader, dizuo_sealer, dizuo_eraser;
GRANT EXECUTE ON FUNCTION ledger.append(text, jsonb, bigint, jsonb), ledger.append_batch(jsonb)
    TO dizuo_app, dizuo_loader, dizuo_sealer, dizuo_eraser;
GRANT EXECUTE ON FUNCTION ledger.entries_of(bigint, bigint, integer) TO dizuo_app, dizuo_eraser;
GRANT EXECUTE ON FUNCTION ledger.covered(bigint) TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.erase(bigint, bigint) TO dizuo_eraser;
GRANT SELECT ON ledger.leaf, ledger.node, ledger.checkpoint TO dizuo_app;
GRANT SELECT (id, tx, at, kind, body, commitment) ON ledger.entry TO dizuo_sealer;
GRANT SELECT, INSERT ON ledger.leaf, ledger.node, ledger.checkpoint TO dizuo_sealer;
GRANT EXECUTE ON FUNCTION ledger.bundle(bigint, bigint) TO dizuo_app;
GRANT SELECT ON ledger.cosignature, ledger.stamp TO dizuo_app;
GRANT SELECT, INSERT ON ledger.cosignature, ledger.stamp TO dizuo_sealer;
GRANT SELECT ON ledger.suite TO dizuo_app, dizuo_sealer;
GRANT INSERT ON ledger.suite TO dizuo_sealer;
GRANT EXECUTE ON FUNCTION ledger.place(bigint, xid8, bigint, integer, boolean, boolean) TO dizuo_sealer;
GRANT EXECUTE ON FUNCTION ledger.numbers_of(bigint), ledger.places_of(bigint), ledger.erased_places(bytea[]) TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.forget_numbers(bigint) TO dizuo_eraser;
GRANT EXECUTE ON FUNCTION ledger.ground_of(text, text, text, text), ledger.extend_seal(bigint, date, text, jsonb),
    ledger.lift_seal(bigint, text, jsonb), ledger.seals(jsonb), ledger.seals_counted() TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.open_due() TO dizuo_sealer;
GRANT SELECT ON ledger.seal_ground TO dizuo_app;
REVOKE ALL ON SEQUENCE ledger.objection_number FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.entries_where(bigint, bigint, timestamptz, timestamptz, text, text, integer),
    ledger.tally(bigint, bigint, boolean), ledger.closed_of(bigint[]), ledger.uses_of(bigint, bigint, bigint) TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON ledger.looked TO dizuo_app;
GRANT USAGE ON SEQUENCE ledger.objection_number TO dizuo_app;
GRANT SELECT, INSERT ON ledger.objection TO dizuo_app;
GRANT UPDATE (state, answer, official, ended_at) ON ledger.objection TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.new_kinds(bigint) TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.note_kinds(integer) TO dizuo_sealer;
GRANT SELECT ON ledger.tag_segment, ledger.tag_block TO dizuo_app;
GRANT SELECT, INSERT ON ledger.tag_segment TO dizuo_sealer;
GRANT UPDATE (alone) ON ledger.tag_segment TO dizuo_sealer;
GRANT SELECT, INSERT, DELETE ON ledger.tag_block TO dizuo_sealer;
