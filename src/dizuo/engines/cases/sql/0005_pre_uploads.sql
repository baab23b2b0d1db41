-- 补正 with files, and 补正 at a window.
-- Who did it for the applicant at a window, and which proof of identity was seen; null when the applicant did it alone.
ALTER TABLE cases.fix ADD COLUMN served jsonb;

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

GRANT SELECT, INSERT, DELETE ON cases.content, cases.upload TO dizuo_app;
GRANT UPDATE (sent_at) ON cases.upload TO dizuo_app;
