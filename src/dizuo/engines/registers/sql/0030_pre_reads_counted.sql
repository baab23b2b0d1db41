-- What was read and refused in a period, in counts, for analysing and replaying policy (`dizuo policy`): whom a read was
-- about is not told, nor by which official or in which case. `body` is what the ledger's leaves cover, which is nothing personal;
-- `stands` says whether the reader acted for somebody, which policy asks: self, for, or erased where nobody knows any more.
-- `example` is the number of one such entry, the first.
CREATE FUNCTION registers.reads_counted(since timestamptz, until timestamptz)
RETURNS TABLE (kind text, body jsonb, stands text, entries bigint, example bigint, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.kind, e.body,
           CASE WHEN e.erased_by IS NOT NULL THEN 'erased' WHEN e.payload ? 'acting_for' THEN 'for' ELSE 'self' END,
           count(*), min(e.id), max(e.at)
    FROM ledger.entry e
    WHERE e.kind IN ('register.read', 'register.refused') AND e.at >= since AND e.at < until
    GROUP BY 1, 2, 3
$$;
REVOKE ALL ON FUNCTION registers.reads_counted(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.reads_counted(timestamptz, timestamptz) TO dizuo_loader;
