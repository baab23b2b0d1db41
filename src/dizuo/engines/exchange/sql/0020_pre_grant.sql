-- A right of one department to use some fields of one resource for one purpose, until a day (共享授权).

-- Who may be given a right: the declared organisations, and nobody else. A third party is therefore never a consumer.
-- Filled from the declarations by their publication; one that is no longer declared is retired, not deleted.
CREATE TABLE exchange.department (
    id          text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    uscc        text COLLATE "C" NOT NULL,
    retired_at  timestamptz
);
COMMENT ON TABLE exchange.department IS '可以用数的部门: the organisations that the city declares';

CREATE TABLE exchange.data_grant (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer    text COLLATE "C" NOT NULL REFERENCES exchange.department (id),
    resource    text COLLATE "C" NOT NULL REFERENCES exchange.resource (code),
    fields      text[] NOT NULL CHECK (cardinality(fields) > 0),
    -- What for, in one sentence that a citizen reads; the matter (事项) or '' for other duties; law:article.
    purpose     text NOT NULL CHECK (purpose <> ''),
    matter      text COLLATE "C" NOT NULL DEFAULT '',
    basis       text COLLATE "C" NOT NULL CHECK (basis <> ''),
    methods     text[] NOT NULL CHECK (cardinality(methods) > 0 AND methods <@ ARRAY['query', 'batch', 'subscribe', 'bulk']),
    per_day     integer NOT NULL CHECK (per_day > 0),
    starts      date NOT NULL,
    expires     date NOT NULL CHECK (expires >= starts),
    state       text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'suspended', 'expired', 'revoked', 'ended')),
    ended_why   text NOT NULL DEFAULT '',
    -- Changes whenever the right changes: a cache that holds an older one is stale.
    version     integer NOT NULL DEFAULT 1,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    -- Whom and where the use reaches, in words; how fresh; the request that it came from, NULL for one carried over.
    scope       text NOT NULL DEFAULT '',
    frequency   text COLLATE "C" NOT NULL DEFAULT 'realtime' CHECK (frequency IN ('realtime', 'daily', 'weekly', 'monthly', 'once')),
    request     bigint UNIQUE,
    opened_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX data_grant_consumer ON exchange.data_grant (consumer, resource);
CREATE INDEX data_grant_running ON exchange.data_grant (expires) WHERE state IN ('open', 'suspended');
COMMENT ON TABLE exchange.data_grant IS '共享授权: one right, never widened; a change of state raises its version';

-- What holds for a right whoever writes it. DZ060 altered, DZ061 ended already, DZ062 resource not offered, DZ063 fields beyond
-- the resource, DZ064 not shared and no dispute settled, DZ065 department retired.
CREATE FUNCTION exchange.grant_rules() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    offered exchange.resource;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.consumer, NEW.resource, NEW.fields, NEW.purpose, NEW.matter, NEW.basis, NEW.methods, NEW.starts, NEW.expires,
            NEW.scope, NEW.frequency, NEW.request, NEW.opened_at)
           IS DISTINCT FROM
           (OLD.id, OLD.consumer, OLD.resource, OLD.fields, OLD.purpose, OLD.matter, OLD.basis, OLD.methods, OLD.starts, OLD.expires,
            OLD.scope, OLD.frequency, OLD.request, OLD.opened_at) THEN
            RAISE EXCEPTION 'grant % may only change its state and its daily limit', OLD.id USING ERRCODE = 'DZ060',
                HINT = 'A wider or longer right is a new one, asked for anew.';
        END IF;
        IF OLD.state IN ('expired', 'revoked', 'ended') THEN
            RAISE EXCEPTION 'grant % is %', OLD.id, OLD.state USING ERRCODE = 'DZ061';
        END IF;
        NEW.version := OLD.version + 1;
        NEW.changed_at := now();
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM exchange.department d WHERE d.id = NEW.consumer AND d.retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'department % is retired', NEW.consumer USING ERRCODE = 'DZ065';
    END IF;
    -- The catalogue waits while a right is made from it.
    SELECT * INTO offered FROM exchange.resource r WHERE r.code = NEW.resource FOR SHARE;
    IF NOT FOUND OR offered.state NOT IN ('published', 'changing') THEN
        RAISE EXCEPTION 'resource % is not offered', NEW.resource USING ERRCODE = 'DZ062';
    END IF;
    IF NOT NEW.fields <@ exchange.fields_of(offered.fields) THEN
        RAISE EXCEPTION 'fields beyond resource %', NEW.resource USING ERRCODE = 'DZ063';
    END IF;
    IF offered.share_type = 3 AND NOT EXISTS (
        SELECT FROM exchange.share_request q WHERE q.id = NEW.request AND q.settled_at IS NOT NULL) THEN
        RAISE EXCEPTION 'resource % is not shared', NEW.resource USING ERRCODE = 'DZ064',
            HINT = 'Only a request whose dispute was settled opens it.';
    END IF;
    NEW.version := 1;
    RETURN NEW;
