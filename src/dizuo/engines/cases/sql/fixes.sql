-- Statements of the 补正 with changed answers.

-- changes_of --
-- What was changed in an application by 补正, oldest first.
SELECT item, question, was, now, keeps, at FROM cases.fix_change WHERE application = $1 ORDER BY at, item, question

-- waiting_for --
-- What a person is asked to supply and still can: an item that was given up, ran out or was withdrawn asks nothing.
SELECT a.number, a.title, a.matter, f.item, f.wants, f.reason, f.until FROM cases.application a
JOIN cases.fix f ON f.application = a.id
JOIN cases.item i ON i.application = f.application AND i.id = f.item AND i.state = 'fix_awaited'
WHERE (CASE WHEN $2::bigint IS NULL THEN (a.applicant = $1 AND a.acting_for IS NULL) OR a.acting_for = $1
       ELSE a.acting_for = $2 END) AND a.ended_at IS NULL ORDER BY f.until

-- kept_by --
-- The answers that a decided item stays with although they were changed since: the first change is the one that it missed.
SELECT DISTINCT ON (question) question, was FROM cases.fix_change
WHERE application = $1 AND $2 = ANY (keeps) ORDER BY question, at

-- insert_change --
-- One answer before and after.
INSERT INTO cases.fix_change (application, item, question, was, now, salt, keeps, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- drop_answer --
-- An answer that is not asked for any more.
DELETE FROM cases.answer WHERE application = $1 AND question = $2

-- rename --
-- Title and place follow the answers that they are made of.
UPDATE cases.application SET title = $2, place = $3 WHERE id = $1

-- move_tasks --
-- Held work goes to the unit where the item is worked on now.
UPDATE cases.task SET unit = $3 WHERE application = $1 AND item = $2 AND state = 'held'

-- served_fix --
-- Who answered for the applicant at a window, on which proof of identity.
UPDATE cases.fix SET served = $3 WHERE application = $1 AND item = $2

-- keep_content --
-- The bytes of a file, once in an application.
INSERT INTO cases.content (application, sha256, bytes) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- keep_upload --
-- One file for one line of a request; the same twice is one.
INSERT INTO cases.upload (application, item, want, name, media_type, size, sha256, salt, kept_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (application, item, want, sha256) DO NOTHING

-- drop_uploads --
-- Files that were not sent are taken back.
DELETE FROM cases.upload WHERE application = $1 AND item = $2 AND id = ANY ($3::bigint[]) AND sent_at IS NULL

-- drop_unsent --
-- Nobody will send these any more.
DELETE FROM cases.upload WHERE application = $1 AND item = $2 AND sent_at IS NULL

-- drop_contents --
-- Bytes that no file of the application has any more.
DELETE FROM cases.content c WHERE c.application = $1
  AND NOT EXISTS (SELECT FROM cases.upload u WHERE u.application = c.application AND u.sha256 = c.sha256)

-- uploads_of --
-- The files of an item in the order of the request.
SELECT id, want, name, media_type, size, sha256, salt, kept_at, sent_at FROM cases.upload
WHERE application = $1 AND item = $2 ORDER BY want, id

-- send_uploads --
-- What was kept is handed in.
UPDATE cases.upload SET sent_at = $3 WHERE application = $1 AND item = $2 AND sent_at IS NULL

-- content_of --
-- The bytes of one file.
SELECT c.bytes FROM cases.upload u JOIN cases.content c ON c.application = u.application AND c.sha256 = u.sha256
WHERE u.application = $1 AND u.item = $2 AND u.id = $3
