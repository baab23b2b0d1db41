-- Seals with two pairs of eyes: one post orders, another approves; what may be read so is declared; a seal may be lifted early.

DROP FUNCTION ledger.seal(text, jsonb, bigint, jsonb, date, text, jsonb);
DROP FUNCTION ledger.extend_seal(bigint, date, text, jsonb);
DROP FUNCTION ledger.seals(text);
-- Grounds are declared anew at every start, and no city declared any before.
DROP TABLE ledger.seal_ground;
ALTER TABLE ledger.sealed ADD COLUMN ground text COLLATE "C" NOT NULL DEFAULT '', ADD COLUMN unit text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN lifted_by bigint;

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
CREATE OR REPLACE FUNCTION ledger.open_due() RETURNS integer
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

REVOKE ALL ON ledger.seal_ground FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.ground_of(text, text, text, text), ledger.seal(text, jsonb, bigint, jsonb, date, text, jsonb),
    ledger.extend_seal(bigint, date, text, jsonb), ledger.lift_seal(bigint, text, jsonb), ledger.seals(jsonb),
    ledger.seals_counted() FROM PUBLIC;
GRANT SELECT ON ledger.seal_ground TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.ground_of(text, text, text, text), ledger.extend_seal(bigint, date, text, jsonb),
    ledger.lift_seal(bigint, text, jsonb), ledger.seals(jsonb), ledger.seals_counted() TO dizuo_app;
