-- Downloads in bulk (批量): the granted fields of every record of a register, in parts that can be fetched again.
--
-- A part is a list of record versions, made when it is first asked for. Everybody in it is entered in the ledger in the same
-- transaction; its values are given only after that is on disk, and are the same values however often the part is fetched.
-- Parts that nobody asked for concern nobody: a download that stops half-way leaves entries for what left, and no others.

CREATE TABLE exchange.bulk (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    grant_id       bigint NOT NULL REFERENCES exchange.data_grant (id),
    consumer       text COLLATE "C" NOT NULL,
    resource       text COLLATE "C" NOT NULL,
    register       text COLLATE "C" NOT NULL,
    fields         text[] COLLATE "C" NOT NULL,
    types          text[] COLLATE "C" NOT NULL,
    format         text COLLATE "C" NOT NULL CHECK (format IN ('csv', 'parquet', 'arrow')),
    part_size      integer NOT NULL CHECK (part_size BETWEEN 100 AND 100000),
    -- Where the changes since stand: a copy is brought up to date by a subscription behind this position.
    feed_position  bigint NOT NULL,
    state          text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'complete', 'stopped')),
    why            text COLLATE "C" NOT NULL DEFAULT '',
    started_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL
);
CREATE INDEX bulk_grant ON exchange.bulk (grant_id, started_at);

CREATE TABLE exchange.bulk_part (
    bulk        uuid NOT NULL REFERENCES exchange.bulk (id) ON DELETE CASCADE,
    part        integer NOT NULL CHECK (part > 0),
    refs        bigint[] NOT NULL,
    versions    integer[] NOT NULL,
    -- The numbers of its first and last record, and whether no record comes after it.
    first_ref   bigint,
    last_ref    bigint,
    final       boolean NOT NULL,
    entries     bigint NOT NULL,
    entered_by  xid8 NOT NULL DEFAULT pg_current_xact_id(),
    entered_at  timestamptz NOT NULL DEFAULT now(),
    rows        integer,
    bytes       bigint,
    digest      bytea,
    unreadable  integer,
    PRIMARY KEY (bulk, part)
);
GRANT SELECT ON exchange.bulk TO dizuo_app;
GRANT SELECT (bulk, part, first_ref, last_ref, final, entries, entered_at, rows, bytes, digest, unreadable)
    ON exchange.bulk_part TO dizuo_app;

-- bulk_start: a new download of all granted fields, or of some of them. Gives its id.
-- Errors: DZ601 with the reason in DETAIL; DZ605 a field that is not granted; DZ606 as many today as the grant allows.
CREATE FUNCTION exchange.bulk_start(grant_in bigint, consumer_in text, wanted text[], format_in text, size integer) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    g      exchange.data_grant;
    r      exchange.resource;
    why    text := exchange.standing(grant_in, 'bulk');
    shown  text[];
    kinds  text[];
    made   uuid;
