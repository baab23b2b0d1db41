-- Requests for data between departments (供需对接): one row per request, one append-only row per step, and what may never happen.

-- Why a request may lawfully be refused (不同意的法定理由); nothing else is a reason. `by`: who may give it.
CREATE TABLE exchange.refusal_reason (
    id        text COLLATE "C" PRIMARY KEY,
    by        text COLLATE "C" NOT NULL CHECK (by IN ('authority', 'provider', 'both')),
    zh        text NOT NULL,
    en        text NOT NULL,
    law       text COLLATE "C" NOT NULL,
    -- Whether somebody held it against the official text.
    verified  boolean NOT NULL,
    ord       smallint NOT NULL UNIQUE
);
INSERT INTO exchange.refusal_reason (id, by, zh, en, law, verified, ord) VALUES
    ('beyond_duty', 'both', '超出需求部门履行法定职责的需要', 'Beyond what the duty needs', 'data-sharing-2025:reply', false, 1),
    ('secret', 'both', '涉及国家秘密、工作秘密，不属于政务数据', 'State or work secrets are not government data', 'data-sharing-2025:3', false, 2),
    ('law_forbids', 'provider', '法律、行政法规明文规定不得提供', 'A law forbids it in plain words', 'data-sharing-2025:reply', false, 3),
    ('no_condition', 'provider', '不符合目录公布的共享条件', 'The published condition is not met', 'data-sharing-2025:reply', false, 4),
    ('not_held', 'provider', '提供部门不产生、不持有该数据', 'The department neither makes nor holds it', 'data-sharing-2025:reply', false, 5),
    ('basis_missing', 'authority', '所列依据不支持这一用途', 'The law that is cited does not carry this use', 'data-sharing-2025:reply', false, 6);
COMMENT ON TABLE exchange.refusal_reason IS '不同意的法定理由';

CREATE TABLE exchange.share_request (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number         text COLLATE "C" NOT NULL UNIQUE,
    department     text COLLATE "C" NOT NULL REFERENCES exchange.department (id),
    resource       text COLLATE "C" REFERENCES exchange.resource (code),
    fields         text[] NOT NULL DEFAULT '{}',
    purpose        text NOT NULL DEFAULT '',
    basis          text COLLATE "C" NOT NULL DEFAULT '',
    -- What for: a declared matter (事项) or another duty (职责) in words; exactly one of them.
    matter         text COLLATE "C" NOT NULL DEFAULT '',
    duty           text NOT NULL DEFAULT '',
    scope          text NOT NULL DEFAULT '',
    methods        text[] NOT NULL DEFAULT '{}' CHECK (methods <@ ARRAY['query', 'batch', 'subscribe', 'bulk']),
    until          date,
    frequency      text COLLATE "C" NOT NULL DEFAULT '' CHECK (frequency IN ('', 'realtime', 'daily', 'weekly', 'monthly', 'once')),
    per_day        integer CHECK (per_day > 0),
    responsible    text NOT NULL DEFAULT '',
    committed      boolean NOT NULL DEFAULT false,
    -- How the resource was shared when it was asked for, by the catalogue; never by whoever asks.
    share_type     smallint CHECK (share_type IN (1, 2, 3)),
    state          text COLLATE "C" NOT NULL DEFAULT 'draft' CHECK (state IN (
        'draft', 'department_review', 'authority_review', 'supplement', 'provider_reply', 'agreed', 'provisioned', 'in_use',
        'suspended', 'expired', 'ended', 'refused', 'dispute', 'ruling')),
    -- The declared clock that runs now ('' for none), and every clock that ran, by id (kernel clock states).
    clock          text COLLATE "C" NOT NULL DEFAULT '',
    clocks         jsonb NOT NULL DEFAULT '{}',
    drafted_by     text COLLATE "C" NOT NULL CHECK (drafted_by <> ''),
    refusal        text COLLATE "C" REFERENCES exchange.refusal_reason (id),
    refusal_words  text NOT NULL DEFAULT '',
    supplemented   boolean NOT NULL DEFAULT false,
    extended       boolean NOT NULL DEFAULT false,
    settled_at     timestamptz,
    used_at        timestamptz,
    -- Why it was asked for although a right to the same exists.
    despite        text NOT NULL DEFAULT '',
    grant_id       bigint UNIQUE REFERENCES exchange.data_grant (id),
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    changed_at     timestamptz NOT NULL DEFAULT now(),
    sent_at        timestamptz,
    CONSTRAINT request_complete CHECK (state IN ('draft', 'ended') OR (
        resource IS NOT NULL AND cardinality(fields) > 0 AND purpose <> '' AND basis LIKE '%_:_%' AND (matter <> '') <> (duty <> '')
        AND scope <> '' AND cardinality(methods) > 0 AND until IS NOT NULL AND frequency <> '' AND per_day IS NOT NULL
        AND responsible <> '' AND committed AND share_type IS NOT NULL AND sent_at IS NOT NULL)),
    CONSTRAINT request_refused CHECK (state <> 'refused' OR (refusal IS NOT NULL AND length(btrim(refusal_words)) >= 5)),
    CONSTRAINT request_granted CHECK (state NOT IN ('provisioned', 'in_use', 'suspended', 'expired') OR grant_id IS NOT NULL)
);
CREATE INDEX share_request_department ON exchange.share_request (department, state);
CREATE INDEX share_request_resource ON exchange.share_request (resource, state);
CREATE INDEX share_request_open ON exchange.share_request (state)
    WHERE state IN ('department_review', 'authority_review', 'supplement', 'provider_reply', 'agreed', 'dispute', 'ruling');
