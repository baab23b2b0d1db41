-- The catalogue's audit (目录核查): what it found becomes tickets (问题单) that are dispatched, claimed, mended, checked and closed.
-- Tickets and their steps are written by two functions only, each step with its entry in the ledger.

-- One ticket per rule and thing, for ever: what comes back is reopened, never doubled.
CREATE TABLE exchange.finding (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule          text COLLATE "C" NOT NULL CHECK (rule ~ '^A[0-9]{1,2}$'),
    -- What it is about: a resource's code, a resource's item (code#id), an organisation, a register or a source.
    about         text COLLATE "C" NOT NULL CHECK (about <> ''),
    resource      text COLLATE "C" REFERENCES exchange.resource (code),
    -- Who has to mend it: organisation, and its post where one is known.
    organisation  text COLLATE "C" NOT NULL,
    post          text COLLATE "C" NOT NULL DEFAULT '',
    severity      text COLLATE "C" NOT NULL CHECK (severity IN ('high', 'mid', 'low')),
    -- What the rule's sentence needs to be said, nothing personal.
    params        jsonb NOT NULL DEFAULT '{}',
    state         text COLLATE "C" NOT NULL DEFAULT 'found' CHECK (state IN
        ('found', 'assigned', 'claimed', 'mending', 'review', 'returned', 'closed')),
    found_at      timestamptz NOT NULL,
    seen_at       timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    closed_at     timestamptz,
    -- How often it has come back after it had been closed.
    reopened      integer NOT NULL DEFAULT 0,
    -- Who handed it in for checking; somebody else closes it.
    mended_by     text COLLATE "C" NOT NULL DEFAULT '',
    version       integer NOT NULL DEFAULT 1,
    UNIQUE (rule, about),
    CHECK ((closed_at IS NOT NULL) = (state = 'closed'))
);
CREATE INDEX finding_open ON exchange.finding (organisation, rule) WHERE state <> 'closed';
COMMENT ON TABLE exchange.finding IS '问题单: 发现, 派发, 认领, 整改中, 待复核, 退回, 销号';

CREATE TABLE exchange.finding_step (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding  bigint NOT NULL REFERENCES exchange.finding (id),
    at       timestamptz NOT NULL,
    -- 'audit' or an account.
    by       text COLLATE "C" NOT NULL CHECK (by <> ''),
    was      text COLLATE "C" NOT NULL DEFAULT '',
    became   text COLLATE "C" NOT NULL,
    note     text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    entry    bigint NOT NULL
);
CREATE INDEX finding_step_of ON exchange.finding_step (finding, id);

CREATE TABLE exchange.audit_run (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    -- What set it off: publish, lake, clock, command.
    cause     text COLLATE "C" NOT NULL CHECK (cause <> ''),
    rules     text[] NOT NULL,
    found     integer NOT NULL,
    opened    integer NOT NULL,
    reopened  integer NOT NULL,
    closed    integer NOT NULL
);

-- enter_audit: what stands now, [{rule, about, resource, organisation, post, severity, params}], of the rules that were asked. New
-- things become tickets, what had been closed and is there again is reopened, what is gone is closed by the audit itself.
CREATE FUNCTION exchange.enter_audit(at_in timestamptz, cause_in text, rules_in text[], found_in jsonb)
RETURNS TABLE (run bigint, found integer, opened integer, reopened integer, closed integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    moves jsonb;
    told  jsonb;
    ids   bigint[] := '{}';
BEGIN
    -- One audit at a time: two at once would both find a new thing.
    PERFORM pg_advisory_xact_lock(7051, 2);
    WITH given AS MATERIALIZED (
        SELECT DISTINCT ON (g.rule, g.about) g.*
        FROM jsonb_to_recordset(found_in) AS g (rule text, about text, resource text, organisation text, post text, severity text, params jsonb)
        WHERE g.rule = ANY (rules_in)
        ORDER BY g.rule, g.about
    ), before AS MATERIALIZED (
        SELECT f.id, f.rule, f.about, f.state, g.rule IS NOT NULL AS stands
        FROM exchange.finding f LEFT JOIN given g USING (rule, about)
        WHERE f.rule = ANY (rules_in) AND (f.state <> 'closed' OR g.rule IS NOT NULL)
    ), seen AS (
        UPDATE exchange.finding f SET seen_at = at_in, resource = g.resource, organisation = g.organisation, post = g.post,
               severity = g.severity, params = g.params,
               state = CASE WHEN b.state = 'closed' THEN 'found' ELSE f.state END,
               closed_at = NULL,
               changed_at = CASE WHEN b.state = 'closed' THEN at_in ELSE f.changed_at END,
               mended_by = CASE WHEN b.state = 'closed' THEN '' ELSE f.mended_by END,
               reopened = f.reopened + (b.state = 'closed')::integer,
               version = f.version + (b.state = 'closed')::integer
        FROM before b JOIN given g USING (rule, about) WHERE f.id = b.id
        RETURNING f.id, f.rule, f.about, b.state AS was
    ), made AS (
        INSERT INTO exchange.finding (rule, about, resource, organisation, post, severity, params, found_at, seen_at, changed_at)
        SELECT g.rule, g.about, g.resource, g.organisation, g.post, g.severity, g.params, at_in, at_in, at_in FROM given g
        WHERE NOT EXISTS (SELECT FROM before b WHERE b.rule = g.rule AND b.about = g.about)
        RETURNING id, rule, about
    ), gone AS (
        UPDATE exchange.finding f SET state = 'closed', closed_at = at_in, changed_at = at_in, version = f.version + 1
        FROM before b WHERE f.id = b.id AND NOT b.stands
        RETURNING f.id, f.rule, f.about, b.state AS was
    ), moved AS (
        SELECT id, rule, about, was, 'found' AS became, '核查又发现' AS note FROM seen WHERE was = 'closed'
        UNION ALL SELECT id, rule, about, '', 'found', '核查发现' FROM made
        UNION ALL SELECT id, rule, about, was, 'closed', '核查时问题已不存在' FROM gone
    )
    SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.id), '[]') INTO moves FROM moved m;
    IF moves <> '[]' THEN
        SELECT jsonb_agg(jsonb_build_object('kind', 'catalogue.finding', 'body', jsonb_build_object(
                   'finding', m.id, 'rule', m.rule, 'about', m.about, 'was', m.was, 'became', m.became, 'actor', 'audit')) ORDER BY m.id)
        INTO told FROM jsonb_to_recordset(moves) AS m (id bigint, rule text, about text, was text, became text);
        ids := ledger.append_batch(told);
        INSERT INTO exchange.finding_step (finding, at, by, was, became, note, entry)
        SELECT m.id, at_in, 'audit', m.was, m.became, m.note, ids[m.place]
        FROM (SELECT r.*, row_number() OVER (ORDER BY r.id) AS place
              FROM jsonb_to_recordset(moves) AS r (id bigint, was text, became text, note text)) AS m ORDER BY m.place;
    END IF;
    RETURN QUERY
    INSERT INTO exchange.audit_run AS a (at, cause, rules, found, opened, reopened, closed)
    SELECT at_in, cause_in, rules_in,
           (SELECT count(*) FROM exchange.finding f WHERE f.state <> 'closed' AND f.rule = ANY (rules_in))::integer,
           (count(*) FILTER (WHERE m.was = ''))::integer, (count(*) FILTER (WHERE m.was = 'closed'))::integer,
           (count(*) FILTER (WHERE m.became = 'closed'))::integer
    FROM jsonb_to_recordset(moves) AS m (was text, became text)
    RETURNING a.id, a.found, a.opened, a.reopened, a.closed;
