-- Rows are found by postings: for each chunk of a dataset's rows and each n-gram, which of the rows hold the gram.
--
-- A question reads one small posting of each chunk instead of one index entry of each row. The program lays those of all its
-- grams over one another and looks at the texts that are left, no more of them than are shown. What is said of datasets and
-- of columns is asked for completely, and stays under an index, a small one of its own.

CREATE TABLE opendata.chunk (
    -- Chunks in the order of their weight. The row in place p of chunk c has the rank 2·10^12 + 32,768 c + p.
    id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id) ON DELETE CASCADE,
    entries integer NOT NULL CHECK (entries BETWEEN 1 AND 32768)
);
CREATE INDEX chunk_of ON opendata.chunk (dataset);

CREATE TABLE opendata.posting (
    gram    integer NOT NULL,
    chunk   integer NOT NULL REFERENCES opendata.chunk (id) ON DELETE CASCADE,
    -- How many rows hold the gram, and which: their places in two bytes each where these are 2·entries bytes, else a bit a place.
    entries integer NOT NULL CHECK (entries > 0),
    held    bytea NOT NULL,
    PRIMARY KEY (gram, chunk) INCLUDE (entries)
)
-- In line up to a page: a posting is read as often as it is looked up.
WITH (toast_tuple_target = 8160);
ALTER TABLE opendata.posting ALTER held SET STORAGE EXTERNAL;
CREATE INDEX posting_of ON opendata.posting (chunk);

REVOKE ALL ON opendata.chunk, opendata.posting FROM PUBLIC;
GRANT SELECT ON opendata.chunk, opendata.posting TO dizuo_app;

-- The rows that were there before get places and postings; the search that went before still finds them meanwhile.
CREATE TEMPORARY TABLE placed ON COMMIT DROP AS
SELECT e.*, 0 AS chunk, row_number() OVER (PARTITION BY e.dataset ORDER BY e.rank) - 1 AS nth
FROM opendata.entry e WHERE e.kind = 'row';
DO $$
DECLARE
    lot record;
    made integer;
BEGIN
    FOR lot IN SELECT dataset, nth / 20480 AS part, count(*) AS entries FROM placed
               GROUP BY dataset, nth / 20480 ORDER BY min(rank) LOOP
        INSERT INTO opendata.chunk (dataset, entries) VALUES (lot.dataset, lot.entries) RETURNING id INTO made;
        UPDATE placed SET chunk = made WHERE dataset = lot.dataset AND nth / 20480 = lot.part;
    END LOOP;
END $$;
DELETE FROM opendata.entry WHERE kind = 'row';
INSERT INTO opendata.entry (rank, dataset, kind, shown, place, folded, grams)
SELECT 2000000000000 + 32768 * chunk::bigint + nth % 20480, dataset, kind, shown, place, folded, grams FROM placed;
INSERT INTO opendata.posting (gram, chunk, entries, held)
SELECT g, chunk, count(*), string_agg(
    set_byte(set_byte('\x0000'::bytea, 0, (nth % 20480)::integer & 255), 1, (nth % 20480)::integer >> 8), ''::bytea ORDER BY nth)
FROM placed, unnest(grams) g GROUP BY g, chunk;

-- What is said of datasets and columns, by its grams; texts beside them whole, as every look reads them.
CREATE INDEX entry_said ON opendata.entry USING gin (grams) WITH (fastupdate = off) WHERE kind <> 'row';
ALTER TABLE opendata.entry RESET (toast_tuple_target);
ALTER TABLE opendata.entry ALTER shown SET STORAGE MAIN, ALTER folded SET STORAGE MAIN, ALTER grams SET DEFAULT '{}';

