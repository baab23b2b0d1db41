-- Whether two records were ever put before people, decided or not: asked for every doubtful pair of a run.
CREATE INDEX identity_pair_records ON lake.identity_pair (entity, left_record, right_record);
