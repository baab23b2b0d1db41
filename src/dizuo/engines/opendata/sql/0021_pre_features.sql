-- Spatial sets for machines: the box of a GeoJSON geometry, and rows by it.

-- {west, south, east, north} of a geometry of any kind, NULL of what is none. Longitude first, as RFC 7946 says.
CREATE FUNCTION opendata.box_of(shape jsonb) RETURNS double precision[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN count(*) > 0 THEN ARRAY[min(lon), min(lat), max(lon), max(lat)] END
    FROM (
        -- Every innermost pair of numbers: the first two members of an array whose first member is a number.
        SELECT (pair->>0)::double precision AS lon, (pair->>1)::double precision AS lat
        FROM jsonb_path_query(shape, 'strict $.** ? (@.type() == "array" && @[0].type() == "number")', '{}', true) AS pair
        WHERE jsonb_typeof(pair->1) = 'number'
    ) points
$$;
REVOKE ALL ON FUNCTION opendata.box_of(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opendata.box_of(jsonb) TO dizuo_app;

-- The box of each shape, kept with it, so that a box is found without reading geometries.
ALTER TABLE opendata.row ADD COLUMN box double precision[] GENERATED ALWAYS AS (opendata.box_of(shape)) STORED;
