-- by_source --
-- Corrections of each source department: open, past their clock, ended since a day, of these in time and confirmed.
SELECT source,
       count(*) FILTER (WHERE state = 'open') AS open,
       count(*) FILTER (WHERE state = 'open' AND due < $1) AS over,
       count(*) FILTER (WHERE ended_at >= $2) AS ended,
       count(*) FILTER (WHERE ended_at >= $2 AND (due IS NULL OR ended_at <= due)) AS in_time,
       count(*) FILTER (WHERE ended_at >= $2 AND state = 'confirmed') AS confirmed
FROM cases.correction WHERE state = 'open' OR ended_at >= $2 GROUP BY source
