-- Cases (办件): drafts, applications, items with their clocks, the work of officials, decisions, consents,
-- documents, notices, ratings, corrections, and an append-only history.
-- Every hot table is keyed by the application it belongs to, so that a cluster can distribute it.

CREATE SCHEMA IF NOT EXISTS cases;
REVOKE ALL ON SCHEMA cases FROM PUBLIC;
GRANT USAGE ON SCHEMA cases TO dizuo_app;

-- Application numbers: five digits a day; the day is in the number, so the sequence may go round.
CREATE SEQUENCE cases.number_of_day MINVALUE 0 MAXVALUE 99999 CYCLE;

CREATE TABLE cases.draft (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account     bigint NOT NULL,
    subject     bigint NOT NULL,
    acting_for  bigint,
    matter      text COLLATE "C" NOT NULL,
    answers     jsonb NOT NULL DEFAULT '{}',
    given       jsonb NOT NULL DEFAULT '{}',
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX draft_of_subject ON cases.draft (subject, updated_at DESC);

CREATE TABLE cases.application (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number         text COLLATE "C" NOT NULL UNIQUE,
    form_token     text COLLATE "C" NOT NULL UNIQUE,
    matter         text COLLATE "C" NOT NULL,
    matter_version text COLLATE "C" NOT NULL,
    city_version   text COLLATE "C" NOT NULL,
    applicant      bigint NOT NULL,
    applicant_name text NOT NULL,
    acting_for     bigint,
    holder_name    text NOT NULL,
    account        bigint NOT NULL,
    channel        text COLLATE "C" NOT NULL CHECK (channel IN ('online', 'window', 'phone')),
    served_by      text,
    served_unit    text,
    given          jsonb NOT NULL,
    place          text COLLATE "C" NOT NULL,
    title          text NOT NULL,
    state          text COLLATE "C" NOT NULL,
    promised       timestamptz,
    counts         jsonb NOT NULL,
    plan_digest    text COLLATE "C" NOT NULL,
    submitted_at   timestamptz NOT NULL,
    ended_at       timestamptz,
    version        integer NOT NULL DEFAULT 1,
    archived_at    timestamptz
);
CREATE INDEX application_of_applicant ON cases.application (applicant, submitted_at DESC);
CREATE INDEX application_ended ON cases.application (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX application_submitted ON cases.application (submitted_at);
CREATE INDEX application_running ON cases.application (promised) WHERE ended_at IS NULL;
CREATE INDEX application_acted_for ON cases.application (acting_for, submitted_at DESC) WHERE acting_for IS NOT NULL;

-- The record that a running application is about (a child's certificate): one application for it at a time.
CREATE TABLE cases.occasion (
    matter       text COLLATE "C" NOT NULL,
    party        text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    application  bigint NOT NULL REFERENCES cases.application,
    PRIMARY KEY (matter, party, key)
);
CREATE INDEX occasion_of_application ON cases.occasion (application);

CREATE TABLE cases.answer (
    application  bigint NOT NULL REFERENCES cases.application,
    question     text COLLATE "C" NOT NULL,
    value        text NOT NULL,
    PRIMARY KEY (application, question)
);

CREATE TABLE cases.item (
    application  bigint NOT NULL REFERENCES cases.application,
    id           text COLLATE "C" NOT NULL,
    position     smallint NOT NULL,
    department   text COLLATE "C" NOT NULL,
    unit         text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL,
    before       text COLLATE "C",
    waits        text[] NOT NULL DEFAULT '{}',
    consents     text[] NOT NULL DEFAULT '{}',
    steps_done   text[] NOT NULL DEFAULT '{}',
    passed       text[] NOT NULL DEFAULT '{}',
    exceptions   text[] NOT NULL DEFAULT '{}',
    clock        jsonb,
    received_at  timestamptz,
    started_at   timestamptz,
    due_promise  timestamptz,
    due_statute  timestamptz,
    paused       boolean NOT NULL DEFAULT false,
    fix_asked_at timestamptz,
    decided_at   timestamptz,
    ended_at     timestamptz,
    version      integer NOT NULL DEFAULT 1,
    PRIMARY KEY (application, id)
);
CREATE INDEX item_ended ON cases.item (ended_at);

-- One piece of an official's work: to accept, to judge, to check on site, to approve an extension, to answer a
-- colleague, to correct a record, to hand over.
CREATE TABLE cases.task (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text COLLATE "C" NOT NULL
                 CHECK (kind IN ('accept', 'judge', 'extension', 'referral', 'correction', 'deliver', 'rating', 'mend')),
    application  bigint REFERENCES cases.application,
    item         text COLLATE "C",
    step         text COLLATE "C",
    department   text COLLATE "C" NOT NULL,
    unit         text COLLATE "C" NOT NULL,
    power        text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'held', 'done', 'dropped')),
    due          timestamptz NOT NULL DEFAULT 'infinity',
    detail       jsonb NOT NULL DEFAULT '{}',
    opened_at    timestamptz NOT NULL,
    done_at      timestamptz,
    done_by      text,
    FOREIGN KEY (application, item) REFERENCES cases.item (application, id)
);
CREATE INDEX task_of_item ON cases.task (application, item);
CREATE INDEX task_due ON cases.task (due, id) WHERE state = 'open';

-- The desk: one row for each place from which an open task is seen (whole city, district, town, village), so that
-- a queue page is one walk along this index, whatever the number of cases.
CREATE TABLE cases.queue (
    power  text COLLATE "C" NOT NULL,
    rail   text COLLATE "C" NOT NULL CHECK (rail IN ('waiting', 'cooperating', 'supervised')),
    scope  text COLLATE "C" NOT NULL,
    due    timestamptz NOT NULL,
    task   bigint NOT NULL REFERENCES cases.task,
    PRIMARY KEY (power, rail, scope, due, task)
);
CREATE INDEX queue_of_task ON cases.queue (task);

-- What an official has worked on (我经手的).
CREATE TABLE cases.handled (
    official     text COLLATE "C" NOT NULL,
    application  bigint NOT NULL REFERENCES cases.application,
    item         text COLLATE "C" NOT NULL,
    at           timestamptz NOT NULL,
    PRIMARY KEY (official, application, item)
);
CREATE INDEX handled_latest ON cases.handled (official, at DESC, application DESC);

CREATE TABLE cases.decision (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application  bigint NOT NULL,
    item         text COLLATE "C" NOT NULL,
    step         text COLLATE "C" NOT NULL,
    verdict      text COLLATE "C" NOT NULL CHECK (verdict IN ('grant', 'refuse', 'pass')),
    reason       text NOT NULL,
    law          text COLLATE "C" NOT NULL,
    remedy       text NOT NULL DEFAULT '',
    choices      jsonb NOT NULL DEFAULT '{}',
    official     text COLLATE "C" NOT NULL,
    official_name text NOT NULL,
    post         text COLLATE "C" NOT NULL,
    unit         text NOT NULL,
    at           timestamptz NOT NULL,
    final_at     timestamptz NOT NULL,
    undone_at    timestamptz,
    effective_at timestamptz,
    FOREIGN KEY (application, item) REFERENCES cases.item (application, id),
    CHECK (undone_at IS NULL OR effective_at IS NULL),
    CHECK (verdict <> 'refuse' OR (reason <> '' AND law <> '' AND remedy <> ''))
);
-- At most one decision on a step stands: a second one loses.
CREATE UNIQUE INDEX decision_stands ON cases.decision (application, item, step) WHERE undone_at IS NULL;

CREATE TABLE cases.consent (
    application  bigint NOT NULL REFERENCES cases.application,
    id           text COLLATE "C" NOT NULL,
    party        text COLLATE "C" NOT NULL,
    subject      bigint NOT NULL,
    items        text[] NOT NULL,
    asks         text NOT NULL,
    law          text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'given', 'refused', 'expired', 'dropped')),
    asked_at     timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL,
    answered_at  timestamptz,
    round        smallint NOT NULL DEFAULT 1,
    PRIMARY KEY (application, id, party)
);
CREATE INDEX consent_of_subject ON cases.consent (subject, asked_at DESC);