END $$;

-- move_finding: one step of a ticket by a person. `steward` is one who looks after the whole catalogue; others claim and mend what
-- is their department's. DZ050 no such ticket, DZ051 it has moved meanwhile, DZ052 no such step from here or not for this person,
-- DZ053 a note is needed, DZ054 who mended it does not check it.
CREATE FUNCTION exchange.move_finding(finding_in bigint, version_in integer, to_in text, by_in text, steward boolean, note_in text, at_in timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held  exchange.finding;
    entry bigint;
BEGIN
    SELECT * INTO held FROM exchange.finding f WHERE f.id = finding_in FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no finding %', finding_in USING ERRCODE = 'DZ050';
    END IF;
    IF held.version <> version_in THEN
        RAISE EXCEPTION 'finding % has moved', finding_in USING ERRCODE = 'DZ051';
    END IF;
    IF NOT ((held.state, to_in) IN (('assigned', 'claimed'), ('returned', 'claimed'), ('claimed', 'mending'), ('mending', 'review'))
            OR steward AND (held.state, to_in) IN (('found', 'assigned'), ('review', 'closed'), ('review', 'returned'))) THEN
        RAISE EXCEPTION 'finding % does not go from % to %', finding_in, held.state, to_in USING ERRCODE = 'DZ052';
    END IF;
    IF to_in IN ('review', 'closed', 'returned') AND length(btrim(note_in)) < 2 THEN
        RAISE EXCEPTION 'finding % wants a note', finding_in USING ERRCODE = 'DZ053';
    END IF;
    IF to_in = 'closed' AND held.mended_by = by_in THEN
        RAISE EXCEPTION '% mended finding %', by_in, finding_in USING ERRCODE = 'DZ054';
    END IF;
    entry := ledger.append('catalogue.finding', jsonb_build_object('finding', finding_in, 'rule', held.rule, 'about', held.about,
        'was', held.state, 'became', to_in, 'actor', by_in), NULL, NULL);
    UPDATE exchange.finding f SET state = to_in, changed_at = at_in, version = f.version + 1,
           closed_at = CASE WHEN to_in = 'closed' THEN at_in END,
           mended_by = CASE WHEN to_in = 'review' THEN by_in ELSE f.mended_by END
    WHERE f.id = finding_in;
    INSERT INTO exchange.finding_step (finding, at, by, was, became, note, entry)
    VALUES (finding_in, at_in, by_in, held.state, to_in, note_in, entry);
    RETURN to_in;
END $$;

GRANT SELECT ON exchange.finding, exchange.finding_step, exchange.audit_run TO dizuo_app;
REVOKE ALL ON FUNCTION exchange.enter_audit(timestamptz, text, text[], jsonb),
    exchange.move_finding(bigint, integer, text, text, boolean, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION exchange.enter_audit(timestamptz, text, text[], jsonb),
    exchange.move_finding(bigint, integer, text, text, boolean, text, timestamptz) TO dizuo_app;
