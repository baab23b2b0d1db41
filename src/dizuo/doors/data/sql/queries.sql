-- What the data door reads of the foundation. What engines hold is theirs to tell.

-- checkpoint --
-- The last signed head of the ledger, and how many entries are under it.
SELECT size, encode(root, 'hex') AS root, note, at FROM ledger.checkpoint ORDER BY size DESC LIMIT 1