-- The postings of every chunk in which all these grams stand somewhere, of each term the `rarest` rarest: enough to leave few
-- texts to look at. `terms_in` says of which term each gram is. Plans are made once: they are the same for all questions.
CREATE FUNCTION opendata.postings(grams_in integer[], terms_in integer[], rarest integer)
RETURNS TABLE (chunk integer, entries integer, held bytea)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF cardinality(grams_in) = 1 THEN
        RETURN QUERY SELECT p.chunk, p.entries, p.held FROM opendata.posting p WHERE p.gram = grams_in[1] ORDER BY p.chunk;
    ELSE
        RETURN QUERY
        WITH every AS (
            SELECT p.gram, p.chunk, count(*) OVER (PARTITION BY p.chunk) AS together,
                   row_number() OVER (PARTITION BY p.chunk, n.term ORDER BY p.entries, p.gram) AS nth
            FROM unnest(grams_in, terms_in) AS n (gram, term) JOIN opendata.posting p ON p.gram = n.gram),
        chosen AS MATERIALIZED (
            SELECT e.gram, e.chunk FROM every e WHERE e.together = cardinality(grams_in) AND e.nth <= rarest)
        SELECT p.chunk, p.entries, p.held FROM chosen c JOIN opendata.posting p ON p.gram = c.gram AND p.chunk = c.chunk
        ORDER BY p.chunk;
    END IF;
END $$;

-- The texts of rows, and whether they hold all terms.
CREATE FUNCTION opendata.texts(ranks_in bigint[], terms_in text[])
RETURNS TABLE (rank bigint, dataset text, kind text, shown text, place text, folded text, holds boolean)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.rank, e.dataset, e.kind, e.shown, e.place, e.folded, position(terms_in[1] IN e.folded) > 0
        AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN e.folded) > 0) FROM unnest(terms_in) t))
    FROM opendata.entry e WHERE e.rank = ANY (ranks_in);
END;

-- What is said of datasets (`kind_in` 'dataset') or columns and holds all terms, behind a rank, with how many there are.
-- `rank + 0` keeps the ranks' own index out of it.
CREATE FUNCTION opendata.said(grams_in integer[], terms_in text[], kind_in text, low bigint, most integer)
RETURNS TABLE (rank bigint, dataset text, kind text, shown text, place text, folded text, found bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_indexscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    WITH hit AS MATERIALIZED (
        SELECT e.rank, e.dataset, e.kind, e.shown, e.place, e.folded FROM opendata.entry e
        WHERE e.kind <> 'row' AND e.grams @> grams_in AND e.kind = kind_in AND e.rank + 0 >= low
          AND position(terms_in[1] IN e.folded) > 0
          AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN e.folded) > 0) FROM unnest(terms_in) t)))
    SELECT h.*, (SELECT count(*) FROM hit) FROM hit h ORDER BY h.rank LIMIT most;
END $$;

-- The same of both kinds for every dataset at once, the first `most` of each kind, as three arrays in order of weight:
-- thousands of rows would take longer to hand over than to find.
CREATE FUNCTION opendata.said_of_sets(grams_in integer[], terms_in text[], most integer)
RETURNS TABLE (ranks bigint[], datasets text[], shown text[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_indexscan = off
SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    SELECT array_agg(n.rank), array_agg(n.dataset), array_agg(n.shown) FROM (
        SELECT h.rank, h.dataset, h.shown FROM (
            SELECT e.rank, e.dataset, e.shown, row_number() OVER (PARTITION BY e.dataset, e.kind ORDER BY e.rank) AS nth
            FROM opendata.entry e WHERE e.kind <> 'row' AND e.grams @> grams_in AND position(terms_in[1] IN e.folded) > 0
              AND (cardinality(terms_in) = 1 OR (SELECT bool_and(position(t IN e.folded) > 0) FROM unnest(terms_in) t))) h
        WHERE h.nth <= most ORDER BY h.rank) n;
END $$;
REVOKE ALL ON FUNCTION opendata.postings(integer[], integer[], integer), opendata.texts(bigint[], text[]),
    opendata.said(integer[], text[], text, bigint, integer), opendata.said_of_sets(integer[], text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.postings(integer[], integer[], integer), opendata.texts(bigint[], text[]),
    opendata.said(integer[], text[], text, bigint, integer), opendata.said_of_sets(integer[], text[], integer) TO dizuo_app;
