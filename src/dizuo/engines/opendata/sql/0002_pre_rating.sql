-- Marks that people give a dataset (评分): one a person, the last counts.

CREATE TABLE opendata.rating (
    dataset text COLLATE "C" NOT NULL REFERENCES opendata.dataset (id),
    -- The identity of whoever marks; never shown.
    subject bigint NOT NULL,
    mark    smallint NOT NULL CHECK (mark BETWEEN 1 AND 5),
    at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (dataset, subject)
);
REVOKE ALL ON opendata.rating FROM PUBLIC;
GRANT SELECT (dataset, mark, at) ON opendata.rating TO dizuo_app;

CREATE FUNCTION opendata.rate(dataset_in text, subject_in bigint, mark_in smallint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO opendata.rating AS r (dataset, subject, mark) VALUES ($1, $2, $3)
    ON CONFLICT (dataset, subject) DO UPDATE SET mark = excluded.mark, at = now();
END;
REVOKE ALL ON FUNCTION opendata.rate(text, bigint, smallint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.rate(text, bigint, smallint) TO dizuo_app;
