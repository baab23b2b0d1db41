-- keep_quality --
-- How each declared rule held in a delivery; a stage that is repeated measures again.
INSERT INTO lake.source_quality AS q (delivery, rule, dimension, checked, failed, at_least)
SELECT $1, rule, dimension, checked, failed, at_least
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::double precision[]) AS g(rule, dimension, checked, failed, at_least)
ON CONFLICT (delivery, rule) DO UPDATE SET
    dimension = excluded.dimension, checked = excluded.checked, failed = excluded.failed, at_least = excluded.at_least