COMMENT ON TABLE exchange.share_request IS '共享申请: a department asks for fields of a resource, for a duty, on a law';
ALTER TABLE exchange.data_grant ADD CONSTRAINT data_grant_request FOREIGN KEY (request) REFERENCES exchange.share_request (id);

-- What happened to a request, in order; never altered. `entry` is the ledger's. `used`: working days that the clock of the state left
-- had run; `in_time`: whether it was kept, NULL where there is none or nobody can know.
CREATE TABLE exchange.share_step (
    request     bigint NOT NULL REFERENCES exchange.share_request (id),
    ord         integer NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    event       text COLLATE "C" NOT NULL,
    from_state  text COLLATE "C" NOT NULL,
    to_state    text COLLATE "C" NOT NULL,
    actor       text COLLATE "C" NOT NULL,
    name        text NOT NULL DEFAULT '',
    unit        text COLLATE "C" NOT NULL DEFAULT '',
    post        text COLLATE "C" NOT NULL DEFAULT '',
    words       text NOT NULL DEFAULT '',
    reason      text COLLATE "C",
    law         text COLLATE "C" NOT NULL DEFAULT '',
    clock       text COLLATE "C" NOT NULL DEFAULT '',
    used        integer,
    in_time     boolean,
    entry       bigint NOT NULL,
    PRIMARY KEY (request, ord)
);
COMMENT ON TABLE exchange.share_step IS '申请经过: append-only, each with its ledger entry';

