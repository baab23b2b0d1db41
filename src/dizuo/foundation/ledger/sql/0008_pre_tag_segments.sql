-- The end of a person's list, shortly: sorted lists of the tags of whole runs of leaves, whose roots are entries of the log itself.

-- Which runs of leaves have such a list: from `low` up to `high`. `entry` (kind ledger.tags) says how many tags it has and its root.
CREATE TABLE ledger.tag_segment (
    low     bigint NOT NULL,
    high    bigint NOT NULL,
    tags    integer NOT NULL,
    root    bytea NOT NULL CHECK (length(root) = 32),
    entry   bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Whether the blocks of its parts are gone: they are kept for a day, because a proof may be under an older checkpoint.
    alone   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (low, high),
    CHECK (low >= 0 AND high > low)
);
COMMENT ON TABLE ledger.tag_segment IS 'Runs of leaves whose sorted tags have a root in the log; written behind the sealer';

-- The lists, 256 tags a block. Those of runs that are part of a larger one are let go a day later.
CREATE TABLE ledger.tag_block (
    low   bigint NOT NULL,
    high  bigint NOT NULL,
    block integer NOT NULL,
    first bytea NOT NULL,
    tags  bytea NOT NULL CHECK (length(tags) BETWEEN 16 AND 4096 AND length(tags) % 16 = 0),
    hash  bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (low, high, block)
);
COMMENT ON TABLE ledger.tag_block IS 'Sorted tags, 256 a block, with the head of each block';

REVOKE ALL ON ledger.tag_segment, ledger.tag_block FROM PUBLIC;
GRANT SELECT ON ledger.tag_segment, ledger.tag_block TO dizuo_app;
GRANT SELECT, INSERT ON ledger.tag_segment TO dizuo_sealer;
GRANT UPDATE (alone) ON ledger.tag_segment TO dizuo_sealer;
GRANT SELECT, INSERT, DELETE ON ledger.tag_block TO dizuo_sealer;