BEGIN
    SELECT * INTO g FROM exchange.data_grant d WHERE d.id = grant_in FOR UPDATE;
    IF why = '' AND g.consumer <> consumer_in THEN why := 'unknown'; END IF;
    IF why <> '' THEN
        RAISE EXCEPTION 'the grant does not allow this download' USING ERRCODE = 'DZ601', DETAIL = why;
    END IF;
    IF NOT coalesce(wanted, '{}') <@ g.fields THEN
        RAISE EXCEPTION 'a field is not granted' USING ERRCODE = 'DZ605', DETAIL = (
            SELECT string_agg(w, ', ' ORDER BY w) FROM unnest(wanted) AS w WHERE NOT w = ANY (g.fields));
    END IF;
    DELETE FROM exchange.bulk b WHERE b.consumer = consumer_in AND b.expires_at < now();
    IF (SELECT count(*) FROM exchange.bulk b WHERE b.grant_id = grant_in
        AND b.started_at >= date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai') >= g.per_day THEN
        RAISE EXCEPTION 'the grant allows no more downloads today' USING ERRCODE = 'DZ606';
    END IF;
    SELECT * INTO r FROM exchange.resource x WHERE x.code = g.resource;
    SELECT array_agg(t.field), array_agg(t.type) INTO shown, kinds
    FROM registers.field_types(r.register, CASE WHEN coalesce(wanted, '{}') = '{}' THEN g.fields ELSE wanted END) AS t;
    IF shown IS NULL THEN
        RAISE EXCEPTION 'the register has none of these fields' USING ERRCODE = 'DZ601', DETAIL = 'no_register';
    END IF;
    INSERT INTO exchange.bulk AS b (grant_id, consumer, resource, register, fields, types, format, part_size, feed_position, expires_at)
    VALUES (grant_in, consumer_in, g.resource, r.register, shown, kinds, format_in, size,
            (SELECT h.last FROM registers.change_reach() AS h), now() + interval '7 days')
    RETURNING b.id INTO made;
    PERFORM ledger.append('exchange.bulk_started', exchange.about_of(grant_in, 'bulk') || jsonb_build_object(
        'bulk', made, 'register', r.register, 'fields', to_jsonb(shown), 'format', format_in), NULL, NULL);
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION exchange.bulk_start(bigint, text, text[], text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.bulk_start(bigint, text, text[], text, integer) TO dizuo_app;

-- bulk_enter: make a part that nobody asked for yet, with everybody in it entered, or find one that was made. Parts are made in
-- order. Gives {"rows", "final"} or {"stopped": reason} or {"missing": the part to ask for first}.
CREATE FUNCTION exchange.bulk_enter(bulk_in uuid, consumer_in text, part_in integer) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b      exchange.bulk;
    known  exchange.bulk_part;
    before exchange.bulk_part;
    picked record;
    reason text;
    told   bigint := 0;
    many   integer;
BEGIN
    SELECT * INTO b FROM exchange.bulk u WHERE u.id = bulk_in AND u.consumer = consumer_in FOR UPDATE;
    IF b.id IS NULL OR b.expires_at < now() THEN
        RETURN jsonb_build_object('stopped', 'gone');
    END IF;
    PERFORM FROM exchange.data_grant d WHERE d.id = b.grant_id FOR SHARE;
    reason := exchange.standing(b.grant_id, 'bulk');
    IF reason <> '' THEN
        PERFORM exchange.refuse_delivery(b.grant_id, consumer_in, 'bulk', reason);
        IF reason NOT IN ('suspended', 'not_yet', 'offline') THEN
            UPDATE exchange.bulk u SET state = 'stopped', why = reason WHERE u.id = bulk_in;
        END IF;
        RETURN jsonb_build_object('stopped', reason);
    END IF;
    SELECT * INTO known FROM exchange.bulk_part p WHERE p.bulk = bulk_in AND p.part = part_in;
    IF FOUND THEN
        RETURN jsonb_build_object('rows', cardinality(known.refs), 'final', known.final);
    END IF;
    SELECT * INTO before FROM exchange.bulk_part p WHERE p.bulk = bulk_in ORDER BY p.part DESC LIMIT 1;
    IF part_in <> coalesce(before.part, 0) + 1 THEN
        RETURN jsonb_build_object('missing', coalesce(before.part, 0) + 1);
    END IF;
    IF before.final THEN
        RETURN jsonb_build_object('stopped', 'no_part');
    END IF;
    picked := registers.pick_current(b.register, coalesce(before.last_ref, 0), b.part_size);
    many := cardinality(picked.refs);
    IF many > 0 THEN
        told := registers.enter_records(b.register, picked.refs, picked.versions,
            exchange.about_of(b.grant_id, 'bulk') || jsonb_build_object('bulk', bulk_in, 'fields', to_jsonb(b.fields)),
            jsonb_build_object('case', '批量下载 ' || left(bulk_in::text, 8)));
    END IF;
    INSERT INTO exchange.bulk_part (bulk, part, refs, versions, first_ref, last_ref, final, entries)
    VALUES (bulk_in, part_in, picked.refs, picked.versions, picked.refs[1], picked.refs[many], many < b.part_size, told);
    RETURN jsonb_build_object('rows', many, 'final', many < b.part_size);
END $$;
REVOKE ALL ON FUNCTION exchange.bulk_enter(uuid, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.bulk_enter(uuid, text, integer) TO dizuo_app;

-- bulk_open: the values of some lines of a part that was entered and is on disk, in order; none where the right has ended.
-- Errors: DZ604 in the transaction that entered it.
CREATE FUNCTION exchange.bulk_open(bulk_in uuid, consumer_in text, part_in integer, skip integer, most integer)
RETURNS TABLE (ref bigint, data text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET debug_print_plan = off SET debug_print_parse = off SET debug_print_rewritten = off AS $$
DECLARE
    b exchange.bulk;
    p exchange.bulk_part;
BEGIN
    SELECT * INTO b FROM exchange.bulk u WHERE u.id = bulk_in AND u.consumer = consumer_in;
    SELECT * INTO p FROM exchange.bulk_part q WHERE q.bulk = bulk_in AND q.part = part_in;
    IF b.id IS NULL OR p.part IS NULL OR exchange.standing(b.grant_id, 'bulk') <> '' THEN
        RETURN;
    END IF;
    IF p.entered_by = pg_current_xact_id_if_assigned() THEN
        RAISE EXCEPTION 'what is entered here is not on disk yet' USING ERRCODE = 'DZ604';
    END IF;
    IF NOT b.fields <@ (SELECT g.fields FROM exchange.data_grant g WHERE g.id = b.grant_id) THEN
        RETURN;
    END IF;
    PERFORM registers.durable();
    RETURN QUERY SELECT o.ref, o.data FROM registers.open_records(
        b.register, p.refs[skip + 1 : skip + most], p.versions[skip + 1 : skip + most], b.fields) AS o;
END $$;
REVOKE ALL ON FUNCTION exchange.bulk_open(uuid, text, integer, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.bulk_open(uuid, text, integer, integer, integer) TO dizuo_app;

-- bulk_made: what a part came to as a file; told once, and the same ever after. False when it came to something else before.
CREATE FUNCTION exchange.bulk_made(bulk_in uuid, part_in integer, rows_in integer, bytes_in bigint, digest_in bytea,
                                   unreadable_in integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE exchange.bulk_part p SET rows = rows_in, bytes = bytes_in, digest = digest_in, unreadable = unreadable_in
    WHERE p.bulk = bulk_in AND p.part = part_in AND p.digest IS NULL;
    RETURN FOUND OR EXISTS (SELECT FROM exchange.bulk_part p WHERE p.bulk = bulk_in AND p.part = part_in AND p.digest = digest_in);
END $$;
REVOKE ALL ON FUNCTION exchange.bulk_made(uuid, integer, integer, bigint, bytea, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.bulk_made(uuid, integer, integer, bigint, bytea, integer) TO dizuo_app;

-- bulk_sent: enter how far a part was sent; the last part sent whole completes the download.
CREATE FUNCTION exchange.bulk_sent(bulk_in uuid, part_in integer, sent bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    b exchange.bulk;
    p exchange.bulk_part;
BEGIN
    SELECT * INTO b FROM exchange.bulk u WHERE u.id = bulk_in;
    SELECT * INTO p FROM exchange.bulk_part q WHERE q.bulk = bulk_in AND q.part = part_in;
    IF p.part IS NULL THEN
        RETURN;
    END IF;
    PERFORM ledger.append('exchange.bulk_part', exchange.about_of(b.grant_id, 'bulk') || jsonb_build_object(
        'bulk', bulk_in, 'part', part_in, 'register', b.register, 'rows', p.rows, 'bytes', p.bytes, 'sent', sent,
        'whole', sent = p.bytes, 'sha256', encode(p.digest, 'hex')), NULL, NULL);
    IF p.final AND sent = p.bytes THEN
        UPDATE exchange.bulk u SET state = 'complete' WHERE u.id = bulk_in AND u.state = 'open';
    END IF;
END $$;
REVOKE ALL ON FUNCTION exchange.bulk_sent(uuid, integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.bulk_sent(uuid, integer, bigint) TO dizuo_app;
