-- What people do with open data: apply for conditional sets, ask, advise, report mistakes, object, and show what they made.
-- Who somebody is (`subject`) is never shown: the web's role cannot read it and lists a person's own by function only.

-- 有条件开放的申请。States: submitted → accepted → approved (waits for the signature) → open → (reported) → expired; or refused.
CREATE TABLE opendata.application (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset     text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id),
    subject     bigint NOT NULL,
    who         text NOT NULL CHECK (length(who) BETWEEN 1 AND 60),
    unit        text NOT NULL DEFAULT '' CHECK (length(unit) <= 120),
    purpose     text NOT NULL CHECK (length(purpose) BETWEEN 10 AND 1000),
    use_until   date NOT NULL,
    state       text COLLATE "C" NOT NULL DEFAULT 'submitted'
                CHECK (state IN ('submitted', 'accepted', 'approved', 'open', 'reported', 'refused', 'ended')),
    due         date,
    made_at     timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    reason      text NOT NULL DEFAULT '',
    report      text NOT NULL DEFAULT ''
);
CREATE INDEX application_of ON opendata.application (subject, id DESC);
CREATE INDEX application_waiting ON opendata.application (state, id);
-- One running application of a person for a dataset.
CREATE UNIQUE INDEX application_running ON opendata.application (dataset, subject)
    WHERE state IN ('submitted', 'accepted', 'approved');

-- 数据请求、意见建议、数据纠错、权益申诉: each answered by the provider in time; answers are for everybody to read.
CREATE TABLE opendata.ticket (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('request', 'advice', 'correction', 'rights')),
    dataset     text COLLATE "C" REFERENCES opendata.dataset (id),
    provider    text COLLATE "C" NOT NULL DEFAULT '',
    subject     bigint NOT NULL,
    text        text NOT NULL CHECK (length(text) BETWEEN 5 AND 2000),
    -- Of a correction: the row and the column that are wrong.
    place       text NOT NULL DEFAULT '' CHECK (length(place) <= 200),
    due         date,
    state       text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'agreed', 'declined')),
    answer      text NOT NULL DEFAULT '',
    -- The question is shown to everybody only when whoever answers says that nothing personal is in it.
    shown       boolean NOT NULL DEFAULT false,
    made_at     timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    CHECK ((state = 'open') = (answered_at IS NULL))
);
CREATE INDEX ticket_open ON opendata.ticket (state, due, id);
CREATE INDEX ticket_of ON opendata.ticket (subject, id DESC);
CREATE INDEX ticket_about ON opendata.ticket (dataset, id DESC) WHERE shown;

-- 利用成果: what people made of the data; shown after a review.
CREATE TABLE opendata.showcase (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title       text NOT NULL CHECK (length(title) BETWEEN 2 AND 80),
    url         text NOT NULL CHECK (length(url) <= 300 AND url ~ '^https?://[^[:space:]]{3,}$'),
    maker       text NOT NULL CHECK (length(maker) BETWEEN 2 AND 80),
    text        text NOT NULL CHECK (length(text) BETWEEN 10 AND 1000),
    datasets    text[] NOT NULL CHECK (cardinality(datasets) BETWEEN 1 AND 20),
    subject     bigint NOT NULL,
    state       text COLLATE "C" NOT NULL DEFAULT 'submitted' CHECK (state IN ('submitted', 'shown', 'refused')),
    reason      text NOT NULL DEFAULT '',
    made_at     timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz
);
CREATE INDEX showcase_shown ON opendata.showcase (state, id DESC);

-- Who did something, as every other entry names it: the person, or an official by department and post (`official:12:psb:household_officer`).
CREATE FUNCTION opendata.actor_of(by_in text) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN by_in LIKE 'official:%' THEN jsonb_strip_nulls(jsonb_build_object('kind', 'official',
    'unit', nullif(split_part(by_in, ':', 3), ''), 'post', nullif(split_part(by_in, ':', 4), '')))
    ELSE jsonb_build_object('kind', 'resident') END;

