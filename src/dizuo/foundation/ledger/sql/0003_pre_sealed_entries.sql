-- Sealed entries (lawful investigations): what may not be told yet is committed at once and told on its day.
--
-- A sealed entry stands in the log like any other; what it says lies in its payload, bound by the commitment. Whether the person
-- may know before that day that something is there is for the law to say (`tells`): if so, the sealed entry is about the person and
-- has a number of theirs; if not, it is about nobody until then, and its opening takes the person's next number. Either way the
-- person's numbers have no gap, and an opening that does not fit the commitment is found.

CREATE TABLE ledger.seal_ground (
    -- law:article, and the one post of the one unit that may seal on it, for at most so many days.
    basis       text COLLATE "C" NOT NULL CHECK (basis <> ''),
    unit        text COLLATE "C" NOT NULL CHECK (unit <> ''),
    post        text COLLATE "C" NOT NULL CHECK (post <> ''),
    longest     integer NOT NULL CHECK (longest BETWEEN 1 AND 3650),
    tells       boolean NOT NULL,
    -- The unit that sees which seals go on for too long.
    overseer    text COLLATE "C" NOT NULL CHECK (overseer <> ''),
    declared_at timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    PRIMARY KEY (basis, unit, post)
);
COMMENT ON TABLE ledger.seal_ground IS 'Who may keep an entry sealed, on which law, for how long; declared by the owner alone';

CREATE TABLE ledger.sealed (
    entry     bigint PRIMARY KEY,
    since     date NOT NULL,
    opens_on  date NOT NULL CHECK (opens_on > since),
    -- How long the ground allowed; beyond it a seal is listed to the overseer.
    longest   integer NOT NULL,
    overseer  text COLLATE "C" NOT NULL,
    extended  integer NOT NULL DEFAULT 0,
    opened_by bigint
);
CREATE INDEX sealed_due ON ledger.sealed (opens_on) WHERE opened_by IS NULL;
COMMENT ON TABLE ledger.sealed IS 'When each sealed entry opens';

CREATE FUNCTION ledger.today() RETURNS date LANGUAGE sql STABLE RETURN (pg_catalog.now() AT TIME ZONE 'Asia/Shanghai')::date;

