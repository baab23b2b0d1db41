-- The catalogue of data resources (资源目录).

-- one_publisher --
-- Publications and imports go one after the other: codes are numbered in one order.
SELECT pg_advisory_xact_lock(7051, 1)

-- declared --
-- Every resource made from a declaration.
SELECT * FROM exchange.resource WHERE kind IN ('register', 'source') ORDER BY code

-- numbers --
-- The organisations' numbers in codes.
SELECT organisation, number FROM exchange.catalogue_number

-- number --
-- Give an organisation its number.
INSERT INTO exchange.catalogue_number (organisation, number) VALUES ($1, $2)

-- last_sequences --
-- The highest sequence under each prefix of ours.
SELECT split_part(code, '/', 1) AS prefix, max(split_part(code, '/', 2)::bigint) AS last
FROM exchange.resource WHERE split_part(code, '/', 2) ~ '^[0-9]{1,15}$' GROUP BY 1

-- keep --
-- Write a resource as it is now.
INSERT INTO exchange.resource (code, title, provider, kind, share_type, update_cycle, title_en, abstract, abstract_en,
    provider_code, register, source, fields, category, format, share_condition, share_basis, share_methods, open_type,
    open_condition, level, related, state, state_why, derived, published_on, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)
ON CONFLICT (code) DO UPDATE SET (title, provider, share_type, update_cycle, title_en, abstract, abstract_en, provider_code,
    source, fields, category, format, share_condition, share_basis, share_methods, open_type, open_condition, level, related, state,
    state_why, derived, published_on, changed_at)
= (excluded.title, excluded.provider, excluded.share_type, excluded.update_cycle, excluded.title_en, excluded.abstract,
    excluded.abstract_en, excluded.provider_code, excluded.source, excluded.fields, excluded.category, excluded.format,
    excluded.share_condition, excluded.share_basis, excluded.share_methods, excluded.open_type, excluded.open_condition,
    excluded.level, excluded.related, excluded.state, excluded.state_why, excluded.derived, excluded.published_on, excluded.changed_at)

