-- Statements about how items ended.

-- states_of --
-- The states of all items of these applications, as far as they are this person's or the enterprise's acted for.
SELECT a.number, i.state FROM cases.application a JOIN cases.item i ON i.application = a.id
WHERE a.number = ANY ($3::text[])
  AND (CASE WHEN $2::bigint IS NULL THEN (a.applicant = $1 AND a.acting_for IS NULL) OR a.acting_for = $1
       ELSE a.acting_for = $2 END)
