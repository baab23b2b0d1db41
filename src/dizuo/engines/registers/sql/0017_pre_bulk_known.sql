-- bulk_published: what the last bulk load did, when it was of this digest: whoever was killed after the switch and before noting it
-- learns that it is done. {"rows", "entry"}, or null.
CREATE FUNCTION registers.bulk_published(digest_in text) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('rows', coalesce((
               SELECT sum(p.rows) FROM registers.bulk_part p WHERE p.run = b.id AND p.part LIKE 'record/%'), 0), 'entry', b.entry)
    FROM (SELECT * FROM registers.bulk ORDER BY started_at DESC LIMIT 1) AS b
    WHERE b.digest = digest_in AND b.state = 'published'
$$;
REVOKE ALL ON FUNCTION registers.bulk_published(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_published(text) TO dizuo_loader;
