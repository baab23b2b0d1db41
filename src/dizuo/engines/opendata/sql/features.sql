-- extent --
-- The box of all shapes of a release.
SELECT min(r.box[1]) AS west, min(r.box[2]) AS south, max(r.box[3]) AS east, max(r.box[4]) AS north
FROM opendata.row r WHERE r.dataset = $1 AND r.version = $2 AND r.box IS NOT NULL

-- one --
-- One row.
SELECT r.n, r.data, r.shape FROM opendata.row r WHERE r.dataset = $1 AND r.version = $2 AND r.n = $3

-- items --
-- Rows whose properties equal, whose box meets one of the boxes, whose day is within the days.
SELECT r.n, r.data, r.shape FROM opendata.row r
WHERE r.dataset = $1 AND r.version = $2
  AND ($3::jsonb IS NULL OR NOT EXISTS (
      SELECT FROM jsonb_each_text($3) AS f (name, wanted) WHERE r.data->>f.name IS DISTINCT FROM f.wanted))
  AND ($4::jsonb IS NULL OR EXISTS (
      SELECT FROM jsonb_array_elements($4) AS b
      WHERE r.box[1] <= (b->>2)::double precision AND r.box[3] >= (b->>0)::double precision
        AND r.box[2] <= (b->>3)::double precision AND r.box[4] >= (b->>1)::double precision))
  AND ($5::text IS NULL OR ((r.data->>$5) COLLATE "C" >= coalesce($6, '') AND (r.data->>$5) COLLATE "C" <= coalesce($7, '9999-99-99')))
ORDER BY r.n LIMIT $8 OFFSET $9

-- matched --
-- How many of them there are.
SELECT count(*) FROM opendata.row r
WHERE r.dataset = $1 AND r.version = $2
  AND ($3::jsonb IS NULL OR NOT EXISTS (
      SELECT FROM jsonb_each_text($3) AS f (name, wanted) WHERE r.data->>f.name IS DISTINCT FROM f.wanted))
  AND ($4::jsonb IS NULL OR EXISTS (
      SELECT FROM jsonb_array_elements($4) AS b
      WHERE r.box[1] <= (b->>2)::double precision AND r.box[3] >= (b->>0)::double precision
        AND r.box[2] <= (b->>3)::double precision AND r.box[4] >= (b->>1)::double precision))
  AND ($5::text IS NULL OR ((r.data->>$5) COLLATE "C" >= coalesce($6, '') AND (r.data->>$5) COLLATE "C" <= coalesce($7, '9999-99-99')))