-- 一次性补正: one list, asked once. ``served`` is who answered for the applicant at a window, on which proof of identity;
-- null when the applicant did it alone.
CREATE TABLE cases.fix (
    application  bigint NOT NULL,
    item         text COLLATE "C" NOT NULL,
    wants        jsonb NOT NULL,
    reason       text NOT NULL,
    asked_by     text NOT NULL,
    asked_at     timestamptz NOT NULL,
    until        timestamptz NOT NULL,
    answer       text,
    answered_at  timestamptz,
    served       jsonb,
    PRIMARY KEY (application, item),
    FOREIGN KEY (application, item) REFERENCES cases.item (application, id)
);

-- What a 补正 changed in the answers, with the salt of the commitments in the history; ``keeps`` are the items that were
-- decided on the old answer and stay with it.
CREATE TABLE cases.fix_change (
    application  bigint NOT NULL,
    item         text COLLATE "C" NOT NULL,
    question     text COLLATE "C" NOT NULL,
    was          text NOT NULL,
    now          text NOT NULL,
    salt         bytea NOT NULL,
    keeps        text[] NOT NULL DEFAULT '{}',
    at           timestamptz NOT NULL,
    PRIMARY KEY (application, item, question),
    FOREIGN KEY (application, item) REFERENCES cases.fix (application, item)
);

