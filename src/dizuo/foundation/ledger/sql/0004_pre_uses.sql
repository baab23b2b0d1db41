-- What a person sees of the uses of their data: filtered in the database, kinds of use told apart, and objections (异议).

-- Entries about one person that pass a filter, newest first; what a seal covers is not told.
CREATE FUNCTION ledger.entries_where(
    subject bigint, before bigint, since timestamptz, until timestamptz, unit text, purpose text, count integer)
RETURNS TABLE (id bigint, at timestamptz, kind text, body jsonb, payload jsonb, seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT e.id, e.at, e.kind, e.body, CASE WHEN e.kind <> 'sealed' THEN e.payload END, l.seq
    FROM ledger.entry e LEFT JOIN ledger.leaf l ON l.entry = e.id
    WHERE e.subject = $1 AND e.id < coalesce($2, 9223372036854775807)
      AND e.at >= coalesce($3, '-infinity') AND e.at < coalesce($4, 'infinity')
      AND ($5 IS NULL OR split_part(e.body -> 'actor' ->> 'unit', ':', 1) = $5)
      AND ($6 IS NULL OR coalesce(e.body ->> 'purpose', e.body ->> 'matter') = $6)
    ORDER BY e.id DESC LIMIT least($7, 1000);
END;

-- The kinds of use about one person: who, in which capacity, for what; first and last time, how often.
CREATE FUNCTION ledger.uses_of(subject bigint)
RETURNS TABLE (unit text, actor text, purpose text, first bigint, first_at timestamptz, last_at timestamptz, count bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(split_part(e.body -> 'actor' ->> 'unit', ':', 1), ''), coalesce(e.body -> 'actor' ->> 'kind', ''),
           coalesce(e.body ->> 'purpose', e.body ->> 'matter', ''), min(e.id), min(e.at), max(e.at), count(*)
    FROM ledger.entry e WHERE e.subject = $1 AND e.kind NOT IN ('data.viewed', 'sealed', 'sealed.opened')
    GROUP BY 1, 2, 3 ORDER BY 6 DESC LIMIT 300;
END;

-- How far a person has read their own list, and whether new kinds of use are to be pointed out.
CREATE TABLE ledger.looked (
    subject bigint  PRIMARY KEY,
    entry   bigint  NOT NULL DEFAULT 0,
    tells   boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE ledger.looked IS 'Up to which entry a person has seen the uses of their data';

-- 异议: a person objects to a use; the department that used the data answers on a clock (个人信息保护法 50).
CREATE SEQUENCE ledger.objection_number;
CREATE TABLE ledger.objection (
    number    text COLLATE "C" PRIMARY KEY,
    token     text COLLATE "C" NOT NULL UNIQUE,
    entry     bigint NOT NULL,
    subject   bigint NOT NULL,
    unit      text COLLATE "C" NOT NULL,
    says      text NOT NULL CHECK (length(says) BETWEEN 2 AND 1000),
    opened_at timestamptz NOT NULL,
    due       timestamptz,
    state     text COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'upheld', 'declined')),
    answer    text NOT NULL DEFAULT '',
    official  bigint,
    ended_at  timestamptz
);
CREATE INDEX objection_subject ON ledger.objection (subject, opened_at DESC);
CREATE INDEX objection_open ON ledger.objection (unit, due) WHERE state = 'open';
COMMENT ON TABLE ledger.objection IS '异议: objections to uses of data, each answered by the department that used them';

REVOKE ALL ON ledger.looked, ledger.objection FROM PUBLIC;
REVOKE ALL ON SEQUENCE ledger.objection_number FROM PUBLIC;
REVOKE ALL ON FUNCTION ledger.entries_where(bigint, bigint, timestamptz, timestamptz, text, text, integer), ledger.uses_of(bigint)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.entries_where(bigint, bigint, timestamptz, timestamptz, text, text, integer), ledger.uses_of(bigint)
    TO dizuo_app;
GRANT SELECT, INSERT, UPDATE ON ledger.looked TO dizuo_app;
GRANT USAGE ON SEQUENCE ledger.objection_number TO dizuo_app;
GRANT SELECT, INSERT ON ledger.objection TO dizuo_app;
GRANT UPDATE (state, answer, official, ended_at) ON ledger.objection TO dizuo_app;
