-- standing: as before, and what stays at a department's node is told apart from what nobody has: it is asked for subject by subject,
-- and there is neither a feed of its changes nor a download of all of it.
CREATE OR REPLACE FUNCTION exchange.standing(grant_in bigint, method_in text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((
        SELECT CASE WHEN g.state <> 'open' THEN g.state
                    WHEN (now() AT TIME ZONE 'Asia/Shanghai')::date > g.expires THEN 'expired'
                    WHEN (now() AT TIME ZONE 'Asia/Shanghai')::date < g.starts THEN 'not_yet'
                    WHEN NOT method_in = ANY (g.methods) THEN 'method'
                    WHEN r.register IS NULL AND EXISTS (SELECT FROM exchange.node n WHERE n.resource = r.code AND n.stopped_at IS NULL)
                        THEN 'at_node'
                    WHEN r.register IS NULL THEN 'no_register'
                    WHEN r.state = 'offline' THEN 'offline'
                    ELSE '' END
        FROM exchange.data_grant g JOIN exchange.resource r ON r.code = g.resource WHERE g.id = grant_in), 'unknown')
$$;