-- history --
-- Keep what changed.
INSERT INTO exchange.resource_change (code, at, kind, by, why, before, after, entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- entry --
-- Enter a change of the catalogue in the ledger.
SELECT ledger.append($1, $2, NULL, NULL)

-- one --
-- One resource.
SELECT * FROM exchange.resource WHERE code = $1

-- list --
-- Resources that meet every filter given.
SELECT * FROM exchange.resource r
WHERE ($1::text IS NULL OR r.provider = $1) AND ($2::text IS NULL OR r.kind = $2) AND ($3::text IS NULL OR r.register = $3)
  AND ($4::text IS NULL OR r.source = $4) AND ($5::smallint IS NULL OR r.share_type = $5)
  AND ($6::smallint IS NULL OR r.open_type = $6) AND ($7::text IS NULL OR r.update_cycle = $7)
  AND ($8::text IS NULL OR r.state = $8)
  AND ($9 = '' OR position($9 IN lower(concat_ws(' ', r.code, r.title, r.title_en, r.abstract, r.abstract_en))) > 0
       OR EXISTS (SELECT FROM jsonb_array_elements(r.fields) f
                  WHERE position($9 IN lower(concat_ws(' ', f ->> 'id', f ->> 'zh', f ->> 'en'))) > 0)
       OR r.provider = ANY ($10::text[]))
ORDER BY r.code

-- lines --
-- What a list shows of the resources that a search finds: everything but items and abstracts, and how many items there are.
SELECT r.code, r.title, r.title_en, r.provider, r.kind, r.register, r.source, r.share_type, r.open_type, r.update_cycle, r.state,
       jsonb_array_length(r.fields) AS items
FROM exchange.resource r
WHERE $1 = '' OR position($1 IN lower(concat_ws(' ', r.code, r.title, r.title_en, r.abstract, r.abstract_en))) > 0
   OR EXISTS (SELECT FROM jsonb_array_elements(r.fields) f
              WHERE position($1 IN lower(concat_ws(' ', f ->> 'id', f ->> 'zh', f ->> 'en'))) > 0)
   OR r.provider = ANY ($2::text[])
ORDER BY r.code

-- changes_of --
-- What became of a resource.
SELECT at, kind, by, why, before, after, entry FROM exchange.resource_change WHERE code = $1 ORDER BY id DESC LIMIT $2

-- enter_audit --
-- Enter what an audit found.
SELECT * FROM exchange.enter_audit($1, $2, $3, $4)

-- move_finding --
-- One step of a ticket.
SELECT exchange.move_finding($1, $2, $3, $4, $5, $6, $7)

-- findings --
-- Tickets that meet every filter given; open ones first, the gravest first.
SELECT id, rule, about, resource, organisation, post, severity, params, state, found_at, seen_at, changed_at, closed_at, reopened, version
FROM exchange.finding
WHERE ($1::text IS NULL OR organisation = $1) AND ($2::text IS NULL OR rule = $2) AND ($3::text IS NULL OR state = $3)
  AND ($4::text IS NULL OR resource = $4) AND ($5 OR state <> 'closed')
ORDER BY state = 'closed', CASE severity WHEN 'high' THEN 0 WHEN 'mid' THEN 1 ELSE 2 END, substr(rule, 2)::integer, about
LIMIT $6

-- finding --
-- One ticket.
SELECT id, rule, about, resource, organisation, post, severity, params, state, found_at, seen_at, changed_at, closed_at, reopened, version
FROM exchange.finding WHERE id = $1

-- finding_steps --
-- What became of a ticket.
SELECT at, by, was, became, note, entry FROM exchange.finding_step WHERE finding = $1 ORDER BY id

-- finding_counts --
-- How many tickets stand, by department, rule and state; and how many were closed.
SELECT organisation, rule, state, count(*) AS findings FROM exchange.finding GROUP BY 1, 2, 3

-- last_audit --
-- The last audit.
SELECT id, at, cause, rules, found, opened, reopened, closed FROM exchange.audit_run ORDER BY id DESC LIMIT 1

-- idle_grants --
-- Open rights that are older than a week, with the calls of this week.
SELECT g.id, g.resource, g.consumer, coalesce(sum(u.calls), 0)::bigint AS calls
FROM exchange.data_grant g LEFT JOIN exchange.grant_used u ON u.grant_id = g.id AND u.day > $1::date - 7
WHERE g.state = 'open' AND g.starts <= $1::date - 7 AND g.opened_at <= $1::date - 7 GROUP BY g.id

-- availability --
-- Answers, failures and probes by resource, of the last days. What a node answered is counted by itself, else calls under rights are.
SELECT x.resource, sum(x.answered)::bigint AS answered, sum(x.failed)::bigint AS failed, sum(x.probes)::bigint AS probes,
       sum(x.probes_failed)::bigint AS probes_failed, coalesce((array_agg(x.last_why ORDER BY x.day DESC) FILTER (WHERE x.last_why <> ''))[1], '') AS last_why
FROM (
    SELECT a.resource, a.day, a.answered, a.failed, a.probes, a.probes_failed, a.last_why
    FROM exchange.availability a WHERE a.day > $1::date - $2::integer AND a.day <= $1::date
    UNION ALL
    SELECT g.resource, u.day, u.calls, 0, 0, 0, ''
    FROM exchange.grant_used u JOIN exchange.data_grant g ON g.id = u.grant_id
    WHERE u.day > $1::date - $2::integer AND u.day <= $1::date AND NOT EXISTS (SELECT FROM exchange.node n WHERE n.resource = g.resource)
) AS x GROUP BY x.resource

-- at_nodes --
-- Resources that are asked for at their department's node.
SELECT n.resource, n.organisation FROM exchange.node n WHERE n.stopped_at IS NULL

-- everything --
-- Every resource.
SELECT * FROM exchange.resource

-- imported --
-- Keep the report of an import.
INSERT INTO exchange.catalogue_import (at, by, filename, sha256, encoding, rows, taken, report) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id

-- import_report --
-- The report of an import.
SELECT id, at, by, filename, encoding, report AS rows FROM exchange.catalogue_import WHERE id = $1
