"""Cosignatures (C2SP tlog-cosignature, cosignature/v1): a witness says what it saw of a log, and when."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from dizuo.foundation.ledger.errors import CheckpointInvalid
from dizuo.foundation.ledger.notes import DASH, PublicKey, Signer, signature_lines, split_note
from dizuo.foundation.ledger.suites import COSIGNATURE


@dataclass(frozen=True)
class Cosigned:
    """A valid cosignature: ``at`` is the witness's time in seconds since 1970, ``line`` the note's line without its end."""

    witness: PublicKey
    at: int
    line: str


def witness_key(key: Signer) -> PublicKey:
    """The public key under which a signer cosigns: the same bytes, another kind and so another key id."""
    return PublicKey(key.public.name, key.public.raw, COSIGNATURE)


def cosign(text: str, key: Signer, at: int) -> str:
    """The signature line, without its end, of a witness under a checkpoint's text; ``at`` in seconds since 1970."""
    public = witness_key(key)
    signature = key.sign(_message(text, at))
    return f"{DASH}{public.name} {base64.b64encode(public.id + at.to_bytes(8, 'big') + signature).decode()}"


def cosignatures(note: str, witnesses: Sequence[PublicKey]) -> list[Cosigned]:
    """The cosignatures of these witnesses under a signed note; those of others are passed over.

    Each witness counts once. Errors: CheckpointInvalid when one of theirs is not valid.
    """
    text, signatures = split_note(note)
    found: dict[PublicKey, Cosigned] = {}
    for name, data in signature_lines(signatures):
        for witness in witnesses:
            if (name, data[:4]) != (witness.name, witness.id):
                continue
            at = int.from_bytes(data[4:12], "big")
            if len(data) != 76 or at >= 1 << 63 or not witness.verifies(data[12:], _message(text, at)):
                raise CheckpointInvalid(f"见证人 {name} 的签名和内容不符")
            found[witness] = Cosigned(witness, at, f"{DASH}{name} {base64.b64encode(data).decode()}")
    return list(found.values())


def _message(text: str, at: int) -> bytes:
    return f"cosignature/v1\ntime {at}\n{text}".encode()
