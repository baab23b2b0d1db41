-- 整改: the department that is to mend what was rated bad has work of its own, under a number that leads to no case.
ALTER TABLE cases.task DROP CONSTRAINT task_kind_check;
ALTER TABLE cases.task ADD CONSTRAINT task_kind_check
    CHECK (kind IN ('accept', 'judge', 'extension', 'referral', 'correction', 'deliver', 'rating', 'mend'));
ALTER TABLE cases.follow_up ADD COLUMN mend_number text COLLATE "C" UNIQUE;
ALTER TABLE cases.follow_up ADD COLUMN mend_task bigint REFERENCES cases.task;
