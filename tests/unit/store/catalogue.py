"""Everything that a schema of the database is: one line a thing, so that two ways to it can be held against each other."""

from __future__ import annotations

from dizuo.foundation.store import Connection

# Columns by name and not by place: a column that was added later stands last, and nobody selects by place.
_EVERYTHING = """
WITH rel AS (SELECT c.* FROM pg_class c WHERE c.relnamespace = $1::text::regnamespace)
SELECT format('schema %s %s', nspname, nspacl::text) FROM pg_namespace WHERE nspname = $1
UNION ALL
SELECT format('%s %s persistence=%s rls=%s acl=%s options=%s comment=%s', relkind, relname, relpersistence,
              relrowsecurity, relacl::text, reloptions, obj_description(oid, 'pg_class'))
FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT format('column %s.%s %s notnull=%s default=%s identity=%s generated=%s collation=%s acl=%s comment=%s', r.relname,
              a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid),
              a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attacl::text, col_description(r.oid, a.attnum))
FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT format('constraint %s.%s %s validated=%s', r.relname, k.conname, pg_get_constraintdef(k.oid), k.convalidated)
FROM rel r JOIN pg_constraint k ON k.conrelid = r.oid
UNION ALL
SELECT format('index %s valid=%s', pg_get_indexdef(i.indexrelid), i.indisvalid)
FROM rel r JOIN pg_index i ON i.indrelid = r.oid
UNION ALL
SELECT format('trigger %s enabled=%s', pg_get_triggerdef(t.oid), t.tgenabled)
FROM rel r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT format('view %s %s', relname, pg_get_viewdef(oid)) FROM rel WHERE relkind IN ('v', 'm')
UNION ALL
SELECT format('function %s acl=%s', pg_get_functiondef(p.oid), p.proacl::text)
FROM pg_proc p WHERE p.pronamespace = $1::text::regnamespace AND p.prokind <> 'a'
UNION ALL
SELECT format('type %s %s %s acl=%s', t.typname, t.typtype,
              (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
              t.typacl::text)
FROM pg_type t WHERE t.typnamespace = $1::text::regnamespace AND t.typtype IN ('e', 'd')
UNION ALL
SELECT format('statistics %s', pg_get_statisticsobjdef(s.oid)) FROM pg_statistic_ext s
WHERE s.stxnamespace = $1::text::regnamespace
ORDER BY 1
"""


async def catalogue(connection: Connection, schema: str) -> list[str]:
    """Tables, columns, constraints, indexes, triggers, views, functions, types, their rights and comments, sorted."""
    return [row[0] for row in await connection.fetch(_EVERYTHING, schema)]
