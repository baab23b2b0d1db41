-- 差评回访: a bad rating is verified, mended, and asked about again; who did what is only ever added to.
ALTER TABLE cases.task DROP CONSTRAINT task_kind_check;
ALTER TABLE cases.task ADD CONSTRAINT task_kind_check
    CHECK (kind IN ('accept', 'judge', 'extension', 'referral', 'correction', 'deliver', 'rating'));

CREATE OR REPLACE FUNCTION cases.history_stands() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'the history of cases is only added to (% on cases.%)', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

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
CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE OR TRUNCATE ON cases.follow_up_step
    FOR EACH STATEMENT EXECUTE FUNCTION cases.history_stands();

GRANT SELECT, INSERT, UPDATE ON cases.follow_up TO dizuo_app;
GRANT SELECT, INSERT ON cases.follow_up_step TO dizuo_app;
