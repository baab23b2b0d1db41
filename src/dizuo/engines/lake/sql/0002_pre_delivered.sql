-- What anybody may know of the deliveries: from whom, when, how many rows were taken and how many were not, and why.
-- Column and kind of fault are counted as they are found; the rejected rows themselves stay the loader's.

CREATE TABLE lake.rejected_kind (
    delivery  bigint NOT NULL REFERENCES lake.delivery (id) ON DELETE CASCADE,
    field     text NOT NULL,
    code      text COLLATE "C" NOT NULL,
    rows      bigint NOT NULL CHECK (rows > 0),
    PRIMARY KEY (delivery, field, code)
);
INSERT INTO lake.rejected_kind (delivery, field, code, rows)
SELECT delivery, field, code, count(*) FROM lake.rejected GROUP BY delivery, field, code;

-- Published: each delivery with its state and counts; `rows` are those read so far.
CREATE VIEW lake.delivered AS
SELECT id AS delivery, department, register, period_from, period_to, state, refused_code,
       accepted + rejected AS rows, accepted, rejected, added, changed, landed_at, finished_at
FROM lake.delivery;

-- Published: which column failed which check in how many rows.
CREATE VIEW lake.rejected_kinds AS SELECT delivery, field, code, rows FROM lake.rejected_kind;

REVOKE ALL ON lake.rejected_kind, lake.delivered, lake.rejected_kinds FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE ON lake.rejected_kind TO dizuo_loader;
GRANT USAGE ON SCHEMA lake TO dizuo_app;
GRANT SELECT ON lake.delivered, lake.rejected_kinds TO dizuo_app;
