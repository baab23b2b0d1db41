"""The ledger (用数账本): append-only, sequenced in a Merkle tree, signed."""
