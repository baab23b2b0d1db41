-- Statements of the actions. Every action locks the application first, so that actions on one case queue up.

-- lock_application --
-- The application by its number, locked until the transaction ends.
SELECT id, number, matter, applicant, applicant_name, acting_for, holder_name, channel, served_by, given, place, title, state,
       promised, submitted_at, ended_at, version
FROM cases.application WHERE number = $1 FOR UPDATE

-- application --
-- The application by its number.
SELECT id, number, matter, applicant, applicant_name, acting_for, holder_name, channel, served_by, given, place, title, state,
       promised, submitted_at, ended_at, version
FROM cases.application WHERE number = $1

-- number_of --
-- The number of an application by its id.
SELECT number FROM cases.application WHERE id = $1

-- items --
-- All items of an application in their order.
SELECT id, department, unit, state, before, waits, consents, steps_done, passed, exceptions, clock, received_at,
       started_at, due_promise, due_statute, paused, fix_asked_at, decided_at, ended_at, version
FROM cases.item WHERE application = $1 ORDER BY position

-- answers --
-- What the applicant answered.
SELECT question, value FROM cases.answer WHERE application = $1

-- receipt_by_token --
-- The application that a form token already made, of this account.
SELECT a.id, a.number, a.title, a.submitted_at, a.promised, a.account,
       (SELECT array_agg(i.id ORDER BY i.position) FROM cases.item i WHERE i.application = a.id) AS items
FROM cases.application a WHERE a.form_token = $1

-- next_number --
-- The next five digits of a day.
SELECT nextval('cases.number_of_day')

-- insert_application --
-- A new application, unless its form token made one already.
INSERT INTO cases.application (number, form_token, matter, matter_version, city_version, applicant, applicant_name,
    acting_for, account, channel, served_by, served_unit, given, place, title, state, promised, counts, plan_digest,
    submitted_at, holder_name)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'running', $16, $17, $18, $19, $20)
ON CONFLICT (form_token) DO NOTHING RETURNING id

-- claim --
-- Hold a record for this application, unless another one that runs holds it.
INSERT INTO cases.occasion (matter, party, key, application) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING application

-- claimed --
-- The application that holds a record.
SELECT a.number, a.applicant FROM cases.occasion o JOIN cases.application a ON a.id = o.application
WHERE (o.matter, o.party, o.key) = ($1, $2, $3)

-- release_claims --
-- An application that ended holds nothing any more.
DELETE FROM cases.occasion WHERE application = $1

-- insert_answers --
-- The applicant's answers.
INSERT INTO cases.answer (application, question, value)
SELECT $1, q, v FROM unnest($2::text[], $3::text[]) AS given (q, v)

-- insert_item --
-- One item of a new application.
INSERT INTO cases.item (application, id, position, department, unit, state, waits, consents, received_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- update_item --
-- Write an item back; the version guards against a reader who did not lock.
UPDATE cases.item SET state = $3, before = $4, waits = $5, consents = $6, steps_done = $7, passed = $8,
    exceptions = $9, clock = $10, started_at = $11, due_promise = $12, due_statute = $13, paused = $14,
    fix_asked_at = $15, decided_at = $16, ended_at = $17, unit = $18, received_at = $19, version = version + 1
WHERE application = $1 AND id = $2 AND version = $20 RETURNING version

-- update_application --
-- The state and promise derived from the items.
UPDATE cases.application SET state = $2, promised = $3, ended_at = $4, version = version + 1 WHERE id = $1

-- archive --
-- An application that ended is put away, once.
UPDATE cases.application SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL RETURNING id

-- next_seq --
-- The last number in the history of an application.
SELECT coalesce(max(seq), 0) FROM cases.event WHERE application = $1

-- insert_event --
-- One line of history.
INSERT INTO cases.event (application, seq, at, item, step, name, from_state, to_state, actor_kind, actor, actor_name,
    post, unit, reason, clock, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)

-- append_entry --
-- One entry in the ledger, in this transaction.
SELECT ledger.append($1, $2, $3, $4)

-- insert_task --
-- A piece of work and the places from which it is seen.
WITH made AS (
    INSERT INTO cases.task (kind, application, item, step, department, unit, power, due, detail, opened_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::timestamptz, 'infinity'), $9, $10) RETURNING id, power, due
), seen AS (
    INSERT INTO cases.queue (power, rail, scope, due, task)
    SELECT made.power, $11, s.scope, made.due, made.id FROM made, unnest($12::text[]) AS s (scope)
)
SELECT id FROM made

