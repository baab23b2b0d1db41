"""The ledger (用数账本): who used what and who decided what; append-only, sequenced, signed.

1. ``append`` and ``append_batch`` in SQL write one row per entry inside the business transaction; ``Batcher`` coalesces
   pure reads of many callers into one transaction.
2. An entry's body holds nothing personal. What is personal is bound by a salted commitment and can be erased.
3. The ``Sealer``, one at a time, places the entries of finished transactions in a Merkle tree (RFC 9162) and signs its
   head (C2SP checkpoint, Ed25519).
4. ``proof`` gives a person a text file that anybody checks offline with ``verify_proof`` and the public key.
5. ``served_checkpoint`` and ``tile_bytes`` serve the tree and its entries to everybody (C2SP tlog-tiles).
6. ``Submitter`` brings new checkpoints to witnesses (C2SP tlog-witness) and keeps their cosignatures.
7. ``verify`` recomputes everything and finds what was altered, removed, reordered, cut off or written anew.
"""

from dizuo.foundation.ledger.batcher import Batcher, entry_batcher
from dizuo.foundation.ledger.complete import Counted, complete_proof
from dizuo.foundation.ledger.cosign import Cosigned, cosign, cosignatures, witness_key
from dizuo.foundation.ledger.entry import Entry, EntryView
from dizuo.foundation.ledger.new_kinds import NewKinds, note_by_the_clock, note_kinds
from dizuo.foundation.ledger.notes import KEY_FILE, Checkpoint, PublicKey, SigningKey
from dizuo.foundation.ledger.objections import (
    Objection,
    answer_objection,
    object_to,
    objections_at,
    objections_of,
    open_objection,
)
from dizuo.foundation.ledger.proofs import Proven, consistency, entries_of, proof, verify_proof
from dizuo.foundation.ledger.sealer import Sealer
from dizuo.foundation.ledger.seals import (
    Seal,
    SealRule,
    SealsInForce,
    closed_seals,
    declare_grounds,
    extend_seal,
    lift_seal,
    seals_in_force,
)
from dizuo.foundation.ledger.segments import make_segments, segments_by_the_clock
from dizuo.foundation.ledger.stamp import Stamped, check_stamp
from dizuo.foundation.ledger.stamping import (
    Authority,
    Stamper,
    check_stamps,
    read_authority,
    read_certificate,
)
from dizuo.foundation.ledger.suites import COSIGNATURE, INTERNATIONAL, NATIONAL, Suite
from dizuo.foundation.ledger.tally import Tallies, Tally, counted
from dizuo.foundation.ledger.tiles import (
    CONTENTS,
    ENTRIES,
    Tile,
    served_checkpoint,
    tells_entries,
    tile_bytes,
)
from dizuo.foundation.ledger.uses import Filter, Use, choose_telling, entries_where, look, looked
from dizuo.foundation.ledger.verify import Problem, Report, verify
from dizuo.foundation.ledger.witnessing import (
    WITNESSES,
    KnownWitness,
    Submitter,
    check_cosignatures,
    read_witnesses,
)

__all__ = [
    "CONTENTS",
    "COSIGNATURE",
    "ENTRIES",
    "INTERNATIONAL",
    "KEY_FILE",
    "NATIONAL",
    "WITNESSES",
    "Authority",
    "Batcher",
    "Checkpoint",
    "Cosigned",
    "Counted",
    "Entry",
    "EntryView",
    "Filter",
    "KnownWitness",
    "NewKinds",
    "Objection",
    "Problem",
    "Proven",
    "PublicKey",
    "Report",
    "Seal",
    "SealRule",
    "Sealer",
    "SealsInForce",
    "SigningKey",
    "Stamped",
    "Stamper",
    "Submitter",
    "Suite",
    "Tallies",
    "Tally",
    "Tile",
    "Use",
    "answer_objection",
    "check_cosignatures",
    "check_stamp",
    "check_stamps",
    "choose_telling",
    "closed_seals",
    "complete_proof",
    "consistency",
    "cosign",
    "cosignatures",
    "counted",
    "declare_grounds",
    "entries_of",
    "entries_where",
    "entry_batcher",
    "extend_seal",
    "lift_seal",
    "look",
    "looked",
    "make_segments",
    "note_by_the_clock",
    "note_kinds",
    "object_to",
    "objections_at",
    "objections_of",
    "open_objection",
    "proof",
    "read_authority",
    "read_certificate",
    "read_witnesses",
    "seals_in_force",
    "segments_by_the_clock",
    "served_checkpoint",
    "tells_entries",
    "tile_bytes",
    "verify",
    "verify_proof",
    "witness_key",
]