-- Files that applicants hand in: the bytes once for each application, under their own hash.
CREATE TABLE cases.content (
    application  bigint NOT NULL REFERENCES cases.application,
    sha256       bytea NOT NULL,
    bytes        bytea NOT NULL,
    PRIMARY KEY (application, sha256),
    CHECK (sha256 = pg_catalog.sha256(bytes)),
    CHECK (octet_length(bytes) BETWEEN 1 AND 10485760)
);
-- Pictures and PDFs are packed already; trying again would only cost time.
ALTER TABLE cases.content ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- One file for one line of a fix request (``want`` counts from 1). Until it is sent its applicant may take it back;
-- ``salt`` is that of its commitment in history and ledger.
CREATE TABLE cases.upload (
    application  bigint NOT NULL,
    id           bigint GENERATED ALWAYS AS IDENTITY,
    item         text COLLATE "C" NOT NULL,
    want         smallint NOT NULL CHECK (want > 0),
    name         text NOT NULL CHECK (length(name) <= 120),
    media_type   text COLLATE "C" NOT NULL CHECK (media_type IN ('application/pdf', 'image/jpeg', 'image/png')),
    size         integer NOT NULL,
    sha256       bytea NOT NULL,
    salt         bytea NOT NULL,
    kept_at      timestamptz NOT NULL,
    sent_at      timestamptz,
    PRIMARY KEY (application, id),
    UNIQUE (application, item, want, sha256),
    FOREIGN KEY (application, item) REFERENCES cases.fix (application, item),
    FOREIGN KEY (application, sha256) REFERENCES cases.content (application, sha256)
);
CREATE INDEX upload_of_content ON cases.upload (application, sha256);

CREATE FUNCTION cases.sent_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF OLD.sent_at IS NOT NULL AND current_setting('dizuo.erasing', true) IS DISTINCT FROM pg_current_xact_id()::text THEN
        RAISE EXCEPTION 'a file that was handed in stays as it is (% on cases.upload)', TG_OP
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER sent_stands BEFORE UPDATE OR DELETE ON cases.upload
    FOR EACH ROW EXECUTE FUNCTION cases.sent_stands();

-- 特别程序: the clock stands still, and the applicant was told for how long.
CREATE TABLE cases.special (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application  bigint NOT NULL,
    item         text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    reason       text NOT NULL,
    needs        text NOT NULL,
    started_by   text NOT NULL,
    started_at   timestamptz NOT NULL,
    result       text,
    ended_at     timestamptz,
    FOREIGN KEY (application, item) REFERENCES cases.item (application, id)
);
CREATE UNIQUE INDEX special_open ON cases.special (application, item) WHERE ended_at IS NULL;

CREATE TABLE cases.document (
    number       text COLLATE "C" PRIMARY KEY,
    application  bigint NOT NULL,
    item         text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL,
    licence_type text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    issuer       text COLLATE "C" NOT NULL,
    issuer_name  text NOT NULL,
    holder       bigint NOT NULL,
    holder_name  text NOT NULL,
    fields       jsonb NOT NULL,
    trust_level  text COLLATE "C" NOT NULL CHECK (trust_level IN ('A', 'B', 'C', 'D')),
    sha256       bytea NOT NULL,
    check_code   text COLLATE "C" NOT NULL,
    state        text COLLATE "C" NOT NULL DEFAULT 'valid' CHECK (state IN ('valid', 'revoked')),
    issued_at    timestamptz NOT NULL,
    UNIQUE (application, item, kind),
    FOREIGN KEY (application, item) REFERENCES cases.item (application, id)
);
CREATE INDEX document_of_holder ON cases.document (holder, issued_at DESC);

CREATE TABLE cases.notice (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject      bigint NOT NULL,
    application  bigint REFERENCES cases.application,
    item         text COLLATE "C",
    kind         text COLLATE "C" NOT NULL,
    says         text NOT NULL,
    at           timestamptz NOT NULL,
    read_at      timestamptz
);
CREATE INDEX notice_of_subject ON cases.notice (subject, id DESC);
CREATE INDEX notice_of_application ON cases.notice (application, id);

CREATE TABLE cases.rating (
    application  bigint PRIMARY KEY REFERENCES cases.application,
    level        smallint NOT NULL CHECK (level BETWEEN 1 AND 5),
    says         text NOT NULL DEFAULT '',
    at           timestamptz NOT NULL
);
CREATE INDEX rating_at ON cases.rating (at);