-- A sealed entry: like ledger.append, but told on a day. `actor` is {unit, post}. DZ004: no such ground; DZ005: no such term.
CREATE FUNCTION ledger.seal(
    kind text, body jsonb, subject bigint, payload jsonb, opens_on date, basis text, actor jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ground ledger.seal_ground;
    made   bigint;
BEGIN
    SELECT * INTO ground FROM ledger.seal_ground g
    WHERE g.basis = $6 AND g.unit = $7 ->> 'unit' AND g.post = $7 ->> 'post' AND g.ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no ground to seal: % of % on %', $7 ->> 'post', $7 ->> 'unit', $6 USING ERRCODE = 'DZ004',
            HINT = 'Only a declared post may seal, on the law that is declared for it.';
    END IF;
    IF $5 IS NULL OR $5 <= ledger.today() OR $5 > ledger.today() + ground.longest THEN
        RAISE EXCEPTION 'a seal on % lasts from 1 to % days', $6, ground.longest USING ERRCODE = 'DZ005';
    END IF;
    IF $1 !~ '^[a-z0-9_.]{1,63}$' OR $1 LIKE 'sealed%' OR jsonb_typeof($2) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION 'what is sealed is not an entry' USING ERRCODE = 'DZ006';
    END IF;
    made := ledger.append('sealed',
        jsonb_build_object('opens_on', $5, 'basis', $6, 'tells', ground.tells,
                           'actor', jsonb_build_object('kind', 'official', 'unit', ground.unit, 'post', ground.post)),
        CASE WHEN ground.tells THEN $3 END,
        jsonb_build_object('sealed', jsonb_build_object('kind', $1, 'body', $2, 'subject', $3, 'payload', $4)));
    INSERT INTO ledger.sealed (entry, since, opens_on, longest, overseer)
    VALUES (made, ledger.today(), $5, ground.longest, ground.overseer);
    RETURN made;
END $$;

-- Keep a seal for longer: by another post than the one that sealed, on a ground of its own, entered too. DZ007: not to be extended.
CREATE FUNCTION ledger.extend_seal(entry bigint, until date, basis text, actor jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ground ledger.seal_ground;
    old    ledger.sealed;
BEGIN
    SELECT * INTO old FROM ledger.sealed s WHERE s.entry = $1 AND s.opened_by IS NULL FOR UPDATE;
    SELECT * INTO ground FROM ledger.seal_ground g
    WHERE g.basis = $3 AND g.unit = $4 ->> 'unit' AND g.post = $4 ->> 'post' AND g.ended_at IS NULL
      AND NOT EXISTS (SELECT FROM ledger.entry e WHERE e.id = $1 AND e.body -> 'actor' ->> 'unit' = g.unit
                      AND e.body -> 'actor' ->> 'post' = g.post);
    IF old.entry IS NULL OR ground.basis IS NULL OR $2 IS NULL OR $2 <= old.opens_on OR $2 > ledger.today() + ground.longest THEN
        RAISE EXCEPTION 'the seal of entry % is not to be extended so', $1 USING ERRCODE = 'DZ007',
            HINT = 'Another declared post than the one that sealed, a later day, within its term, before the seal opens.';
    END IF;
    UPDATE ledger.sealed s SET opens_on = $2, extended = s.extended + 1 WHERE s.entry = $1;
    RETURN ledger.append('sealed.extended', jsonb_build_object('entry', $1, 'opens_on', $2, 'basis', $3,
        'actor', jsonb_build_object('kind', 'official', 'unit', ground.unit, 'post', ground.post)), NULL, NULL);
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
               WHERE s.opened_by IS NULL AND s.opens_on <= ledger.today() ORDER BY s.entry LIMIT 500 FOR UPDATE OF s SKIP LOCKED LOOP
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

-- Every seal that is still closed, for those who oversee: nothing about any person.
CREATE FUNCTION ledger.seals(overseer text)
RETURNS TABLE (entry bigint, since date, opens_on date, unit text, post text, basis text, extended integer, overlong boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT s.entry, s.since, s.opens_on, e.body -> 'actor' ->> 'unit', e.body -> 'actor' ->> 'post', e.body ->> 'basis', s.extended,
           s.opens_on > s.since + s.longest OR s.opens_on < ledger.today()
    FROM ledger.sealed s JOIN ledger.entry e ON e.id = s.entry
    WHERE s.opened_by IS NULL AND s.overseer = $1 ORDER BY s.opens_on > s.since + s.longest DESC, s.since, s.entry LIMIT 1000;
END;

-- Every entry about one person, newest first; the caller enters this reading itself. What a seal covers is not told.
CREATE OR REPLACE FUNCTION ledger.entries_of(subject bigint, before bigint, count integer)
RETURNS TABLE (id bigint, at timestamptz, kind text, body jsonb, payload jsonb, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body, CASE WHEN e.kind <> 'sealed' THEN e.payload END, l.seq
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id
    WHERE e.subject = $1 AND e.id < coalesce($2, 9223372036854775807)
    ORDER BY e.id DESC LIMIT least($3, 1000);
END;

REVOKE ALL ON ledger.seal_ground, ledger.sealed FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.today(), ledger.seal(text, jsonb, bigint, jsonb, date, text, jsonb),
    ledger.extend_seal(bigint, date, text, jsonb), ledger.open_due(), ledger.seals(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.seal(text, jsonb, bigint, jsonb, date, text, jsonb),
    ledger.extend_seal(bigint, date, text, jsonb), ledger.seals(text) TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.open_due() TO dizuo_sealer;
GRANT SELECT ON ledger.seal_ground TO dizuo_app;
