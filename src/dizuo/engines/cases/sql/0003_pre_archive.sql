-- 归档: when an application that ended was put away.
ALTER TABLE cases.application ADD COLUMN archived_at timestamptz;
