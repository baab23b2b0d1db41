-- Whoever is looked at reads in their record of use which department and post looked, not only that somebody did
-- (个人信息保护法 44, 45): the same entry as lake.look_at_pair(pair, by, purpose), with the actor as every other entry names it.

CREATE FUNCTION lake.look_at_pair(pair_in bigint, by_in text, purpose_in text, actor_in jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked lake.identity_pair;
    about jsonb;
    ids   bigint[];
BEGIN
    SELECT * INTO asked FROM lake.identity_pair p WHERE p.id = pair_in;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no pair %', pair_in USING ERRCODE = 'DZ040';
    END IF;
    about := jsonb_build_object('pair', pair_in, 'entity', asked.entity, 'by', by_in, 'purpose', purpose_in,
        'actor', jsonb_strip_nulls(jsonb_build_object('kind', 'official', 'unit', actor_in ->> 'unit', 'post', actor_in ->> 'post')));
    SELECT ledger.append_batch(coalesce(
        jsonb_agg(jsonb_build_object('kind', 'identity.look', 'body', about, 'subject', s)),
        jsonb_build_array(jsonb_build_object('kind', 'identity.look', 'body', about))))
    INTO ids FROM unnest(asked.subjects) AS s;
    RETURN ids[1];
END $$;

REVOKE ALL ON FUNCTION lake.look_at_pair(bigint, text, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lake.look_at_pair(bigint, text, text, jsonb) TO dizuo_app;
