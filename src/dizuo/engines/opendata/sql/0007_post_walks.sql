-- What the search by walking needed: frequencies of n-grams, all grams of a dataset's rows, an index over every row.
DROP FUNCTION opendata.find_rare(integer[], text[], bigint, bigint, integer);
DROP FUNCTION opendata.find_common(text[], bigint, bigint, integer, integer);
DROP FUNCTION opendata.sets_common(integer[], integer[], text[], bigint, bigint, integer, integer);
DROP FUNCTION opendata.sets_rare(integer[], text[], bigint, bigint, text[], integer);
DROP FUNCTION opendata.sets_sought(integer[]);
DROP TABLE opendata.sought, opendata.gram, opendata.entry_count;
DROP INDEX opendata.entry_grams;
DROP INDEX opendata.entry_of;
CREATE INDEX entry_of ON opendata.entry (dataset);
