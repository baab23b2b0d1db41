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
    hash  bytea  NOT NULL
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

-- Erase what is personal in one entry: salt, payload and subject go, the leaf and every proof stay.
-- `reason_entry` is an entry of kind 'ledger.erase' whose body.entries names what it erases. False: already erased.
-- Only the role dizuo_eraser may: whoever could both use data and erase would write his own reason.
CREATE FUNCTION ledger.erase(entry bigint, reason_entry bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM ledger.entry r WHERE r.id = $2 AND r.kind = 'ledger.erase'
                   AND jsonb_typeof(r.body -> 'entries') = 'array' AND r.body -> 'entries' @> to_jsonb($1)) THEN
        RAISE EXCEPTION 'entry % is not a reason for erasing entry %', $2, $1 USING ERRCODE = 'DZ003',
            HINT = 'First append an entry of kind ledger.erase with body {"entries": [...], "basis": ...}.';
    END IF;
    PERFORM set_config('dizuo.erasing', pg_current_xact_id()::text, true);
    UPDATE ledger.entry e SET salt = NULL, payload = NULL, subject = NULL, erased_by = $2
    WHERE e.id = $1 AND e.erased_by IS NULL AND e.kind <> 'ledger.erase';
    done := FOUND;
    PERFORM set_config('dizuo.erasing', '', true);
    RETURN done;
END $$;

-- Reading ---------------------------------------------------------------------------------------------------------

-- Every entry about one person, newest first; the caller enters this reading itself.
CREATE FUNCTION ledger.entries_of(subject bigint, before bigint, count integer)
RETURNS TABLE (id bigint, at timestamptz, kind text, body jsonb, payload jsonb, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body, e.payload, l.seq
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id
    WHERE e.subject = $1 AND e.id < coalesce($2, 9223372036854775807)
    ORDER BY e.id DESC LIMIT least($3, 1000);
END;

-- What the leaf of an entry covers: nothing personal.
CREATE FUNCTION ledger.covered(entry bigint)
RETURNS TABLE (id bigint, at timestamptz, kind text, body text, commitment bytea, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body::text, e.commitment, l.seq
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id WHERE e.id = $1;
END;

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
