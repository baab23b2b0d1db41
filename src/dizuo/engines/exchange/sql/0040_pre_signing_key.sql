-- Keys with which departments' systems sign their calls, and what keeps a call from being made twice.

-- Several keys of one department may hold at once, so that a new one is in use before the old one ends.
CREATE TABLE exchange.signing_key (
    id           text COLLATE "C" PRIMARY KEY CHECK (id ~ '^[a-z0-9_.-]{1,100}$'),
    consumer     text COLLATE "C" NOT NULL REFERENCES exchange.department (id),
    algorithm    text COLLATE "C" NOT NULL CHECK (algorithm IN ('ed25519', 'sm2-sm3')),
    public       bytea NOT NULL UNIQUE CHECK (length(public) = CASE algorithm WHEN 'ed25519' THEN 32 ELSE 64 END),
    valid_from   timestamptz NOT NULL,
    valid_until  timestamptz NOT NULL CHECK (valid_until > valid_from),
    made_by      text NOT NULL CHECK (made_by <> ''),
    made_at      timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    revoked_by   text NOT NULL DEFAULT '',
    revoked_why  text NOT NULL DEFAULT ''
);
COMMENT ON TABLE exchange.signing_key IS '部门系统的签名公钥: public keys only';
CREATE INDEX signing_key_consumer ON exchange.signing_key (consumer);

-- A nonce is used once per key until its signature has expired. Logged, not unlogged: a crash must not make old calls new.
-- `call` tells our own second try, after the database went away in the middle, from somebody else's.
CREATE TABLE exchange.nonce (
    key    text COLLATE "C" NOT NULL,
    nonce  text COLLATE "C" NOT NULL CHECK (length(nonce) <= 64),
    call   uuid NOT NULL,
    until  bigint NOT NULL,
    PRIMARY KEY (key, nonce)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX nonce_until ON exchange.nonce (until);

-- The last number of callers to whom order matters.
CREATE TABLE exchange.sequence (
    key   text COLLATE "C" PRIMARY KEY,
    last  bigint NOT NULL,
    call  uuid NOT NULL
) WITH (fillfactor = 50);

-- How many subjects were asked for under a right on a day.
CREATE TABLE exchange.grant_use (
    -- No foreign key: its check would wait for whoever revokes the right, who waits for the call (grants are never deleted).
    grant_id  bigint NOT NULL,
    day       date NOT NULL,
    used      bigint NOT NULL,
    calls     bigint NOT NULL,
    last_at   timestamptz NOT NULL,
    PRIMARY KEY (grant_id, day)
) WITH (fillfactor = 30);
COMMENT ON TABLE exchange.grant_use IS '用量: subjects and calls per right and day';

-- A call holds this lock shared from its look at the right to the commit of its entry; whoever changes the right waits for those
-- calls, and every later call sees the change. A lock by number and not on the row: rows let new readers overtake a waiting writer.
CREATE FUNCTION exchange.grant_gate(id bigint) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN (id % 2147483647)::integer;
CREATE FUNCTION exchange.wait_for_calls() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7040, exchange.grant_gate(NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER wait_for_calls AFTER UPDATE ON exchange.data_grant FOR EACH ROW EXECUTE FUNCTION exchange.wait_for_calls();

-- add_key: register a department's public key, with its entry. `days` from `since`. Gives its keyid, department and number.
-- DZ040 no such department, DZ041 this very key is registered already.
CREATE FUNCTION exchange.add_key(consumer_in text, algorithm_in text, public_in bytea, since timestamptz, until timestamptz, by_in text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    made text;
BEGIN
    PERFORM 1 FROM exchange.department d WHERE d.id = consumer_in AND d.retired_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no department %', consumer_in USING ERRCODE = 'DZ040';
    END IF;
    IF EXISTS (SELECT FROM exchange.signing_key k WHERE k.public = public_in) THEN
        RAISE EXCEPTION 'this key is registered' USING ERRCODE = 'DZ041';
    END IF;
    made := consumer_in || '.' || (SELECT count(*) + 1 FROM exchange.signing_key k WHERE k.consumer = consumer_in);
    INSERT INTO exchange.signing_key (id, consumer, algorithm, public, valid_from, valid_until, made_by)
    VALUES (made, consumer_in, algorithm_in, public_in, since, until, by_in);
    PERFORM ledger.append('exchange.key_added', jsonb_build_object('key', made, 'consumer', consumer_in, 'algorithm', algorithm_in,
        'public', encode(sha256(public_in), 'hex'), 'from', since, 'until', until, 'by', by_in), NULL, NULL);
    RETURN made;
END $$;

-- revoke_key: stop a key for good, with its entry. DZ042 no such key in use.
CREATE FUNCTION exchange.revoke_key(key_in text, by_in text, why_in text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of text;
BEGIN
    UPDATE exchange.signing_key k SET revoked_at = clock_timestamp(), revoked_by = by_in, revoked_why = why_in
    WHERE k.id = key_in AND k.revoked_at IS NULL RETURNING k.consumer INTO of;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no key % in use', key_in USING ERRCODE = 'DZ042';
    END IF;
    PERFORM ledger.append('exchange.key_revoked', jsonb_build_object('key', key_in, 'consumer', of, 'by', by_in, 'why', why_in), NULL, NULL);
    RETURN of;
END $$;

REVOKE ALL ON exchange.signing_key, exchange.nonce, exchange.sequence, exchange.grant_use FROM PUBLIC;
REVOKE ALL ON FUNCTION exchange.grant_gate(bigint), exchange.wait_for_calls(), exchange.revoke_key(text, text, text),
    exchange.add_key(text, text, bytea, timestamptz, timestamptz, text) FROM PUBLIC;
-- Keys are public and are read to verify; who may serve cannot make one.
GRANT USAGE ON SCHEMA exchange TO dizuo_loader;
GRANT SELECT ON exchange.signing_key TO dizuo_app, dizuo_loader;
GRANT SELECT ON exchange.grant_use TO dizuo_app;
GRANT EXECUTE ON FUNCTION exchange.revoke_key(text, text, text), exchange.add_key(text, text, bytea, timestamptz, timestamptz, text)
    TO dizuo_loader;
