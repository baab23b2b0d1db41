-- parties --
-- Organisations or groups of loaded catalogues.
SELECT id, name, title, says, extras, state, made_at FROM opendata.party WHERE kind = $1 ORDER BY name

-- tables_of --
-- Resources of loaded datasets that have rows here.
SELECT resource FROM opendata.loaded_table WHERE dataset = ANY ($1::text[])

-- dataset_named --
-- Our id of a dataset that is asked for by name or by the id that it brought along.
SELECT d.id FROM opendata.dataset d WHERE d.id = $1 OR (d.extras ? 'ckan' AND d.extras->'ckan'->>'id' = $1)
ORDER BY d.id = $1 DESC LIMIT 1

-- names --
-- Names of what is published, in order; with an organisation its drafts as well ('*': all drafts).
SELECT d.id FROM opendata.dataset d
WHERE d.state = 'published' OR (d.state = 'refused' AND $1::text IS NOT NULL AND $1 IN ('*', d.provider))
ORDER BY d.id LIMIT $2 OFFSET $3

-- recent --
-- Names of what is published, newest first.
SELECT d.id FROM opendata.dataset d WHERE d.state = 'published'
ORDER BY coalesce((d.extras->'ckan'->>'modified')::timestamptz, d.updated_at, d.changed_at) DESC, d.id LIMIT $1 OFFSET $2

-- tags --
-- Tags of what is published, those that hold a text, with how many datasets have each.
SELECT tag, count(*) AS packages FROM opendata.dataset d CROSS JOIN LATERAL unnest(d.also) AS tag
WHERE d.state = 'published' AND ($1 = '' OR strpos(lower(tag), lower($1)) > 0)
GROUP BY tag ORDER BY tag LIMIT $2

-- with_tag --
-- Published datasets that have a tag.
SELECT d.id FROM opendata.dataset d WHERE d.state = 'published' AND $1 = ANY (d.also) ORDER BY d.id LIMIT 1000

-- by_owner --
-- How many published datasets each organisation has.
SELECT coalesce(d.extras->'ckan'->>'owner_org', d.provider) AS owner, count(*) AS packages
FROM opendata.dataset d WHERE d.state = 'published' GROUP BY 1

-- by_group --
-- How many published datasets each group has.
SELECT named AS owner, count(*) AS packages
FROM opendata.dataset d CROSS JOIN LATERAL jsonb_array_elements_text(coalesce(d.extras->'ckan'->'groups', '[]')) AS named
WHERE d.state = 'published' GROUP BY 1

-- licences --
-- Licences in use.
SELECT DISTINCT coalesce(d.extras->'ckan'->'package'->>'license_id', d.licence) AS code
FROM opendata.dataset d WHERE d.state = 'published' ORDER BY 1 LIMIT 1000

-- resource_named --
-- The dataset that a resource of a loaded or harvested dataset belongs to.
SELECT d.id FROM opendata.dataset d
WHERE d.extras ? 'ckan' AND d.extras->'ckan'->'package'->'resources' @> jsonb_build_array(jsonb_build_object('id', $1::text))
LIMIT 1

-- counts --
-- How many are published, and when something changed last.
SELECT count(*) AS packages, max(d.changed_at) AS changed FROM opendata.dataset d WHERE d.state = 'published'

-- put_foreign --
-- Write a dataset that came from outside; true when it is new.
SELECT opendata.put_foreign($1, $2, $3, $4)

-- put_party --
-- Write an organisation or a group; true when it is new.
SELECT opendata.put_party($1, $2, $3, $4, $5)

-- table_is_refused --
-- Whether the gate refused the rows of a loaded dataset.
SELECT EXISTS (SELECT FROM opendata.loaded_table WHERE dataset = $1 AND refused <> '')