-- Which step leads where, who takes it, and for which kind of sharing (1 无条件, 2 有条件, 3 不予共享).
CREATE TABLE exchange.share_move (
    from_state  text COLLATE "C" NOT NULL,
    event       text COLLATE "C" NOT NULL,
    to_state    text COLLATE "C" NOT NULL,
    by          text COLLATE "C" NOT NULL CHECK (by IN ('asker', 'checker', 'authority', 'provider', 'system')),
    types       smallint[] NOT NULL,
    PRIMARY KEY (from_state, event, to_state)
);
INSERT INTO exchange.share_move (from_state, event, to_state, by, types) VALUES
    ('draft', 'submit', 'department_review', 'asker', '{1,2,3}'),
    ('department_review', 'return', 'draft', 'checker', '{1,2,3}'),
    ('department_review', 'pass', 'authority_review', 'checker', '{1,2,3}'),
    ('authority_review', 'ask_more', 'supplement', 'authority', '{1,2,3}'),
    ('supplement', 'supply', 'authority_review', 'asker', '{1,2,3}'),
    ('authority_review', 'conform', 'agreed', 'authority', '{1}'),
    ('authority_review', 'forward', 'provider_reply', 'authority', '{2}'),
    ('authority_review', 'negotiate', 'dispute', 'authority', '{3}'),
    ('authority_review', 'reject', 'refused', 'authority', '{1,2,3}'),
    ('provider_reply', 'extend', 'provider_reply', 'provider', '{2}'),
    ('provider_reply', 'agree', 'agreed', 'provider', '{1,2}'),
    ('provider_reply', 'refuse', 'refused', 'provider', '{2}'),
    ('refused', 'dispute', 'dispute', 'checker', '{1,2,3}'),
    ('dispute', 'settle', 'agreed', 'provider', '{1,2,3}'),
    ('dispute', 'escalate', 'ruling', 'checker', '{1,2,3}'),
    ('ruling', 'rule_for', 'agreed', 'authority', '{1,2,3}'),
    ('ruling', 'rule_against', 'ended', 'authority', '{2,3}'),
    ('agreed', 'provision', 'provisioned', 'provider', '{1,2,3}'),
    ('draft', 'withdraw', 'ended', 'asker', '{1,2,3}'),
    ('department_review', 'withdraw', 'ended', 'asker', '{1,2,3}'),
    ('authority_review', 'withdraw', 'ended', 'asker', '{1,2,3}'),
    ('supplement', 'withdraw', 'ended', 'asker', '{1,2,3}'),
    ('provider_reply', 'withdraw', 'ended', 'asker', '{1,2,3}'),
    ('dispute', 'withdraw', 'ended', 'asker', '{1,2,3}'),
    ('provisioned', 'first_use', 'in_use', 'system', '{1,2,3}'),
    ('provisioned', 'suspend', 'suspended', 'system', '{1,2,3}'),
    ('in_use', 'suspend', 'suspended', 'system', '{1,2,3}'),
    ('suspended', 'resume', 'provisioned', 'system', '{1,2,3}'),
    ('suspended', 'resume', 'in_use', 'system', '{1,2,3}'),
    ('provisioned', 'expire', 'expired', 'system', '{1,2,3}'),
    ('in_use', 'expire', 'expired', 'system', '{1,2,3}'),
    ('suspended', 'expire', 'expired', 'system', '{1,2,3}'),
    ('provisioned', 'revoke', 'ended', 'system', '{1,2,3}'),
    ('in_use', 'revoke', 'ended', 'system', '{1,2,3}'),
    ('suspended', 'revoke', 'ended', 'system', '{1,2,3}'),
    ('provisioned', 'end', 'ended', 'system', '{1,2,3}'),
    ('in_use', 'end', 'ended', 'system', '{1,2,3}'),
    ('suspended', 'end', 'ended', 'system', '{1,2,3}');

-- Somebody was pointed to a right or to a field that the city holds already, instead of collecting it again (重复采集拦截).
CREATE TABLE exchange.interception (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT now(),
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('request', 'question')),
    department  text COLLATE "C" NOT NULL REFERENCES exchange.department (id),
    resource    text COLLATE "C" NOT NULL REFERENCES exchange.resource (code),
    grant_id    bigint REFERENCES exchange.data_grant (id),
    request     bigint REFERENCES exchange.share_request (id),
    matter      text COLLATE "C" NOT NULL DEFAULT '',
    datum       text COLLATE "C" NOT NULL DEFAULT '',
    -- Asked for all the same, with a reason: then nothing was prevented.
    despite     boolean NOT NULL DEFAULT false,
    actor       text COLLATE "C" NOT NULL,
    entry       bigint NOT NULL,
    -- One for each request and right, and one for each question of a matter, however often the page is sent.
    UNIQUE NULLS NOT DISTINCT (kind, department, resource, grant_id, request, matter, datum)
);
COMMENT ON TABLE exchange.interception IS '重复采集拦截';

