-- Counting for the operations page: what is open and what ended lately, what is due first, what was said of late.
CREATE INDEX item_ended ON cases.item (ended_at);
CREATE INDEX application_running ON cases.application (promised) WHERE ended_at IS NULL;
CREATE INDEX task_due ON cases.task (due, id) WHERE state = 'open';
CREATE INDEX rating_at ON cases.rating (at);
