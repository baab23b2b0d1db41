-- exchange --
-- Both steps of many reads, with the commit between them.
CALL registers.exchange($1::text::jsonb, $2::bytea[], NULL)

-- keep_asked --
-- The digest that may be sent in place of lists that many people ask.
SELECT registers.keep_asked($1::text::jsonb)

-- request --
-- First step of many reads: everything entered, tickets only.
SELECT registers.request($1::text::jsonb)::text

-- release --
-- Second step: the values of committed tickets.
SELECT registers.release($1::uuid[], $2::bytea[])::text

-- write --
-- Changes of records with their ledger entries, in the caller's transaction.
SELECT registers.write($1::text::jsonb)::text

-- ask_sealed --
-- An order to read sealed, to be approved by somebody else.
SELECT registers.ask_sealed($1::text::jsonb, $2::text::jsonb)

-- decide_sealed --
-- Approve or decline such an order.
SELECT registers.decide_sealed($1, $2, $3, $4::text::jsonb)

-- request_sealed --
-- First step of the read that an approved order allows: its sealed entries, and a ticket.
SELECT registers.request_sealed($1, $2::text::jsonb, $3)

-- seal_orders --
-- An official's orders, and those that the official's posts may decide.
SELECT id, ground, unit, number, register, fields, value, opens_on, why, asked_post, asked_at, state, decided_post, decided_at, said,
       reads, own, decides, usable
FROM registers.seal_orders($1, $2::text::jsonb)

-- forgettable --
-- Entries about a person that are older than they must be kept, newest first, a page at a time.
SELECT id, at < $3 AS old FROM ledger.entries_of($1, $2, 1000)

-- reason_to_forget --
-- The entry that says what is erased, on which basis; it is never erased itself.
SELECT ledger.append('ledger.erase', $1::text::jsonb, NULL, $2::text::jsonb)

-- forget --
-- Erase what is personal in these entries; gives how many still had something.
SELECT count(*) FILTER (WHERE ledger.erase(e, $2)) FROM unnest($1::bigint[]) AS e

-- forget_numbers --
-- Delete the keys of the oldest numbers whose entries are erased, so that nothing links those leaves any more; gives how many.
SELECT ledger.forget_numbers($1)
