-- The serving processes open, receive, hold, release and refuse deliveries. What was landed, how many rows of which fate it
-- had and how far a table was pulled is the loader's to write.

REVOKE UPDATE ON lake.source_delivery FROM dizuo_app;
GRANT UPDATE (name, format, mode, period, declaration, state, held_from, why_code, why_says, seen, seen_at)
    ON lake.source_delivery TO dizuo_app;