-- open_tasks --
-- The open work on an item.
SELECT id, kind, step, power, unit, state, detail FROM cases.task
WHERE application = $1 AND item = $2 AND state IN ('open', 'held') ORDER BY id

-- task --
-- One piece of work, locked.
SELECT id, kind, application, item, step, power, unit, department, state, due, detail FROM cases.task
WHERE id = $1 FOR UPDATE

-- end_task --
-- Work that is done, dropped or held leaves every queue.
WITH gone AS (DELETE FROM cases.queue WHERE task = $1)
UPDATE cases.task SET state = $2, done_at = $3, done_by = $4 WHERE id = $1

-- reopen_task --
-- Held or undone work comes back with its new due time.
WITH back AS (
    UPDATE cases.task SET state = 'open', due = coalesce($2::timestamptz, 'infinity'), done_at = NULL, done_by = NULL
    WHERE id = $1 RETURNING id, power, due
)
INSERT INTO cases.queue (power, rail, scope, due, task)
SELECT back.power, $3, s.scope, back.due, back.id FROM back, unnest($4::text[]) AS s (scope)
ON CONFLICT DO NOTHING

-- supervise --
-- Work that is past its promise is shown to supervisors as well.
INSERT INTO cases.queue (power, rail, scope, due, task)
SELECT 'cases.supervise', 'supervised', s.scope, t.due, t.id
FROM cases.task t, unnest($2::text[]) AS s (scope) WHERE t.id = $1 AND t.state = 'open'
ON CONFLICT DO NOTHING

-- mark_task --
-- A note on a piece of work for whoever does it: 督办, or that its time is nearly over.
UPDATE cases.task SET detail = detail || $2::jsonb WHERE id = $1 AND state IN ('open', 'held')