-- What may never be, whoever writes the row. DZ053 an unconditional or unshared resource before the provider, DZ056 one's own data,
-- DZ062 not offered, DZ063 fields beyond the resource, DZ064 agreed to though not shared and not settled, DZ065 department retired,
-- DZ070 another state than its right's.
CREATE FUNCTION exchange.request_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    offered exchange.resource;
    moved   boolean := TG_OP = 'INSERT' OR NEW.state <> OLD.state;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.number, NEW.department, NEW.drafted_by) IS DISTINCT FROM (OLD.id, OLD.number, OLD.department, OLD.drafted_by) THEN
            RAISE EXCEPTION 'request % keeps its number and its department', OLD.id USING ERRCODE = 'DZ057';
        END IF;
        IF OLD.state NOT IN ('draft', 'supplement') AND
           (NEW.resource, NEW.fields, NEW.purpose, NEW.basis, NEW.matter, NEW.duty, NEW.scope, NEW.methods, NEW.until, NEW.frequency, NEW.per_day)
           IS DISTINCT FROM
           (OLD.resource, OLD.fields, OLD.purpose, OLD.basis, OLD.matter, OLD.duty, OLD.scope, OLD.methods, OLD.until, OLD.frequency, OLD.per_day) THEN
            RAISE EXCEPTION 'request % is with others: what it asks for stands', OLD.id USING ERRCODE = 'DZ057';
        END IF;
        NEW.version := OLD.version + 1;
        NEW.changed_at := now();
    ELSIF EXISTS (SELECT FROM exchange.department d WHERE d.id = NEW.department AND d.retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'department % is retired', NEW.department USING ERRCODE = 'DZ065';
    END IF;
    -- A request says what its right is: neither moves without the other.
    IF moved AND NEW.grant_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM exchange.data_grant g WHERE g.id = NEW.grant_id AND g.state = ANY (
            CASE NEW.state WHEN 'suspended' THEN ARRAY['suspended'] WHEN 'expired' THEN ARRAY['expired']
                           WHEN 'ended' THEN ARRAY['revoked', 'ended'] ELSE ARRAY['open'] END)) THEN
        RAISE EXCEPTION 'request % cannot be % while its right is not', NEW.id, NEW.state USING ERRCODE = 'DZ070';
    END IF;
    IF NEW.resource IS NULL OR NEW.state IN ('ended', 'expired') THEN
        RETURN NEW;
    END IF;
    SELECT * INTO offered FROM exchange.resource r WHERE r.code = NEW.resource FOR SHARE;
    IF NEW.state IN ('draft', 'department_review', 'authority_review', 'supplement', 'provider_reply') THEN
        NEW.share_type := offered.share_type;
    END IF;
    IF NOT NEW.fields <@ exchange.fields_of(offered.fields) AND (TG_OP = 'INSERT' OR NEW.fields <> OLD.fields OR NEW.resource IS DISTINCT FROM OLD.resource) THEN
        RAISE EXCEPTION 'fields beyond resource %', NEW.resource USING ERRCODE = 'DZ063';
    END IF;
    IF moved AND NEW.state = 'department_review' THEN
        IF offered.state NOT IN ('published', 'changing') THEN
            RAISE EXCEPTION 'resource % is not offered', NEW.resource USING ERRCODE = 'DZ062';
        END IF;
        IF offered.provider = NEW.department THEN
            RAISE EXCEPTION 'department % asks itself', NEW.department USING ERRCODE = 'DZ056';
        END IF;
    END IF;
    IF moved AND (NEW.state = 'provider_reply' AND offered.share_type <> 2
                  OR NEW.state = 'refused' AND TG_OP = 'UPDATE' AND OLD.state = 'provider_reply' AND offered.share_type = 1) THEN
        RAISE EXCEPTION 'request %: a provider has no say about share type %', NEW.id, offered.share_type USING ERRCODE = 'DZ053';
    END IF;
    IF moved AND NEW.state = 'agreed' AND offered.share_type = 3 AND NEW.settled_at IS NULL THEN
        RAISE EXCEPTION 'resource % is not shared', NEW.resource USING ERRCODE = 'DZ064';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON exchange.share_request FOR EACH ROW EXECUTE FUNCTION exchange.request_rules();

CREATE FUNCTION exchange.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the record of a request is append-only: % refused', TG_OP USING ERRCODE = 'DZ058';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON exchange.share_step
    FOR EACH STATEMENT EXECUTE FUNCTION exchange.refuse_change();

CREATE SEQUENCE exchange.share_number AS bigint;