-- DZ073: the same is running already. Entered in the ledger without a word of what was written.
CREATE FUNCTION opendata.apply(dataset_in text, subject_in bigint, who_in text, unit_in text, purpose_in text, until_in date, due_in date)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO opendata.application (dataset, subject, who, unit, purpose, use_until, due)
    VALUES (dataset_in, subject_in, who_in, unit_in, purpose_in, until_in, due_in) RETURNING id INTO made;
    PERFORM ledger.append('opendata.apply', jsonb_build_object('application', made, 'dataset', dataset_in,
        'actor', opendata.actor_of('')), subject_in, NULL);
    RETURN made;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'an application of % is running', dataset_in USING ERRCODE = 'DZ073';
END $$;

-- Move an application: only along its way. DZ074 it is not in a state from which this can be done. `subject_in` for what only
-- the applicant does (sign, report), NULL for what officials do.
CREATE FUNCTION opendata.move_application(id_in bigint, from_in text[], to_in text, by_in text, subject_in bigint, reason_in text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about opendata.application;
BEGIN
    SELECT * INTO about FROM opendata.application a WHERE a.id = id_in FOR UPDATE;
    IF NOT FOUND OR about.state <> ALL (from_in) OR (subject_in IS NOT NULL AND about.subject <> subject_in)
       OR NOT ((about.state, to_in) IN (('submitted', 'accepted'), ('submitted', 'refused'), ('accepted', 'approved'),
               ('accepted', 'refused'), ('approved', 'open'), ('open', 'reported'), ('open', 'ended'), ('reported', 'ended'))
               AND (subject_in IS NOT NULL) = (to_in IN ('open', 'reported'))) THEN
        RAISE EXCEPTION 'application % cannot become %', id_in, to_in USING ERRCODE = 'DZ074';
    END IF;
    UPDATE opendata.application a SET state = to_in, changed_at = now(),
        reason = CASE WHEN to_in IN ('refused', 'ended') THEN reason_in ELSE a.reason END,
        report = CASE WHEN to_in = 'reported' THEN reason_in ELSE a.report END WHERE a.id = id_in;
    PERFORM ledger.append('opendata.application', jsonb_build_object('application', id_in, 'dataset', about.dataset,
        'from', about.state, 'to', to_in, 'by', split_part(by_in, ':', 1) || ':' || split_part(by_in, ':', 2),
        'actor', opendata.actor_of(by_in)), about.subject, NULL);
END $$;

CREATE FUNCTION opendata.ask(kind_in text, dataset_in text, provider_in text, subject_in bigint, text_in text, place_in text, due_in date)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO opendata.ticket (kind, dataset, provider, subject, text, place, due)
    VALUES (kind_in, dataset_in, provider_in, subject_in, text_in, place_in, due_in) RETURNING id INTO made;
    PERFORM ledger.append('opendata.ask', jsonb_build_object('ticket', made, 'kind', kind_in, 'dataset', dataset_in,
        'actor', opendata.actor_of('')), subject_in, NULL);
    RETURN made;
END $$;

-- DZ074 it is answered already, or is none of the official's (`within_in`: organisations, NULL for all).
CREATE FUNCTION opendata.answer(id_in bigint, state_in text, answer_in text, shown_in boolean, by_in text, within_in text[])
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about opendata.ticket;
BEGIN
    UPDATE opendata.ticket t SET state = state_in, answer = answer_in, shown = shown_in, answered_at = now()
    WHERE t.id = id_in AND t.state = 'open' AND (within_in IS NULL OR t.provider = ANY (within_in)) RETURNING t.* INTO about;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'ticket % cannot be answered', id_in USING ERRCODE = 'DZ074';
    END IF;
    PERFORM ledger.append('opendata.answer', jsonb_build_object('ticket', id_in, 'kind', about.kind, 'state', state_in,
        'by', split_part(by_in, ':', 1) || ':' || split_part(by_in, ':', 2), 'actor', opendata.actor_of(by_in)), about.subject, NULL);
END $$;

CREATE FUNCTION opendata.show(title_in text, url_in text, maker_in text, text_in text, datasets_in text[], subject_in bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made bigint;
BEGIN
    INSERT INTO opendata.showcase (title, url, maker, text, datasets, subject)
    VALUES (title_in, url_in, maker_in, text_in, datasets_in, subject_in) RETURNING id INTO made;
    PERFORM ledger.append('opendata.show', jsonb_build_object('showcase', made, 'datasets', datasets_in,
        'actor', opendata.actor_of('')), subject_in, NULL);
    RETURN made;
END $$;

CREATE FUNCTION opendata.review_showcase(id_in bigint, state_in text, reason_in text, by_in text)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    about opendata.showcase;
BEGIN
    UPDATE opendata.showcase s SET state = state_in, reason = reason_in, decided_at = now()
    WHERE s.id = id_in AND s.state = 'submitted' RETURNING s.* INTO about;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'showcase % cannot be reviewed', id_in USING ERRCODE = 'DZ074';
    END IF;
    PERFORM ledger.append('opendata.showcase', jsonb_build_object('showcase', id_in, 'state', state_in,
        'by', split_part(by_in, ':', 1) || ':' || split_part(by_in, ':', 2), 'actor', opendata.actor_of(by_in)), about.subject, NULL);
END $$;

-- A person's own applications and tickets; no other way leads from a person to what they asked.
CREATE FUNCTION opendata.own(subject_in bigint)
RETURNS TABLE (what text, id bigint, kind text, dataset text, said text, state text, reply text, due date, until date, made_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT 'application', a.id, '', a.dataset, a.purpose, a.state, a.reason, a.due, a.use_until, a.made_at
    FROM opendata.application a WHERE a.subject = $1
    UNION ALL
    SELECT 'ticket', t.id, t.kind, t.dataset, t.text, t.state, t.answer, t.due, NULL, t.made_at
    FROM opendata.ticket t WHERE t.subject = $1
    UNION ALL
    SELECT 'showcase', s.id, '', s.datasets[1], s.title, s.state, s.reason, NULL, NULL, s.made_at
    FROM opendata.showcase s WHERE s.subject = $1
    ORDER BY 10 DESC LIMIT 100;
END;

-- Whether somebody may take a conditional dataset today: signed, not ended, not past the day agreed.
CREATE FUNCTION opendata.may_take(dataset_in text, subject_in bigint, day_in date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM opendata.application a WHERE a.dataset = $1 AND a.subject = $2
                   AND a.state IN ('open', 'reported') AND a.use_until >= $3);
END;

-- Every taking of a conditional dataset is entered before the first byte goes.
CREATE FUNCTION opendata.enter_taking(dataset_in text, subject_in bigint, version_in integer, format_in text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ledger.append('opendata.take', jsonb_build_object('dataset', $1, 'version', $3, 'format', $4,
        'actor', opendata.actor_of('')), $2, NULL);
END;

REVOKE ALL ON opendata.application, opendata.ticket, opendata.showcase FROM PUBLIC;
REVOKE ALL ON FUNCTION opendata.actor_of(text), opendata.apply(text, bigint, text, text, text, date, date),
    opendata.move_application(bigint, text[], text, text, bigint, text), opendata.ask(text, text, text, bigint, text, text, date),
    opendata.answer(bigint, text, text, boolean, text, text[]), opendata.show(text, text, text, text, text[], bigint),
    opendata.review_showcase(bigint, text, text, text), opendata.own(bigint), opendata.may_take(text, bigint, date),
    opendata.enter_taking(text, bigint, integer, text) FROM PUBLIC;
GRANT SELECT (id, dataset, who, unit, purpose, use_until, state, due, made_at, changed_at, reason, report)
    ON opendata.application TO dizuo_app;
GRANT SELECT (id, kind, dataset, provider, text, place, due, state, answer, shown, made_at, answered_at) ON opendata.ticket TO dizuo_app;
GRANT SELECT (id, title, url, maker, text, datasets, state, reason, made_at, decided_at) ON opendata.showcase TO dizuo_app;
GRANT EXECUTE ON FUNCTION opendata.apply(text, bigint, text, text, text, date, date),
    opendata.move_application(bigint, text[], text, text, bigint, text), opendata.ask(text, text, text, bigint, text, text, date),
    opendata.answer(bigint, text, text, boolean, text, text[]), opendata.show(text, text, text, text, text[], bigint),
    opendata.review_showcase(bigint, text, text, text), opendata.own(bigint), opendata.may_take(text, bigint, date),
    opendata.enter_taking(text, bigint, integer, text) TO dizuo_app;
