-- Search: one row per text that can be found (a dataset, one of its columns, one of its rows), with the n-grams of that text.
--
-- A substring of one to three characters is one gram, so it is found by one look into the index; a longer one by its
-- grams together and a look at the text itself. Nothing is cut into words, so that no substring is ever missed.

CREATE TABLE opendata.entry (
    -- The order in which hits are shown: the smaller, the weightier. Also what a page of hits goes on from.
    rank    bigint PRIMARY KEY,
    dataset text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id) ON DELETE CASCADE,
    kind    text COLLATE "C" NOT NULL CHECK (kind IN ('dataset', 'column', 'row')),
    -- What is shown of it, and where it stands: a column's id, or a row's place in the release.
    shown   text NOT NULL,
    place   text COLLATE "C" NOT NULL DEFAULT '',
    -- Folded: width and case away, pinyin behind; parts divided by a line feed, which no query holds.
    folded  text COLLATE "C" NOT NULL,
    grams   integer[] NOT NULL
)
-- Grams are for the index alone: kept out of line, so that looking at texts does not read them.
WITH (toast_tuple_target = 128);
ALTER TABLE opendata.entry ALTER grams SET STORAGE EXTERNAL;
CREATE INDEX entry_of ON opendata.entry (dataset);
CREATE INDEX entry_grams ON opendata.entry USING gin (grams) WITH (fastupdate = off);

-- How many entries have a gram; grams of few entries are not kept, and read as rare.
CREATE TABLE opendata.gram (
    gram    integer PRIMARY KEY,
    entries bigint NOT NULL
);
-- Kept up by whoever writes entries; the planner of a search chooses by it.
CREATE TABLE opendata.entry_count (one boolean PRIMARY KEY DEFAULT true CHECK (one), entries bigint NOT NULL);
INSERT INTO opendata.entry_count VALUES (true, 0);

-- Words by which a query is put right when it finds nothing: titles, other words, column names, with their sound.
CREATE TABLE opendata.word (
    word  text COLLATE "C" PRIMARY KEY,
    sound text COLLATE "C" NOT NULL
);
CREATE INDEX word_sound ON opendata.word (sound text_pattern_ops);

REVOKE ALL ON opendata.entry, opendata.gram, opendata.entry_count, opendata.word FROM PUBLIC;
GRANT SELECT ON opendata.entry, opendata.gram, opendata.entry_count, opendata.word TO dizuo_app;

-- Hits of one span of ranks in order. Few entries have the rarest gram: the index finds them all and every one is looked at.
-- Sequential scans are off because the statistics of an array of thousands of grams mislead the planner.
CREATE FUNCTION opendata.find_rare(grams_in integer[], terms_in text[], low bigint, high bigint, most integer)
RETURNS TABLE (rank bigint, dataset text, kind text, shown text, place text, folded text, found bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_indexscan = off
SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    WITH hit AS MATERIALIZED (
        SELECT e.rank, e.dataset, e.kind, e.shown, e.place, e.folded FROM opendata.entry e
        WHERE e.grams @> grams_in AND e.rank >= low AND e.rank < high
          AND position(terms_in[1] IN e.folded) > 0
          AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN e.folded) > 0) FROM unnest(terms_in) t)))
    SELECT h.*, (SELECT count(*) FROM hit) FROM hit h ORDER BY h.rank LIMIT most;
END $$;

-- Many entries have every gram: walking from the weightiest soon finds enough. At most `steps` entries are looked at.

CREATE FUNCTION opendata.find_common(terms_in text[], low bigint, high bigint, most integer, steps integer)
RETURNS TABLE (rank bigint, dataset text, kind text, shown text, place text, folded text, found bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    first text := terms_in[1];
BEGIN
    RETURN QUERY
    SELECT w.rank, w.dataset, w.kind, w.shown, w.place, w.folded, 0::bigint FROM (
        SELECT e.rank, e.dataset, e.kind, e.shown, e.place, e.folded FROM opendata.entry e
        WHERE e.rank >= low AND e.rank < high ORDER BY e.rank LIMIT steps) w
    WHERE position(first IN w.folded) > 0
      AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN w.folded) > 0) FROM unnest(terms_in) t))
    LIMIT most;
END $$;
REVOKE ALL ON FUNCTION opendata.find_rare(integer[], text[], bigint, bigint, integer),
    opendata.find_common(text[], bigint, bigint, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.find_rare(integer[], text[], bigint, bigint, integer),
    opendata.find_common(text[], bigint, bigint, integer, integer) TO dizuo_app;