-- handled --
-- An official worked on an item.
INSERT INTO cases.handled (official, application, item, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (official, application, item) DO UPDATE SET at = excluded.at

-- insert_decision --
-- A decision, unless one stands already on this step.
INSERT INTO cases.decision (application, item, step, verdict, reason, law, remedy, choices, official, official_name,
    post, unit, at, final_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (application, item, step) WHERE undone_at IS NULL DO NOTHING RETURNING id

-- standing_decision --
-- The last decision on an item that was not undone.
SELECT id, step, verdict, reason, law, remedy, official, official_name, at, final_at, effective_at
FROM cases.decision WHERE application = $1 AND item = $2 AND undone_at IS NULL ORDER BY id DESC LIMIT 1

-- decision --
-- One decision, locked, with the number of its application.
SELECT d.id, d.application, a.number, d.item, d.step, d.verdict, d.reason, d.law, d.remedy, d.choices, d.official, d.official_name,
       d.post, d.unit, d.at, d.final_at, d.undone_at, d.effective_at
FROM cases.decision d JOIN cases.application a ON a.id = d.application WHERE d.id = $1 FOR UPDATE OF d

-- undo_decision --
-- The decision does not stand any more.
UPDATE cases.decision SET undone_at = $2 WHERE id = $1

-- effect_decision --
-- The decision has taken effect.
UPDATE cases.decision SET effective_at = $2 WHERE id = $1

-- insert_consent --
-- Another party is asked.
INSERT INTO cases.consent (application, id, party, subject, items, asks, law, state, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9)

-- consents --
-- All consents of an application.
SELECT id, party, subject, items, asks, law, state, asked_at, expires_at, answered_at, round
FROM cases.consent WHERE application = $1 ORDER BY id, party

-- answer_consent --
-- A consent was given, refused, expired or dropped.
UPDATE cases.consent SET state = $4, answered_at = $5 WHERE application = $1 AND id = $2 AND party = $3

-- renew_consent --
-- The applicant asks once more.
UPDATE cases.consent SET state = 'pending', asked_at = $4, expires_at = $5, answered_at = NULL, round = round + 1
WHERE application = $1 AND id = $2 AND party = $3

-- insert_fix --
-- One request for everything that is missing.
INSERT INTO cases.fix (application, item, wants, reason, asked_by, asked_at, until) VALUES ($1, $2, $3, $4, $5, $6, $7)

-- answer_fix --
-- The applicant's answer.
UPDATE cases.fix SET answer = $3, answered_at = $4 WHERE application = $1 AND item = $2

-- fix --
-- The request of an item.
SELECT wants, reason, asked_by, asked_at, until, answer, answered_at, served FROM cases.fix
WHERE application = $1 AND item = $2

-- insert_special --
-- A special procedure starts.
INSERT INTO cases.special (application, item, kind, reason, needs, started_by, started_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- end_special --
-- It ends with a result.
UPDATE cases.special SET result = $3, ended_at = $4 WHERE application = $1 AND item = $2 AND ended_at IS NULL

-- insert_document --
-- A result document, once for each item.
INSERT INTO cases.document (number, application, item, kind, licence_type, name, issuer, issuer_name, holder,
    holder_name, fields, trust_level, sha256, check_code, issued_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (application, item, kind) DO NOTHING

-- insert_notice --
-- A message to a person.
INSERT INTO cases.notice (subject, application, item, kind, says, at) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id

-- insert_rating --
-- One rating for a finished application.
INSERT INTO cases.rating (application, level, says, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (application) DO NOTHING RETURNING application

-- insert_draft --
-- A form put aside.
INSERT INTO cases.draft (account, subject, acting_for, matter, answers, given, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id, version, updated_at

-- update_draft --
-- A form put aside again, if nobody did so meanwhile.
UPDATE cases.draft SET answers = $4, given = $5, updated_at = $6, version = version + 1
WHERE id = $1 AND subject = $2 AND version = $3 RETURNING id, version, updated_at

-- draft --
-- One draft of a person.
SELECT id, matter, answers, given, acting_for, version, updated_at FROM cases.draft WHERE id = $1 AND subject = $2

-- delete_draft --
-- A draft that was submitted or thrown away.
DELETE FROM cases.draft WHERE id = $1 AND subject = $2

-- insert_correction --
-- A reported error, unless its form token made one already.
INSERT INTO cases.correction (number, form_token, subject, reporter, register, key, field, says, wants, source, unit,
    application, clock, due, opened_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (form_token) DO NOTHING RETURNING id

-- correction_by_token --
-- The correction that a form token already made.
SELECT number FROM cases.correction WHERE form_token = $1 AND subject = $2

-- lock_correction --
-- One correction, locked.
SELECT id, number, subject, reporter, register, key, field, says, wants, source, unit, application, state, reason, due,
       opened_at, ended_at
FROM cases.correction WHERE number = $1 FOR UPDATE

-- end_correction --
-- The source department's answer.
UPDATE cases.correction SET state = $2, reason = $3, official = $4, ended_at = $5 WHERE id = $1

-- task_of_correction --
-- The open task of a correction.
SELECT id FROM cases.task WHERE kind = 'correction' AND detail ->> 'correction' = $1 AND state = 'open'

-- change_answer --
-- An answer that the applicant changed when asked to (补正).
INSERT INTO cases.answer (application, question, value) VALUES ($1, $2, $3)
ON CONFLICT (application, question) DO UPDATE SET value = excluded.value

-- last_event --
-- When an item last changed, and by whom.
SELECT at, actor_name, name FROM cases.event WHERE application = $1 AND item = $2 ORDER BY seq DESC LIMIT 1

-- tasks_of_step --
-- The work of one step, whatever its state.
SELECT id, unit FROM cases.task WHERE application = $1 AND item = $2 AND step = $3 AND kind = 'judge'
