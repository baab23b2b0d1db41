-- How good each delivery of a source was: one row a declared rule, in counts; and what pages may say of a delivery.

CREATE TABLE lake.source_quality (
    delivery   bigint NOT NULL REFERENCES lake.source_delivery (id) ON DELETE CASCADE,
    rule       text COLLATE "C" NOT NULL,
    dimension  text COLLATE "C" NOT NULL CHECK (dimension IN
        ('normativity', 'completeness', 'accuracy', 'consistency', 'timeliness', 'accessibility')),
    checked    bigint NOT NULL CHECK (checked >= 0),
    failed     bigint NOT NULL CHECK (failed BETWEEN 0 AND checked),
    at_least   double precision NOT NULL CHECK (at_least BETWEEN 0 AND 1),
    PRIMARY KEY (delivery, rule)
);

-- Published: each delivery with its stage and its counts. Nothing personal.
CREATE VIEW lake.source_deliveries AS
SELECT id, source, name, format, mode, period, state, coalesce(why_code, '') AS why_code, coalesce(why_says, '') AS why_says,
       bytes, seen, rows_in, rows_read, rows_published, rows_merged, rows_held, rows_rejected, landed_at, changed_at
FROM lake.source_delivery;

REVOKE ALL ON lake.source_quality, lake.source_deliveries FROM PUBLIC;
GRANT SELECT ON lake.source_quality, lake.source_deliveries TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON lake.source_quality TO dizuo_loader;
