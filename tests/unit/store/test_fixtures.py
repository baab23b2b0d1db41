from dizuo.foundation.store import begin


async def test_roles(pg, app_pool, owner_pool, frozen_now):
    async with pg() as c:
        assert await c.fetchval("select current_user") == "dizuo_owner"
        assert await c.fetchval('select \'{"a": [1, "ü"]}\'::jsonb') == {"a": [1, "ü"]}
        assert await c.fetchval("select $1::jsonb->'a'", {"a": [1]}) == [1]
    async with begin(app_pool, frozen_now) as tx:
        assert await tx.conn.fetchval("select current_user") == "dizuo_app"
