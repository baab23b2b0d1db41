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
);
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
