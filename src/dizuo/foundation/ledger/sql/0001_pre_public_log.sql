-- The ledger as a public log: cosignatures of witnesses, time stamps, and the entries that tiles speak of.

-- What witnesses and time-stamp authorities said about a checkpoint; kept beside it, because the checkpoint is signed first.
CREATE TABLE ledger.cosignature (
    size    bigint NOT NULL,
    witness text   NOT NULL,
    -- The note's signature line (C2SP cosignature/v1).
    line    text   NOT NULL CHECK (line LIKE '— %' AND position(E'\n' IN line) = 0),
    at      timestamptz NOT NULL,
    PRIMARY KEY (size, witness)
);
COMMENT ON TABLE ledger.cosignature IS 'What independent witnesses signed under a checkpoint';

CREATE TABLE ledger.stamp (
    size      bigint NOT NULL,
    authority text   NOT NULL,
    -- TimeStampToken of RFC 3161 over the checkpoint's text.
    token     bytea  NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (size, authority)
);
COMMENT ON TABLE ledger.stamp IS 'Time stamps of a checkpoint (RFC 3161)';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.cosignature
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.stamp
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_change();

-- What the leaves of a range cover, for the public log: sealed entries only, at most one bundle of 256.
CREATE FUNCTION ledger.bundle(low bigint, high bigint)
RETURNS TABLE (seq bigint, id bigint, at timestamptz, kind text, body text, commitment bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT l.seq, e.id, e.at, e.kind, e.body::text, e.commitment
    FROM ledger.leaf l JOIN ledger.entry e ON e.id = l.entry
    WHERE l.seq >= $1 AND l.seq < least($2, $1 + 256) ORDER BY l.seq;
END;

REVOKE ALL ON ledger.cosignature, ledger.stamp FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.bundle(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.bundle(bigint, bigint) TO dizuo_app;
GRANT SELECT ON ledger.cosignature, ledger.stamp TO dizuo_app;
GRANT SELECT, INSERT ON ledger.cosignature, ledger.stamp TO dizuo_sealer;
