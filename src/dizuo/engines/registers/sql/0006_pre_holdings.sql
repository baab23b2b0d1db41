-- How much each register holds, for anybody to see: counters kept by whoever writes, so that nobody counts millions
-- of records to show a page. A writer adds a row and waits for nobody; one write in a few hundred folds the rows.

CREATE TABLE registers.tally (
    register  text COLLATE "C" NOT NULL,
    records   bigint NOT NULL,
    last_at   timestamptz NOT NULL
);
INSERT INTO registers.tally (register, records, last_at)
SELECT register, count(*) FILTER (WHERE superseded_at IS NULL), max(recorded_at) FROM registers.record GROUP BY register;

-- fold: several rows of a register become one. Rows that another transaction folds now are left to it.
CREATE FUNCTION registers.fold_tally() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH free AS (SELECT ctid FROM registers.tally FOR UPDATE SKIP LOCKED),
    gone AS (DELETE FROM registers.tally t USING free WHERE t.ctid = free.ctid RETURNING t.register, t.records, t.last_at)
    INSERT INTO registers.tally (register, records, last_at)
    SELECT register, sum(records), max(last_at) FROM gone GROUP BY register;
$$;
REVOKE ALL ON FUNCTION registers.fold_tally() FROM PUBLIC;

-- Published: how many records stand in each register, and when the last of them was written. Counts only.
CREATE VIEW registers.holdings AS
SELECT register, sum(records)::bigint AS records, max(last_at) AS last_at FROM registers.tally GROUP BY register;

REVOKE ALL ON registers.tally, registers.holdings FROM PUBLIC;
GRANT SELECT ON registers.holdings TO dizuo_app;
