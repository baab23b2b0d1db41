"""Signed messages between systems: HTTP Message Signatures (RFC 9421) over content digests (RFC 9530), Ed25519 or SM2 with SM3.

Pure: no network, no files, no clock of its own. Both ends use it: the exchange's server and what a department installs.

1. ``PrivateKey.make`` and ``PublicKey`` hold keys; ``as_jwk``/``from_jwk`` carry the public ones (RFC 7517, RFC 8037).
2. ``sign_request`` gives the headers that make a call ours; ``verify_request`` says whose it is or raises which rule it broke.
3. ``sign_response`` binds an answer to the very request; ``verify_response`` refuses any other answer.
4. ``sign_key_set`` publishes keys signed by each of them; ``follow_key_set`` takes over the next ones by a known one.
5. Replay is the server's to notice: ``Verified`` carries key, nonce and expiry for its store.
"""

from dizuo.foundation.signing.base import BINDING, TAG_ANSWER, TAG_CALL
from dizuo.foundation.signing.digest import content_digest
from dizuo.foundation.signing.errors import (
    DigestWrong,
    KeyMalformed,
    RequestOutOfOrder,
    RequestReplayed,
    ResponseNotOurs,
    SignatureExpired,
    SignatureFromFuture,
    SignatureIncomplete,
    SignatureMalformed,
    SignatureMissing,
    SignatureRefused,
    SignatureTooLong,
    SignatureWrong,
    SigningKeyEnded,
    SigningKeyUnknown,
)
from dizuo.foundation.signing.key_sets import (
    TAG_KEYS,
    KeySet,
    follow_key_set,
    sign_key_set,
    verify_key_set,
)
from dizuo.foundation.signing.keys import ED25519, SM2, Algorithm, PrivateKey, PublicKey, jwks
from dizuo.foundation.signing.messages import (
    LONGEST,
    SEQUENCE,
    SKEW,
    Signed,
    Verified,
    sign_request,
    sign_response,
    signature_sent,
    target_uri,
    verify_request,
    verify_response,
)

__all__ = [
    "BINDING",
    "ED25519",
    "LONGEST",
    "SEQUENCE",
    "SKEW",
    "SM2",
    "TAG_ANSWER",
    "TAG_CALL",
    "TAG_KEYS",
    "Algorithm",
    "DigestWrong",
    "KeyMalformed",
    "KeySet",
    "PrivateKey",
    "PublicKey",
    "RequestOutOfOrder",
    "RequestReplayed",
    "ResponseNotOurs",
    "SignatureExpired",
    "SignatureFromFuture",
    "SignatureIncomplete",
    "SignatureMalformed",
    "SignatureMissing",
    "SignatureRefused",
    "SignatureTooLong",
    "SignatureWrong",
    "Signed",
    "SigningKeyEnded",
    "SigningKeyUnknown",
    "Verified",
    "content_digest",
    "follow_key_set",
    "jwks",
    "sign_key_set",
    "sign_request",
    "sign_response",
    "signature_sent",
    "target_uri",
    "verify_key_set",
    "verify_request",
    "verify_response",
]