-- A new draft of a department; `prefix` is the city's. Returns its number. actor: {account, name, unit, post}.
CREATE FUNCTION exchange.draft_request(prefix text, at timestamptz, department_in text, actor jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named   text := prefix || 'GX' || to_char(at AT TIME ZONE 'Asia/Shanghai', 'YYYYMMDD') || '-'
                  || lpad(nextval('exchange.share_number')::text, 5, '0');
    made    bigint;
    entered bigint;
BEGIN
    entered := ledger.append('share.draft', jsonb_build_object('number', named, 'department', department_in, 'actor', actor ->> 'account',
        'unit', actor ->> 'unit', 'post', actor ->> 'post'), NULL, NULL);
    INSERT INTO exchange.share_request AS q (number, department, drafted_by, created_at)
    VALUES (named, department_in, actor ->> 'account', at) RETURNING q.id INTO made;
    INSERT INTO exchange.share_step (request, ord, at, event, from_state, to_state, actor, name, unit, post, entry)
    VALUES (made, 1, at, 'draft', 'draft', 'draft', actor ->> 'account', coalesce(actor ->> 'name', ''), actor ->> 'unit',
            coalesce(actor ->> 'post', ''), entered);
    RETURN named;
END $$;

-- Keep what was filled in, complete or not. Returns the new version. DZ050 unknown, DZ051 changed meanwhile, DZ057 no longer to be changed.
CREATE FUNCTION exchange.save_request(request_in bigint, version_in integer, filled jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked exchange.share_request;
BEGIN
    SELECT * INTO asked FROM exchange.share_request q WHERE q.id = request_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no request %', request_in USING ERRCODE = 'DZ050';
    END IF;
    IF asked.state NOT IN ('draft', 'supplement') THEN
        RAISE EXCEPTION 'request % is %', request_in, asked.state USING ERRCODE = 'DZ057';
    END IF;
    IF asked.version <> version_in THEN
        RAISE EXCEPTION 'request % changed meanwhile', request_in USING ERRCODE = 'DZ051';
    END IF;
    UPDATE exchange.share_request q
    SET resource = g.resource, fields = coalesce(g.fields, '{}'), purpose = coalesce(g.purpose, ''), basis = coalesce(g.basis, ''),
        matter = coalesce(g.matter, ''), duty = coalesce(g.duty, ''), scope = coalesce(g.scope, ''), methods = coalesce(g.methods, '{}'),
        until = g.until, frequency = coalesce(g.frequency, ''), per_day = g.per_day, responsible = coalesce(g.responsible, ''),
        committed = coalesce(g.committed, false), despite = coalesce(g.despite, '')
    FROM jsonb_to_record(filled) AS g (resource text, fields text[], purpose text, basis text, matter text, duty text, scope text,
        methods text[], until date, frequency text, per_day integer, responsible text, committed boolean, despite text)
    WHERE q.id = request_in
    RETURNING q.version INTO asked.version;
    RETURN asked.version;
END $$;

-- One step of a request: state, record and ledger in one. Returns the new version.
-- actor: {account, name, unit, post}; told: {at, words, reason, law, clock, clocks, used, in_time}.
-- DZ050 unknown, DZ051 changed meanwhile, DZ052 no such step from here, DZ053 not for this kind of sharing, DZ054 the same official
-- checks what he drafted, DZ055 once only, DZ059 no lawful reason or no words; and what exchange.request_rules says.
CREATE FUNCTION exchange.move_request(request_in bigint, version_in integer, event_in text, to_in text, actor jsonb, told jsonb) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked   exchange.share_request;
    step    exchange.share_move;
    kind    smallint;
    instant timestamptz := coalesce((told ->> 'at')::timestamptz, now());
    said    text := btrim(coalesce(told ->> 'words', ''));
    entered bigint;
BEGIN
    SELECT * INTO asked FROM exchange.share_request q WHERE q.id = request_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no request %', request_in USING ERRCODE = 'DZ050';
    END IF;
    IF asked.version <> version_in THEN
        RAISE EXCEPTION 'request % changed meanwhile', request_in USING ERRCODE = 'DZ051', DETAIL = asked.state;
    END IF;
    SELECT * INTO step FROM exchange.share_move m WHERE m.from_state = asked.state AND m.event = event_in AND m.to_state = to_in;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no % from %', event_in, asked.state USING ERRCODE = 'DZ052', DETAIL = asked.state;
    END IF;
    kind := asked.share_type;
    IF asked.state IN ('draft', 'department_review', 'authority_review', 'supplement', 'provider_reply') THEN
        SELECT r.share_type INTO kind FROM exchange.resource r WHERE r.code = asked.resource;
    END IF;
    IF kind IS NOT NULL AND kind <> ALL (step.types) THEN
        RAISE EXCEPTION 'no % for share type %', event_in, kind USING ERRCODE = 'DZ053', DETAIL = kind::text;
    END IF;
    IF event_in = 'pass' AND actor ->> 'account' = asked.drafted_by THEN
        RAISE EXCEPTION 'request % is checked by another official', request_in USING ERRCODE = 'DZ054';
    END IF;
    IF event_in = 'ask_more' AND asked.supplemented OR event_in = 'extend' AND asked.extended THEN
        RAISE EXCEPTION '% is possible once', event_in USING ERRCODE = 'DZ055';
    END IF;
    IF event_in IN ('reject', 'refuse') AND (length(said) < 5 OR NOT EXISTS (
           SELECT FROM exchange.refusal_reason r WHERE r.id = told ->> 'reason' AND r.by IN ('both', CASE event_in WHEN 'reject' THEN 'authority' ELSE 'provider' END)))
       OR event_in IN ('return', 'ask_more', 'extend', 'negotiate', 'dispute', 'escalate', 'settle', 'rule_for', 'rule_against') AND length(said) < 5 THEN
        RAISE EXCEPTION '% needs a lawful reason and words', event_in USING ERRCODE = 'DZ059';
    END IF;
    UPDATE exchange.share_request q
    SET state = to_in, clock = coalesce(told ->> 'clock', ''), clocks = coalesce(told -> 'clocks', q.clocks),
        refusal = CASE WHEN to_in = 'refused' THEN told ->> 'reason' ELSE q.refusal END,
        refusal_words = CASE WHEN to_in = 'refused' THEN said ELSE q.refusal_words END,
        supplemented = q.supplemented OR event_in = 'ask_more', extended = q.extended OR event_in = 'extend',
        settled_at = CASE WHEN event_in IN ('settle', 'rule_for') THEN instant ELSE q.settled_at END,
        used_at = CASE WHEN event_in = 'first_use' THEN instant ELSE q.used_at END,
        sent_at = CASE WHEN event_in = 'submit' THEN instant ELSE q.sent_at END
    WHERE q.id = request_in RETURNING * INTO asked;
    entered := ledger.append('share.' || event_in, jsonb_strip_nulls(jsonb_build_object(
        'request', asked.id, 'number', asked.number, 'department', asked.department, 'resource', asked.resource, 'fields', to_jsonb(asked.fields),
        'basis', nullif(asked.basis, ''), 'matter', nullif(asked.matter, ''), 'until', asked.until, 'from', step.from_state, 'to', to_in,
        'reason', told ->> 'reason', 'law', nullif(told ->> 'law', ''), 'actor', actor ->> 'account', 'unit', actor ->> 'unit',
        'post', actor ->> 'post', 'grant', asked.grant_id)), NULL, CASE WHEN said <> '' THEN jsonb_build_object('words', said) END);
    INSERT INTO exchange.share_step (request, ord, at, event, from_state, to_state, actor, name, unit, post, words, reason, law, clock, used, in_time, entry)
    VALUES (asked.id, (SELECT coalesce(max(s.ord), 0) + 1 FROM exchange.share_step s WHERE s.request = asked.id), instant, event_in, step.from_state, to_in, actor ->> 'account', coalesce(actor ->> 'name', ''),
           coalesce(actor ->> 'unit', ''), coalesce(actor ->> 'post', ''), said, told ->> 'reason', coalesce(told ->> 'law', ''),
           coalesce(told ->> 'left', ''), (told ->> 'used')::integer, (told ->> 'in_time')::boolean, entered);
    RETURN asked.version;
END $$;

-- Open what was agreed to: the right holds exactly what the request asked for. Returns the right's id.
-- DZ050, DZ051, DZ052 (not agreed to) as above; DZ068 the day asked for has passed.
CREATE FUNCTION exchange.provision_request(request_in bigint, version_in integer, day date, actor jsonb, told jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked exchange.share_request;
    made  exchange.data_grant;
BEGIN
    SELECT * INTO asked FROM exchange.share_request q WHERE q.id = request_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no request %', request_in USING ERRCODE = 'DZ050';
    END IF;
    IF asked.version <> version_in THEN
        RAISE EXCEPTION 'request % changed meanwhile', request_in USING ERRCODE = 'DZ051', DETAIL = asked.state;
    END IF;
    IF asked.state <> 'agreed' THEN
        RAISE EXCEPTION 'request % is %', request_in, asked.state USING ERRCODE = 'DZ052', DETAIL = asked.state;
    END IF;
    IF asked.until < day THEN
        RAISE EXCEPTION 'request % was until %', request_in, asked.until USING ERRCODE = 'DZ068';
    END IF;
    INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires, scope, frequency, request)
    VALUES (asked.department, asked.resource, asked.fields, asked.purpose, asked.matter, asked.basis, asked.methods, asked.per_day, day, asked.until,
            asked.scope, asked.frequency, asked.id)
    RETURNING * INTO made;
    UPDATE exchange.share_request q SET grant_id = made.id WHERE q.id = request_in RETURNING q.version INTO asked.version;
    PERFORM exchange.enter_grant(made, 'grant.open', made.basis, '', actor);
    PERFORM exchange.move_request(request_in, asked.version, 'provision', 'provisioned', actor, told);
    RETURN made.id;
END $$;

-- The first use of a right moves its request; later ones cost one look. True when it was the first.
CREATE FUNCTION exchange.note_use(grant_in bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    asked exchange.share_request;
BEGIN
    IF NOT EXISTS (SELECT FROM exchange.share_request q WHERE q.grant_id = grant_in AND q.state = 'provisioned') THEN
        RETURN false;
    END IF;
    SELECT * INTO asked FROM exchange.share_request q WHERE q.grant_id = grant_in FOR UPDATE;
    IF asked.state <> 'provisioned' THEN
        RETURN false;
    END IF;
    PERFORM exchange.move_request(asked.id, asked.version, 'first_use', 'in_use', '{"account": "system"}', '{}');
    RETURN true;
END $$;

-- Suspend, resume, expire, revoke or end a right: at once, with its entry, and with the request that it came from.
-- Returns its new version. DZ066 no such right, DZ067 not from this state, DZ068 not expired yet.
CREATE FUNCTION exchange.move_grant(grant_in bigint, to_state text, why text, law text, actor jsonb, day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held  exchange.data_grant;
    asked exchange.share_request;
    event text := CASE to_state WHEN 'suspended' THEN 'suspend' WHEN 'open' THEN 'resume' WHEN 'expired' THEN 'expire'
                                WHEN 'revoked' THEN 'revoke' WHEN 'ended' THEN 'end' END;
BEGIN
    -- The request first, then the right: the same order as everywhere, so that nobody waits in a circle.
    PERFORM 1 FROM exchange.share_request q WHERE q.grant_id = grant_in FOR UPDATE;
    SELECT * INTO held FROM exchange.data_grant g WHERE g.id = grant_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no grant %', grant_in USING ERRCODE = 'DZ066';
    END IF;
    IF event IS NULL OR held.state NOT IN ('open', 'suspended') OR held.state = to_state OR (to_state = 'open' AND held.expires < day) THEN
        RAISE EXCEPTION 'grant % is %', grant_in, held.state USING ERRCODE = 'DZ067', DETAIL = held.state;
    END IF;
    IF to_state = 'expired' AND held.expires >= day THEN
        RAISE EXCEPTION 'grant % runs until %', grant_in, held.expires USING ERRCODE = 'DZ068';
    END IF;
    IF to_state IN ('suspended', 'revoked') AND length(btrim(why)) < 2 THEN
        RAISE EXCEPTION 'a right is not taken without words' USING ERRCODE = 'DZ069';
    END IF;
    UPDATE exchange.data_grant g SET state = to_state, ended_why = CASE WHEN to_state = 'open' THEN '' ELSE btrim(why) END
    WHERE g.id = grant_in RETURNING * INTO held;
    PERFORM exchange.enter_grant(held, 'grant.' || event, law, btrim(why), actor);
    SELECT * INTO asked FROM exchange.share_request q WHERE q.id = held.request;
    IF FOUND THEN
        PERFORM exchange.move_request(asked.id, asked.version, event,
            CASE to_state WHEN 'open' THEN CASE WHEN asked.used_at IS NULL THEN 'provisioned' ELSE 'in_use' END
                          WHEN 'revoked' THEN 'ended' ELSE to_state END,
            actor, jsonb_build_object('words', btrim(why), 'law', law));
    END IF;
    RETURN held.version;
END $$;

-- Somebody was pointed to what is there; the second time the same is pointed out, only `despite` may change. Returns whether it is new.
CREATE FUNCTION exchange.note_interception(told jsonb, actor jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known   exchange.interception;
    g       record;
    entered bigint;
BEGIN
    SELECT * INTO g FROM jsonb_to_record(told) AS t (kind text, department text, resource text, grant_id bigint, request bigint,
                                                     matter text, datum text, despite boolean);
    PERFORM pg_advisory_xact_lock(7021, hashtext(told ->> 'department'));
    SELECT * INTO known FROM exchange.interception i
    WHERE i.kind = g.kind AND i.department = g.department AND i.resource = g.resource AND i.grant_id IS NOT DISTINCT FROM g.grant_id
      AND i.request IS NOT DISTINCT FROM g.request AND i.matter = coalesce(g.matter, '') AND i.datum = coalesce(g.datum, '');
    IF known.id IS NOT NULL AND known.despite = coalesce(g.despite, false) THEN
        RETURN false;
    END IF;
    entered := ledger.append('share.' || CASE WHEN coalesce(g.despite, false) THEN 'despite' ELSE 'intercept' END,
        jsonb_strip_nulls(told) || jsonb_build_object('actor', actor ->> 'account', 'unit', actor ->> 'unit', 'post', actor ->> 'post'), NULL, NULL);
    IF known.id IS NOT NULL THEN
        UPDATE exchange.interception i SET despite = coalesce(g.despite, false) WHERE i.id = known.id;
        RETURN false;
    END IF;
    INSERT INTO exchange.interception (kind, department, resource, grant_id, request, matter, datum, despite, actor, entry)
    VALUES (g.kind, g.department, g.resource, g.grant_id, g.request, coalesce(g.matter, ''), coalesce(g.datum, ''), coalesce(g.despite, false),
            actor ->> 'account', entered);
    RETURN true;
END $$;

REVOKE ALL ON exchange.refusal_reason, exchange.share_request, exchange.share_step, exchange.share_move, exchange.interception FROM PUBLIC;
REVOKE ALL ON SEQUENCE exchange.share_number FROM PUBLIC;
REVOKE ALL ON FUNCTION exchange.request_rules(), exchange.refuse_change(), exchange.draft_request(text, timestamptz, text, jsonb),
    exchange.save_request(bigint, integer, jsonb), exchange.move_request(bigint, integer, text, text, jsonb, jsonb),
    exchange.provision_request(bigint, integer, date, jsonb, jsonb), exchange.move_grant(bigint, text, text, text, jsonb, date),
    exchange.note_use(bigint), exchange.note_interception(jsonb, jsonb) FROM PUBLIC;
GRANT SELECT ON exchange.refusal_reason, exchange.share_request, exchange.share_step, exchange.share_move, exchange.interception TO dizuo_app;
GRANT EXECUTE ON FUNCTION exchange.draft_request(text, timestamptz, text, jsonb), exchange.save_request(bigint, integer, jsonb),
    exchange.move_request(bigint, integer, text, text, jsonb, jsonb), exchange.provision_request(bigint, integer, date, jsonb, jsonb),
    exchange.move_grant(bigint, text, text, text, jsonb, date),
    exchange.note_use(bigint), exchange.note_interception(jsonb, jsonb) TO dizuo_app;
