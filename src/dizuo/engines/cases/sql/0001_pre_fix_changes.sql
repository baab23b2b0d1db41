-- 补正 with changed answers: what was answered before and after, for which item, with the salt of its commitments.
-- ``keeps`` are the items that were decided on the old answer and stay with it.
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
GRANT SELECT, INSERT ON cases.fix_change TO dizuo_app;
-- An answer that nobody is asked for any more after a correction is taken away; what it was stands in fix_change.
GRANT DELETE ON cases.answer TO dizuo_app;
