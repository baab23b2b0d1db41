-- What the operations page and the data door count. Every figure is computed from cases; nothing is reported by hand.

-- work --
-- Per department and district: what is open, due within a day, over time; and what ended in the last days, in time or not.
SELECT department, left(unit, 6) AS district,
       count(*) FILTER (WHERE open) AS open,
       count(*) FILTER (WHERE open AND due_promise >= $1 AND due_promise < $1 + interval '1 day') AS soon,
       count(*) FILTER (WHERE open AND due_promise < $1) AS over,
       count(*) FILTER (WHERE counted) AS ended,
       count(*) FILTER (WHERE counted AND (due_promise IS NULL OR ended_at <= due_promise)) AS in_time,
       count(*) FILTER (WHERE counted AND decided_at IS NULL) AS by_system
FROM (SELECT department, unit, due_promise, ended_at, decided_at, state = ANY ($3::text[]) AS open, false AS counted
      FROM cases.item WHERE ended_at IS NULL
      UNION ALL
      SELECT department, unit, due_promise, ended_at, decided_at, false, state = ANY ($4::text[])
      FROM cases.item WHERE ended_at >= $2) AS lately
GROUP BY 1, 2

-- running --
-- Applications that are not finished, and of these the ones past the promised time.
SELECT count(*) AS running, count(*) FILTER (WHERE promised < $1) AS over FROM cases.application WHERE ended_at IS NULL

-- hours --
-- Applications submitted per hour, since a moment; day and hour on the city's clock.
SELECT (submitted_at AT TIME ZONE $2)::date AS day, extract(hour FROM submitted_at AT TIME ZONE $2)::int AS hour, count(*) AS n
FROM cases.application WHERE submitted_at >= $1 GROUP BY 1, 2

-- urgent --
-- The open work that is due first: what, where, until when; no name and no title, which belong to the case.
SELECT t.id, t.kind, t.department, t.unit, t.item, t.due, t.opened_at, a.number, a.matter, i.state, i.paused
FROM cases.task t JOIN cases.application a ON a.id = t.application
JOIN cases.item i ON i.application = t.application AND i.id = t.item
WHERE t.state = 'open' AND t.due < 'infinity' ORDER BY t.due, t.id LIMIT $1

-- ratings --
-- What people said after their case ended (好差评), five levels; what was found mistaken or malicious does not count.
SELECT count(*) AS n, count(*) FILTER (WHERE r.level >= 3) AS satisfied
FROM cases.rating r LEFT JOIN cases.follow_up f ON f.application = r.application
WHERE r.at >= $1 AND (f.finding IS NULL OR f.finding NOT IN ('mistaken', 'malicious'))

-- asked --
-- What the form of each matter asked and what it knew, over the applications since a moment.
SELECT matter, count(*) AS n, coalesce(avg((counts ->> 'asked')::numeric), 0)::float8 AS asked,
       coalesce(avg((counts ->> 'known')::numeric), 0)::float8 AS known
FROM cases.application WHERE submitted_at >= $1 GROUP BY 1
