-- A draft that nobody else has seen can be deleted by whoever drafted it. The ledger keeps that there was one, under which number,
-- and who deleted it; what was written in it is gone.

-- The record of a request is append-only, but for a draft being deleted in this very transaction.
CREATE OR REPLACE FUNCTION exchange.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('dizuo.discarding', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the record of a request is append-only: % refused', TG_OP USING ERRCODE = 'DZ058';
END $$;

-- Returns the number of the ledger's entry. actor: {account, name, unit, post}.
-- DZ050 unknown, DZ051 changed meanwhile, DZ052 no draft any more or sent to others once, DZ071 somebody else's.
CREATE FUNCTION exchange.discard_draft(request_in bigint, version_in integer, actor jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked   exchange.share_request;
    entered bigint;
BEGIN
    SELECT * INTO asked FROM exchange.share_request q WHERE q.id = request_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no request %', request_in USING ERRCODE = 'DZ050';
    END IF;
    IF asked.drafted_by IS DISTINCT FROM actor ->> 'account' OR asked.department IS DISTINCT FROM actor ->> 'unit' THEN
        RAISE EXCEPTION 'request % is somebody else''s', request_in USING ERRCODE = 'DZ071';
    END IF;
    IF asked.state <> 'draft' OR asked.sent_at IS NOT NULL THEN
        RAISE EXCEPTION 'request % was sent', request_in USING ERRCODE = 'DZ052', DETAIL = asked.state;
    END IF;
    IF asked.version <> version_in THEN
        RAISE EXCEPTION 'request % changed meanwhile', request_in USING ERRCODE = 'DZ051', DETAIL = asked.state;
    END IF;
    entered := ledger.append('share.discard', jsonb_build_object('request', asked.id, 'number', asked.number, 'department', asked.department,
        'actor', actor ->> 'account', 'unit', actor ->> 'unit', 'post', actor ->> 'post'), NULL, NULL);
    -- That somebody was pointed to an existing right stays counted, once, without the request that is gone.
    DELETE FROM exchange.interception i WHERE i.request = asked.id AND EXISTS (
        SELECT FROM exchange.interception o WHERE o.request IS NULL AND (o.kind, o.department, o.resource, o.matter, o.datum)
            = (i.kind, i.department, i.resource, i.matter, i.datum) AND o.grant_id IS NOT DISTINCT FROM i.grant_id);
    UPDATE exchange.interception i SET request = NULL WHERE i.request = asked.id;
    PERFORM set_config('dizuo.discarding', pg_current_xact_id()::text, true);
    DELETE FROM exchange.share_step s WHERE s.request = asked.id;
    PERFORM set_config('dizuo.discarding', '', true);
    DELETE FROM exchange.share_request q WHERE q.id = asked.id;
    RETURN entered;
END $$;
REVOKE ALL ON FUNCTION exchange.discard_draft(bigint, integer, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.discard_draft(bigint, integer, jsonb) TO dizuo_app;
