-- The one statement of the role that may erase.

-- forget --
-- Erase what is personal in ended cases about a person; entered with its basis and the case in which it was decided.
SELECT own, others, files, kept FROM cases.forget($1, $2, $3, $4)
