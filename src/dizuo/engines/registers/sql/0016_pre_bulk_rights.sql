-- What the loader says that it did, it may say only of its own part: rows that it copied. That something was checked, is
-- noted by whoever checked it.

REVOKE EXECUTE ON FUNCTION registers.bulk_did(uuid, text, bigint) FROM dizuo_loader;

-- bulk_copied: note a part of rows in the transaction that copied them. Errors: DZ307 the load takes no rows any more.
CREATE FUNCTION registers.bulk_copied(run_in uuid, part_in text, rows_in bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF part_in !~ '^(identity|record/[a-z_0-9]+)/[0-9]+$'
       OR EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = 'sealed') THEN
        RAISE EXCEPTION 'this is no part of rows of an open load' USING ERRCODE = 'DZ307';
    END IF;
    PERFORM registers.bulk_did(run_in, part_in, rows_in);
END $$;
REVOKE ALL ON FUNCTION registers.bulk_copied(uuid, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_copied(uuid, text, bigint) TO dizuo_loader;

-- bulk_found_by: the look-ups of one register, from its records, once no more of them come in.
CREATE OR REPLACE FUNCTION registers.bulk_found_by(run_in uuid, register_in text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM registers.bulk_part p WHERE p.run = run_in AND p.part = 'sealed') THEN
        RAISE EXCEPTION 'rows may still come in: seal the load first' USING ERRCODE = 'DZ307';
    END IF;
    INSERT INTO registers.lookup_next (register, field, value, key, known_from)
    SELECT r.register, f.field, r.data ->> f.field, r.key, r.recorded_at
    FROM registers.record_next r
    CROSS JOIN (SELECT d.field FROM registers.field d WHERE d.register = register_in AND d.lookup) AS f
    WHERE r.register = register_in AND r.data ->> f.field IS NOT NULL;
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM registers.bulk_did(run_in, 'found_by/' || register_in, made);
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION registers.bulk_found_by(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.bulk_found_by(uuid, text) TO dizuo_loader;
