-- What changed in the registers, in one order without gaps, for whoever keeps a copy or an index beside them: which record,
-- which version, which fields (their names, never a value).
--
-- Writers only note: a row with their transaction's number, no lock, no counter that they would queue at. Positions are given
-- afterwards, by whoever asks for changes, to the notes of transactions that have all ended (below the snapshot's horizon), in
-- the order (tx, id), as the ledger's sealer does. So a position that can be seen never gets a neighbour before it, a late
-- commit is never skipped, and giving positions twice (after a rollback) gives the same ones.

CREATE TABLE registers.change_note (
    tx        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id        bigint GENERATED ALWAYS AS IDENTITY,
    kind      text COLLATE "C" NOT NULL CHECK (kind IN ('new', 'changed', 'rekeyed', 'snapshot')),
    register  text COLLATE "C" NOT NULL,
    ref       bigint,
    version   integer,
    fields    text[] COLLATE "C" NOT NULL DEFAULT '{}',
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tx, id)
);

-- The feed. `ref` names the record (a person's key is a citizen number and has no place here); a snapshot has none: it
-- says that the whole register was loaded anew, so a copy is taken in bulk and goes on from that position.
CREATE TABLE registers.change (
    position  bigint PRIMARY KEY,
    kind      text COLLATE "C" NOT NULL,
    register  text COLLATE "C" NOT NULL,
    ref       bigint,
    version   integer,
    fields    text[] COLLATE "C" NOT NULL,
    at        timestamptz NOT NULL
);
CREATE INDEX change_of_register ON registers.change (register, position);

-- One row: the last position given, and the first one that is still kept.
CREATE TABLE registers.change_head (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    last      bigint NOT NULL,
    kept_from bigint NOT NULL
);
INSERT INTO registers.change_head (last, kept_from) VALUES (0, 1);

REVOKE ALL ON registers.change_note, registers.change, registers.change_head FROM PUBLIC;

-- Every writer inserts versions into registers.record, so that is where changes are noted: nobody can forget to.
-- Which fields changed is told by the version before; a first version says none, all of it is new.
CREATE FUNCTION registers.note_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO registers.change_note (kind, register, ref, version, fields)
    SELECT CASE WHEN o.ref IS NULL THEN 'new' WHEN o.key <> n.key THEN 'rekeyed' ELSE 'changed' END,
           n.register, n.ref, n.version,
           CASE WHEN o.ref IS NULL THEN '{}' ELSE ARRAY(
               SELECT k COLLATE "C" FROM (SELECT jsonb_object_keys(n.data) UNION SELECT jsonb_object_keys(o.data)) AS u(k)
               WHERE n.data -> k IS DISTINCT FROM o.data -> k ORDER BY 1) END
    FROM written n
    LEFT JOIN registers.record o ON n.version > 1 AND o.ref = n.ref AND o.version = n.version - 1
    ORDER BY n.register, n.ref;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION registers.note_changes() FROM PUBLIC;
CREATE TRIGGER note_changes AFTER INSERT ON registers.record
    REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION registers.note_changes();

-- Give positions to up to `most` notes of ended transactions. Gives how many.
-- A note whose number lies above the snapshot came with a database that moved here from another server: it has ended too.
CREATE FUNCTION registers.number_changes(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    head  bigint;
    moved integer;
BEGIN
    SELECT h.last INTO head FROM registers.change_head h FOR UPDATE;
    WITH due AS MATERIALIZED (
        SELECT n.tx, n.id FROM registers.change_note n
        WHERE (n.tx < pg_snapshot_xmin(pg_current_snapshot()) OR n.tx >= pg_snapshot_xmax(pg_current_snapshot()))
          AND n.tx IS DISTINCT FROM pg_current_xact_id_if_assigned()
        ORDER BY n.tx, n.id LIMIT most
    ), taken AS (
        DELETE FROM registers.change_note n USING due d WHERE n.tx = d.tx AND n.id = d.id RETURNING n.*
    ), given AS (
        INSERT INTO registers.change (position, kind, register, ref, version, fields, at)
        SELECT head + row_number() OVER (ORDER BY t.tx, t.id), t.kind, t.register, t.ref, t.version, t.fields, t.at
        FROM taken t
        RETURNING 1
    )
    SELECT count(*) INTO moved FROM given;
    IF moved > 0 THEN
        UPDATE registers.change_head SET last = head + moved;
    END IF;
    RETURN moved;
END $$;
REVOKE ALL ON FUNCTION registers.number_changes(integer) FROM PUBLIC;

-- changes_after: up to `most` changes behind a position, oldest first; `register_in` null for all registers.
-- Asking again from the same position gives the same answer, so a reader replays from wherever it stands.
-- Errors: DZ311 the position is older than what is kept, or was never given.
CREATE FUNCTION registers.changes_after(after bigint, register_in text, most integer)
RETURNS TABLE ("position" bigint, kind text, register text, ref bigint, version integer, fields text[], at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    head registers.change_head;
BEGIN
    IF EXISTS (SELECT FROM registers.change_note) THEN
        PERFORM registers.number_changes(greatest(least(most, 10000), 1000));
    END IF;
    SELECT * INTO head FROM registers.change_head;
    IF after < head.kept_from - 1 OR after > head.last THEN
        RAISE EXCEPTION 'changes are kept from % to %, not after %', head.kept_from, head.last, after
            USING ERRCODE = 'DZ311', HINT = 'Take the whole register anew and go on from the last position.';
    END IF;
    RETURN QUERY SELECT c.position, c.kind, c.register, c.ref, c.version, c.fields, c.at FROM registers.change c
        WHERE c.position > after AND (register_in IS NULL OR c.register = register_in)
        ORDER BY c.position LIMIT least(most, 10000);
END $$;
REVOKE ALL ON FUNCTION registers.changes_after(bigint, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.changes_after(bigint, text, integer) TO dizuo_loader;

-- change_reach: the first position kept and the last one given; notes that wait are numbered first.
CREATE FUNCTION registers.change_reach(OUT kept_from bigint, OUT last bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM registers.change_note) THEN
        PERFORM registers.number_changes(10000);
    END IF;
    SELECT h.kept_from, h.last INTO kept_from, last FROM registers.change_head h;
END $$;
REVOKE ALL ON FUNCTION registers.change_reach() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.change_reach() TO dizuo_loader;

-- forget_changes: drop what was noted before a moment, never less than thirty days of it. For the owner; gives how many.
CREATE FUNCTION registers.forget_changes(before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until bigint;
    gone  bigint;
BEGIN
    PERFORM FROM registers.change_head FOR UPDATE;
    SELECT min(c.position) INTO until FROM registers.change c WHERE c.at >= least(before, now() - interval '30 days');
    SELECT coalesce(until, h.last + 1) INTO until FROM registers.change_head h;
    DELETE FROM registers.change c WHERE c.position < until;
    GET DIAGNOSTICS gone = ROW_COUNT;
    UPDATE registers.change_head SET kept_from = greatest(kept_from, until);
    RETURN gone;
END $$;
REVOKE ALL ON FUNCTION registers.forget_changes(timestamptz) FROM PUBLIC;