-- 差评回访: a bad rating is verified, mended, and asked about again.
CREATE TABLE cases.follow_up (
    application  bigint PRIMARY KEY REFERENCES cases.rating,
    number       text COLLATE "C" NOT NULL UNIQUE,
    state        text COLLATE "C" NOT NULL
                 CHECK (state IN ('to_verify', 'verifying', 'mending', 'to_call', 'reviewing', 'closed')),
    finding      text COLLATE "C" CHECK (finding IN ('valid', 'mistaken', 'malicious', 'unfounded')),
    outcome      text COLLATE "C" CHECK (outcome IN ('satisfied', 'unreached', 'upheld')),
    department   text COLLATE "C",
    found_by     text COLLATE "C",
    unit         text COLLATE "C" NOT NULL,
    task         bigint NOT NULL REFERENCES cases.task,
    contact      jsonb NOT NULL,
    mend         jsonb NOT NULL,
    due          timestamptz,
    opened_at    timestamptz NOT NULL,
    closed_at    timestamptz,
    version      integer NOT NULL DEFAULT 1,
    mend_number  text COLLATE "C" UNIQUE,
    mend_task    bigint REFERENCES cases.task,
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK (closed_at IS NULL OR (finding IS NOT NULL AND outcome IS NOT NULL))
);
CREATE INDEX follow_up_open ON cases.follow_up (due, number) WHERE closed_at IS NULL;
CREATE INDEX follow_up_closed ON cases.follow_up (closed_at) WHERE closed_at IS NOT NULL;

-- Beside the history of the case and not in it: whoever was rated reads that one.
CREATE TABLE cases.follow_up_step (
    application   bigint NOT NULL REFERENCES cases.follow_up,
    seq           integer NOT NULL,
    at            timestamptz NOT NULL,
    act           text COLLATE "C" NOT NULL,
    choice        text COLLATE "C" NOT NULL DEFAULT '',
    from_state    text COLLATE "C",
    to_state      text COLLATE "C" NOT NULL,
    says          text NOT NULL DEFAULT '',
    official      text COLLATE "C",
    official_name text NOT NULL DEFAULT '',
    post          text COLLATE "C",
    department    text COLLATE "C",
    PRIMARY KEY (application, seq)
);

-- 校核纠错: somebody says that a register is wrong; its source department answers within its clock.
CREATE TABLE cases.correction (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number       text COLLATE "C" NOT NULL UNIQUE,
    form_token   text COLLATE "C" NOT NULL UNIQUE,
    subject      bigint NOT NULL,
    reporter     text NOT NULL,
    register     text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    field        text COLLATE "C" NOT NULL,
    says         text NOT NULL,
    wants        text NOT NULL,
    source       text COLLATE "C" NOT NULL,
    unit         text COLLATE "C" NOT NULL,
    application  bigint REFERENCES cases.application,
    state        text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'declined')),
    clock        jsonb NOT NULL,
    due          timestamptz,
    reason       text NOT NULL DEFAULT '',
    official     text,
    opened_at    timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX correction_of_subject ON cases.correction (subject, opened_at DESC);

-- The history. It is only ever added to.
CREATE TABLE cases.event (
    application  bigint NOT NULL REFERENCES cases.application,
    seq          integer NOT NULL,
    at           timestamptz NOT NULL,
    item         text COLLATE "C",
    step         text COLLATE "C",
    name         text COLLATE "C" NOT NULL,
    from_state   text COLLATE "C",
    to_state     text COLLATE "C",
    actor_kind   text COLLATE "C" NOT NULL CHECK (actor_kind IN ('resident', 'official', 'system')),
    actor        text COLLATE "C",
    actor_name   text NOT NULL,
    post         text COLLATE "C",
    unit         text,
    reason       text NOT NULL DEFAULT '',
    clock        jsonb,
    detail       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (application, seq)
);

CREATE FUNCTION cases.history_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('dizuo.erasing', true) = pg_current_xact_id()::text THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the history of cases is only added to (% on cases.%)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON cases.event
    FOR EACH STATEMENT EXECUTE FUNCTION cases.history_stands();
CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON cases.follow_up_step
    FOR EACH STATEMENT EXECUTE FUNCTION cases.history_stands();

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

GRANT USAGE ON SEQUENCE cases.number_of_day TO dizuo_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cases.draft, cases.queue, cases.occasion TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON cases.application, cases.item, cases.task, cases.handled, cases.decision,
    cases.consent, cases.fix, cases.special, cases.document, cases.notice, cases.correction, cases.follow_up TO dizuo_app;
GRANT SELECT, INSERT ON cases.rating, cases.event, cases.fix_change, cases.follow_up_step TO dizuo_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON cases.answer TO dizuo_app;
GRANT SELECT, INSERT, DELETE ON cases.content, cases.upload TO dizuo_app;
GRANT UPDATE (sent_at) ON cases.upload TO dizuo_app;
