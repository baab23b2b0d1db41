-- Statements about bad ratings (差评) and what becomes of them.

-- open --
-- A bad rating is to be verified.
INSERT INTO cases.follow_up (application, number, state, unit, task, contact, mend, due, opened_at)
VALUES ($1, $2, 'to_verify', $3, $4, $5, $6, $7, $8)

-- lock --
-- One bad rating, locked.
SELECT f.application, f.number, f.state, f.finding, f.outcome, f.department, f.found_by, f.unit, f.task, f.contact, f.mend,
       f.due, f.opened_at, f.closed_at, f.version, f.mend_number, f.mend_task, r.level, r.says, r.at
FROM cases.follow_up f JOIN cases.rating r ON r.application = f.application WHERE f.number = $1 FOR UPDATE OF f

-- of_case --
-- What became of the rating of an application.
SELECT f.state, f.finding, f.outcome, f.department, f.contact, f.mend, f.due, f.opened_at, f.closed_at
FROM cases.follow_up f WHERE f.application = $1

-- move --
-- The next state, with what was found, how it ended and by when it goes on.
UPDATE cases.follow_up SET state = $2, finding = $3, outcome = $4, department = $5, found_by = $6, mend = $7, due = $8,
    closed_at = $9, version = version + 1 WHERE application = $1

-- set_mending --
-- The department's work on what was rated bad, or that it is over (its number stays).
UPDATE cases.follow_up SET mend_number = coalesce($2, mend_number), mend_task = $3 WHERE application = $1

-- case_of_mending --
-- The case behind a department's work on what was rated bad.
SELECT number FROM cases.follow_up WHERE mend_number = $1

-- add_step --
-- Who did what; only ever added to.
INSERT INTO cases.follow_up_step (application, seq, at, act, choice, from_state, to_state, says, official, official_name, post,
    department)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM cases.follow_up_step WHERE application = $1

-- steps --
-- Everything that was done about a rating, oldest first.
SELECT at, act, choice, from_state, to_state, says, official, official_name, post, department FROM cases.follow_up_step
WHERE application = $1 ORDER BY seq

-- worked_on --
-- Whether an official worked on the application that was rated.
SELECT EXISTS (SELECT 1 FROM cases.handled WHERE official = $1 AND application = $2)

-- is_here --
-- Whether an application was rated badly within these places.
SELECT EXISTS (SELECT 1 FROM cases.follow_up f JOIN unnest($2::text[]) AS p (place) ON starts_with(f.unit, p.place)
WHERE f.number = $1)

-- list_open --
-- What is not at its end within these places ('' is the whole city), first what is due first.
SELECT f.number, f.state, f.finding, f.outcome, f.unit, f.due, f.opened_at, f.closed_at, r.level, a.matter
FROM cases.follow_up f JOIN cases.rating r ON r.application = f.application JOIN cases.application a ON a.id = f.application
WHERE f.closed_at IS NULL AND EXISTS (SELECT 1 FROM unnest($1::text[]) AS p (place) WHERE starts_with(f.unit, p.place))
ORDER BY f.due, f.number LIMIT $2

-- list_closed --
-- What came to its end, latest first.
SELECT f.number, f.state, f.finding, f.outcome, f.unit, f.due, f.opened_at, f.closed_at, r.level, a.matter
FROM cases.follow_up f JOIN cases.rating r ON r.application = f.application JOIN cases.application a ON a.id = f.application
WHERE f.closed_at IS NOT NULL AND EXISTS (SELECT 1 FROM unnest($1::text[]) AS p (place) WHERE starts_with(f.unit, p.place))
ORDER BY f.closed_at DESC LIMIT $2
