-- New kinds of use, noted once: a person is told on the front page without a list being counted.

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

-- As before, and the kind of use that began with an erased entry goes with it: it would say who used the person's data.
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
        DELETE FROM ledger.use_kind k WHERE k.subject = whom AND k.first = $1;
    END IF;
    RETURN done;
END $$;

REVOKE ALL ON ledger.use_kind, ledger.use_mark FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.note_kinds(integer), ledger.new_kinds(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.new_kinds(bigint) TO dizuo_app;
GRANT EXECUTE ON FUNCTION ledger.note_kinds(integer) TO dizuo_sealer;