END $$;

-- The ids of a resource's fields.
CREATE FUNCTION exchange.fields_of(fields jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(array_agg(one ->> 'id'), '{}') FROM jsonb_array_elements(fields) AS one;
END;

CREATE TRIGGER rules BEFORE INSERT OR UPDATE ON exchange.data_grant FOR EACH ROW EXECUTE FUNCTION exchange.grant_rules();

-- Open a right that was agreed outside a request (for example one carried over from paper), with its entry in the ledger.
-- actor: {account, unit, post}. Returns its id. DZ062 … DZ065 as above.
CREATE FUNCTION exchange.open_grant(granted jsonb, actor jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made exchange.data_grant;
BEGIN
    INSERT INTO exchange.data_grant (consumer, resource, fields, purpose, matter, basis, methods, per_day, starts, expires,
                                     scope, frequency, request)
    SELECT g.consumer, g.resource, g.fields, g.purpose, coalesce(g.matter, ''), g.basis, g.methods, g.per_day, g.starts, g.expires,
           coalesce(g.scope, ''), coalesce(g.frequency, 'realtime'), NULL
    FROM jsonb_to_record(granted) AS g (consumer text, resource text, fields text[], purpose text, matter text, basis text,
                                        methods text[], per_day integer, starts date, expires date, scope text, frequency text)
    RETURNING * INTO made;
    PERFORM exchange.enter_grant(made, 'grant.open', made.basis, '', actor);
    RETURN made.id;
END $$;

-- The ledger's entry of what happened to a right. Words may name somebody: they are bound by the commitment, not shown.
CREATE FUNCTION exchange.enter_grant(about exchange.data_grant, kind text, law text, why text, actor jsonb) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ledger.append(kind, jsonb_strip_nulls(jsonb_build_object(
        'grant', (about).id, 'version', (about).version, 'consumer', (about).consumer, 'resource', (about).resource,
        'fields', to_jsonb((about).fields), 'matter', nullif((about).matter, ''), 'law', nullif(law, ''),
        'actor', actor ->> 'account', 'unit', actor ->> 'unit', 'post', actor ->> 'post',
        'expires', (about).expires, 'request', (about).request)), NULL,
        CASE WHEN why = '' THEN NULL ELSE jsonb_build_object('why', why) END);
END;

REVOKE ALL ON exchange.department, exchange.data_grant FROM PUBLIC;
REVOKE ALL ON FUNCTION exchange.grant_rules(), exchange.fields_of(jsonb), exchange.open_grant(jsonb, jsonb),
    exchange.enter_grant(exchange.data_grant, text, text, text, jsonb) FROM PUBLIC;
-- Everybody who serves may read rights; only functions make and change them.
GRANT SELECT ON exchange.department, exchange.data_grant TO dizuo_app;
GRANT EXECUTE ON FUNCTION exchange.fields_of(jsonb), exchange.open_grant(jsonb, jsonb) TO dizuo_app;
