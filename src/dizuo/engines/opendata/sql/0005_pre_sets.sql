-- Which datasets hold what was asked for: every one of them, however many entries of another one hold it too.
--
-- A common word fills the first hits with one dataset; others that hold it once would not be seen. So each dataset has the
-- n-grams of all its rows in one place, which tells where looking is worth it, and each is looked at by itself.

CREATE TABLE opendata.sought (
    dataset text COLLATE "C" PRIMARY KEY REFERENCES opendata.dataset (id) ON DELETE CASCADE,
    -- Of its rows; never fewer than they have, sometimes more.
    grams   integer[] NOT NULL
);
CREATE INDEX sought_grams ON opendata.sought USING gin (grams) WITH (fastupdate = off);
INSERT INTO opendata.sought SELECT e.dataset, array_agg(DISTINCT g) FROM opendata.entry e, unnest(e.grams) g
WHERE e.kind = 'row' GROUP BY e.dataset;
REVOKE ALL ON opendata.sought FROM PUBLIC;
GRANT SELECT ON opendata.sought TO dizuo_app;

-- The entries of one dataset in their order.
DROP INDEX opendata.entry_of;
CREATE INDEX entry_of ON opendata.entry (dataset, rank);

-- Few entries have the rarest gram: all of them are looked at, and of each dataset and kind the first `most` are told.
CREATE FUNCTION opendata.sets_rare(grams_in integer[], terms_in text[], low bigint, high bigint, chosen text[], most integer)
RETURNS TABLE (rank bigint, dataset text, kind text, shown text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_indexscan = off
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT h.rank, h.dataset, h.kind, h.shown FROM (
        SELECT e.rank, e.dataset, e.kind, e.shown, row_number() OVER (PARTITION BY e.dataset, e.kind ORDER BY e.rank) AS nth
        FROM opendata.entry e
        WHERE e.grams @> grams_in AND e.rank >= low AND e.rank < high AND (chosen IS NULL OR e.dataset = ANY (chosen))
          AND position(terms_in[1] IN e.folded) > 0
          AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN e.folded) > 0) FROM unnest(terms_in) t))) h
    WHERE h.nth <= most;
END $$;

-- The datasets whose rows have all these grams, if not always in one row.
CREATE FUNCTION opendata.sets_sought(grams_in integer[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
BEGIN ATOMIC
    SELECT coalesce(array_agg(s.dataset ORDER BY s.dataset), '{}') FROM opendata.sought s WHERE s.grams @> $1;
END;

-- Many entries have every gram. What is said of datasets and columns is walked through; of each dataset that may have such rows
-- the first ones are, at most `steps` of all together; datasets in which that found nothing are asked through the index.
-- `grams_in` are all grams of the query, `rarest_in` the few rarest of them; ranks of rows begin at `rows_from`.
CREATE FUNCTION opendata.sets_common(
    grams_in integer[], rarest_in integer[], terms_in text[], rows_from bigint, high bigint, most integer, steps integer)
RETURNS TABLE (rank bigint, dataset text, kind text, shown text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    first text := terms_in[1];
    chosen text[] := opendata.sets_sought(grams_in);
    each integer := greatest(20, steps / greatest(1, cardinality(chosen)));
    left_over text[] := '{}';
    one text;
    told bigint;
BEGIN
    IF EXISTS (SELECT FROM opendata.entry e WHERE e.rank < rows_from ORDER BY e.rank OFFSET steps) THEN
        RETURN QUERY SELECT * FROM opendata.sets_rare(rarest_in, terms_in, 0, rows_from, NULL, most);
    ELSE
        RETURN QUERY
        SELECT h.rank, h.dataset, h.kind, h.shown FROM (
            SELECT e.rank, e.dataset, e.kind, e.shown, row_number() OVER (PARTITION BY e.dataset, e.kind ORDER BY e.rank) AS nth
            FROM opendata.entry e WHERE e.rank < rows_from AND position(first IN e.folded) > 0
              AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN e.folded) > 0) FROM unnest(terms_in) t))) h
        WHERE h.nth <= most;
    END IF;
    FOREACH one IN ARRAY chosen LOOP
        RETURN QUERY
        SELECT w.rank, w.dataset, w.kind, w.shown FROM (
            SELECT e.rank, e.dataset, e.kind, e.shown, e.folded FROM opendata.entry e
            WHERE e.dataset = one AND e.rank >= rows_from AND e.rank < high ORDER BY e.rank LIMIT each) w
        WHERE position(first IN w.folded) > 0
          AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN w.folded) > 0) FROM unnest(terms_in) t))
        LIMIT most;
        GET DIAGNOSTICS told = ROW_COUNT;
        IF told = 0 THEN
            left_over := left_over || one;
        END IF;
    END LOOP;
    IF cardinality(left_over) > 0 THEN
        RETURN QUERY SELECT * FROM opendata.sets_rare(rarest_in, terms_in, rows_from, high, left_over, most);
    END IF;
END $$;
REVOKE ALL ON FUNCTION opendata.sets_rare(integer[], text[], bigint, bigint, text[], integer),
    opendata.sets_common(integer[], integer[], text[], bigint, bigint, integer, integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION opendata.sets_sought(integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.sets_sought(integer[]) TO dizuo_app;
GRANT EXECUTE ON FUNCTION opendata.sets_rare(integer[], text[], bigint, bigint, text[], integer),
    opendata.sets_common(integer[], integer[], text[], bigint, bigint, integer, integer) TO dizuo_app;
