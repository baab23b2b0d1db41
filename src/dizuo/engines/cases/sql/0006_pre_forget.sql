-- 抹去: `dizuo forget` reaches the cases. The history may be emptied of what is personal, by that function and nothing else.
CREATE OR REPLACE FUNCTION cases.history_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('dizuo.erasing', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the history of cases is only added to (% on cases.%)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- What is personal in ended cases about a person (个人信息保护法 47 条): everything of the own ones but a document that is valid,
-- which is the person's title; the person's part in others'; drafts, reports of errors and messages. What was done, when,
-- by which post and on which law stays. Entered as 'case.forget' with the counts, when there was anything.
CREATE FUNCTION cases.forget(person bigint, earlier timestamptz, basis text, decided_in text)
RETURNS TABLE (own integer, others integer, files integer, kept integer)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    mine bigint[] := ARRAY(SELECT a.id FROM cases.application a
        WHERE ((a.applicant = $1 AND a.acting_for IS NULL) OR a.acting_for = $1) AND a.ended_at < $2);
    part bigint[] := ARRAY(SELECT a.id FROM cases.application a
        WHERE a.ended_at < $2 AND a.applicant = $1 AND a.acting_for IS NOT NULL AND a.acting_for <> $1
        UNION SELECT c.application FROM cases.consent c JOIN cases.application a ON a.id = c.application
        WHERE c.subject = $1 AND a.ended_at < $2 AND a.id <> ALL (mine));
    gone CONSTANT text := '（已抹去）';
    n_files integer;
    n_kept integer;
    n_more integer;
    n integer;
BEGIN
    PERFORM set_config('dizuo.erasing', pg_current_xact_id()::text, true);
    -- Own cases.
    DELETE FROM cases.upload WHERE application = ANY (mine);
    GET DIAGNOSTICS n_files = ROW_COUNT;
    DELETE FROM cases.content WHERE application = ANY (mine);
    DELETE FROM cases.fix_change WHERE application = ANY (mine);
    UPDATE cases.fix SET wants = '[]', reason = gone, answer = NULL, served = NULL WHERE application = ANY (mine);
    DELETE FROM cases.answer WHERE application = ANY (mine);
    DELETE FROM cases.occasion WHERE application = ANY (mine);
    DELETE FROM cases.notice WHERE application = ANY (mine);
    UPDATE cases.task SET detail = '{}' WHERE application = ANY (mine);
    UPDATE cases.decision SET reason = gone, choices = '{}' WHERE application = ANY (mine);
    UPDATE cases.special SET reason = gone, needs = gone, result = CASE WHEN result IS NULL THEN NULL ELSE gone END
    WHERE application = ANY (mine);
    UPDATE cases.consent SET subject = 0 WHERE application = ANY (mine);
    UPDATE cases.rating SET says = '' WHERE application = ANY (mine);
    UPDATE cases.follow_up_step SET says = '' WHERE application = ANY (mine);
    UPDATE cases.event SET reason = '', detail = '{}',
        actor = CASE WHEN actor_kind = 'resident' THEN NULL ELSE actor END,
        actor_name = CASE WHEN actor_kind = 'resident' THEN gone ELSE actor_name END
    WHERE application = ANY (mine);
    SELECT count(*) INTO n_kept FROM cases.document WHERE application = ANY (mine) AND state = 'valid';
    UPDATE cases.document SET holder = 0, holder_name = gone, fields = '[]', sha256 = '', check_code = ''
    WHERE application = ANY (mine) AND state <> 'valid';
    UPDATE cases.application SET applicant = 0, applicant_name = gone, acting_for = NULL, holder_name = gone, account = 0,
        given = '{}', title = gone
    WHERE id = ANY (mine);
    -- The part in others' cases.
    UPDATE cases.consent SET subject = 0 WHERE application = ANY (part) AND subject = $1;
    UPDATE cases.event SET actor = NULL, actor_name = gone, reason = ''
    WHERE application = ANY (part) AND actor_kind = 'resident' AND actor = $1::text;
    UPDATE cases.application SET applicant = 0, applicant_name = gone, account = 0
    WHERE id = ANY (part) AND applicant = $1;
    -- What is no case.
    DELETE FROM cases.draft WHERE (subject = $1 OR acting_for = $1) AND updated_at < $2;
    GET DIAGNOSTICS n_more = ROW_COUNT;
    DELETE FROM cases.notice m WHERE m.subject = $1 AND m.at < $2 AND (m.application IS NULL
        OR EXISTS (SELECT FROM cases.application a WHERE a.id = m.application AND a.ended_at < $2));
    GET DIAGNOSTICS n = ROW_COUNT;
    n_more := n_more + n;
    UPDATE cases.correction SET subject = 0, reporter = gone, key = '', says = '', wants = '', reason = ''
    WHERE subject = $1 AND ended_at < $2;
    GET DIAGNOSTICS n = ROW_COUNT;
    n_more := n_more + n;
    PERFORM set_config('dizuo.erasing', '', true);
    IF cardinality(mine) + cardinality(part) + n_more > 0 THEN
        PERFORM ledger.append('case.forget',
            jsonb_build_object('basis', $3, 'own', cardinality(mine), 'others', cardinality(part), 'files', n_files,
                               'kept', n_kept, 'more', n_more),
            NULL, jsonb_build_object('case', $4));
    END IF;
    RETURN QUERY SELECT cardinality(mine), cardinality(part), n_files, n_kept;
END $$;
REVOKE ALL ON FUNCTION cases.forget(bigint, timestamptz, text, text) FROM PUBLIC;
GRANT USAGE ON SCHEMA cases TO dizuo_eraser;
GRANT EXECUTE ON FUNCTION cases.forget(bigint, timestamptz, text, text) TO dizuo_eraser;
