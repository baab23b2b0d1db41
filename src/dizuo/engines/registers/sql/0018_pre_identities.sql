-- The identities of many numbers, each made when the city does not know it yet; in the order of the numbers.
-- Every number is looked up by itself: a first load asks before anybody has counted the table, and a plan that walks the whole
-- of it for each caller takes hours for millions.
CREATE OR REPLACE FUNCTION registers.identities(scheme_in text, numbers text[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found bigint[];
BEGIN
    found := ARRAY(SELECT (SELECT i.id FROM registers.identity i WHERE i.scheme = scheme_in AND i.number = u.n)
                   FROM unnest(numbers) WITH ORDINALITY AS u(n, ord) WHERE u.n IS NOT NULL ORDER BY u.ord);
    IF array_position(found, NULL) IS NULL THEN
        RETURN nullif(found, '{}');
    END IF;
    INSERT INTO registers.identity (scheme, number)
    SELECT DISTINCT scheme_in, u.n FROM unnest(array_remove(numbers, NULL), found) AS u(n, id) WHERE u.id IS NULL
    ON CONFLICT DO NOTHING;
    RETURN ARRAY(SELECT (SELECT i.id FROM registers.identity i WHERE i.scheme = scheme_in AND i.number = u.n)
                 FROM unnest(numbers) WITH ORDINALITY AS u(n, ord) WHERE u.n IS NOT NULL ORDER BY u.ord);
END $$;
REVOKE ALL ON FUNCTION registers.identities(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION registers.identities(text, text[]) TO dizuo_loader;
