-- Counting what is new: a person's list is counted from where the last count ended, not from its beginning.

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
DROP FUNCTION ledger.uses_of(bigint);
CREATE FUNCTION ledger.uses_of(subject bigint, after bigint, until bigint)
RETURNS TABLE (unit text, actor text, purpose text, first bigint, first_at timestamptz, last_at timestamptz, count bigint, settled boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(split_part(e.body -> 'actor' ->> 'unit', ':', 1), ''), coalesce(e.body -> 'actor' ->> 'kind', ''),
           coalesce(e.body ->> 'purpose', e.body ->> 'matter', ''), min(e.id), min(e.at), max(e.at), count(*), e.id <= $3
    FROM ledger.entry e WHERE e.subject = $1 AND e.id > $2 AND e.kind NOT IN ('data.viewed', 'sealed', 'sealed.opened')
    GROUP BY 1, 2, 3, 8 ORDER BY 6 DESC LIMIT 600;
END;

REVOKE ALL ON FUNCTION ledger.tally(bigint, bigint, boolean), ledger.closed_of(bigint[]), ledger.uses_of(bigint, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.tally(bigint, bigint, boolean), ledger.closed_of(bigint[]), ledger.uses_of(bigint, bigint, bigint) TO dizuo_app;
