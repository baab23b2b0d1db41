-- latest --
-- The newest delivery of every source.
SELECT DISTINCT ON (source) * FROM lake.source_deliveries ORDER BY source, id DESC

-- published --
-- The last day that each source's published deliveries speak of.
SELECT source, max(period) AS period FROM lake.source_deliveries WHERE state = 'published' GROUP BY source

-- of_source --
-- A source's deliveries, newest first.
SELECT * FROM lake.source_deliveries WHERE source = $1 AND id < $2 ORDER BY id DESC LIMIT $3

-- one --
-- One delivery.
SELECT * FROM lake.source_deliveries WHERE id = $1

-- steps --
-- The stages that a delivery reached.
SELECT at, state FROM lake.source_step WHERE delivery = $1 ORDER BY at, state

-- kinds --
-- What was wrong in a delivery, in counts.
SELECT stage, col AS column, code, rows FROM lake.source_rejected_kind WHERE delivery = $1 ORDER BY rows DESC, stage, col, code

-- kinds_of --
-- What was wrong in several deliveries, in counts.
SELECT delivery, col AS column, code, sum(rows)::bigint AS rows FROM lake.source_rejected_kind WHERE delivery = ANY ($1::bigint[])
GROUP BY delivery, col, code ORDER BY sum(rows) DESC, col, code

-- quality --
-- How the declared rules held.
SELECT delivery, rule, dimension, checked, failed, at_least FROM lake.source_quality WHERE delivery = ANY ($1::bigint[])
ORDER BY delivery, dimension, rule

-- newest_checked --
-- Each source's newest delivery whose quality was measured.
SELECT d.source, max(d.id) AS id FROM lake.source_deliveries d JOIN lake.source_quality q ON q.delivery = d.id GROUP BY d.source
