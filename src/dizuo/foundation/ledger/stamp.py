"""Time stamps of checkpoints by an authority (RFC 3161, GB/T 20520): asked for, and checked offline."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from dizuo.foundation.ledger import der
from dizuo.foundation.ledger.errors import StampInvalid

_SHA256: Final = der.oid("2.16.840.1.101.3.4.2.1")
_SIGNED_DATA: Final = der.oid("1.2.840.113549.1.7.2")
_TST_INFO: Final = der.oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE: Final = der.oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST: Final = der.oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATES: Final = (
    (der.oid("1.2.840.113549.1.9.16.2.47"), ("sha256", "sha384", "sha512")),
    (der.oid("1.2.840.113549.1.9.16.2.12"), ("sha1",)),
)
_DIGESTS: Final = {
    der.oid("2.16.840.1.101.3.4.2.1"): hashes.SHA256(),
    der.oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    der.oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
_DER: Final = serialization.Encoding.DER
LARGEST: Final = 64 * 1024


@dataclass(frozen=True)
class Stamped:
    """What a valid time stamp shows: the text existed at ``at``, says ``authority`` (the certificate's subject)."""

    at: datetime
    authority: str


def request_of(text: str) -> tuple[bytes, int]:
    """A TimeStampReq (RFC 3161 §2.4.1) for a checkpoint's text, and its nonce."""
    nonce = secrets.randbits(63)
    imprint = der.write(
        der.SEQUENCE,
        der.write(der.SEQUENCE, _SHA256, der.write(der.NULL)),
        der.write(der.OCTETS, hashlib.sha256(text.encode()).digest()),
    )
    certificate = der.write(der.BOOLEAN, b"\xff")
    return der.write(der.SEQUENCE, der.integer(1), imprint, der.integer(nonce), certificate), nonce


def token_of(response: bytes) -> bytes:
    """The token of a TimeStampResp (§2.4.2). Errors: StampInvalid when it was not granted."""
    try:
        parts = der.read(response).parts()
        status = parts[0].part(0, der.INTEGER).number
    except (der.NotDer, IndexError) as error:
        raise StampInvalid("时间戳机构的回答读不懂") from error
    if status not in (0, 1) or len(parts) < 2:
        raise StampInvalid(f"时间戳机构没有签发（状态 {status}）")
    return parts[1].whole


def check_stamp(token: bytes, text: str, trusted: x509.Certificate, nonce: int | None = None) -> Stamped:
    """Check a token offline against the authority's own certificate, or the one that issued it.

    ``nonce`` is the request's where it is known. Errors: StampInvalid.
    """
    if len(token) > LARGEST:
        raise StampInvalid("太大")
    try:
        return _check(token, text, trusted, nonce)
    except (der.NotDer, IndexError, ValueError, TypeError) as error:
        raise StampInvalid("格式读不懂") from error


def _check(token: bytes, text: str, trusted: x509.Certificate, nonce: int | None) -> Stamped:
    outer = der.read(token)
    if outer.part(0, der.OID).whole != _SIGNED_DATA:
        raise StampInvalid("不是签名数据")
    signed = outer.part(1, 0xA0).part(0, der.SEQUENCE)
    parts = signed.parts()
    content = parts[2]
    if content.part(0, der.OID).whole != _TST_INFO:
        raise StampInvalid("里面不是时间戳")
    stamp = content.part(1, 0xA0).part(0, der.OCTETS).body
    certificates = (
        [x509.load_der_x509_certificate(one.whole) for one in parts[3].parts()]
        if parts[3].tag == 0xA0
        else []
    )
    signers = parts[-1].parts()
    if parts[-1].tag != der.SET or len(signers) != 1:
        raise StampInvalid("应恰有一个签名")
    signer = _check_signature(signers[0], stamp, [trusted, *certificates])
    at = _check_content(der.read(stamp), text, nonce)
    _check_certificate(signer, trusted, at)
    return Stamped(at, signer.subject.rfc4514_string())


def _check_content(info: der.Element, text: str, nonce: int | None) -> datetime:
    """TSTInfo: version, policy, imprint, serial, genTime … nonce."""
    parts = info.parts()
    algorithm, imprint = parts[2].part(0, der.SEQUENCE), parts[2].part(1, der.OCTETS)
    if algorithm.part(0, der.OID).whole != _SHA256 or imprint.body != hashlib.sha256(text.encode()).digest():
        raise StampInvalid("盖的不是这份清单")
    if nonce is not None and nonce not in (one.number for one in parts[5:] if one.tag == der.INTEGER):
        raise StampInvalid("不是对这次请求的回答")
    if parts[4].tag != der.TIME:
        raise StampInvalid("没有时间")
    plain = parts[4].body.decode("ascii")
    form = "%Y%m%d%H%M%S.%fZ" if "." in plain else "%Y%m%d%H%M%SZ"
    return datetime.strptime(plain, form).replace(tzinfo=UTC)


def _check_signature(info: der.Element, stamp: bytes, known: list[x509.Certificate]) -> x509.Certificate:
    """SignerInfo (RFC 5652 §5.3): the signed attributes speak of the content, and one known certificate signed them."""
    parts = info.parts()
    digest, attributes, signature = _DIGESTS.get(parts[2].part(0, der.OID).whole), parts[3], parts[5]
    if digest is None or attributes.tag != 0xA0 or signature.tag != der.OCTETS:
        raise StampInvalid("签名的算法不认识")
    said = {one.part(0, der.OID).whole: one.part(1, der.SET).parts()[0] for one in attributes.parts()}
    computed = hashlib.new(digest.name, stamp).digest()
    if _MESSAGE_DIGEST not in said or said[_MESSAGE_DIGEST].body != computed:
        raise StampInvalid("内容和签名不符")
    if _CONTENT_TYPE not in said or said[_CONTENT_TYPE].whole != _TST_INFO:
        raise StampInvalid("签名说的不是时间戳")
    text = der.write(der.SET, attributes.body)
    for certificate in known:
        if _named(said, certificate) and _signed(certificate, signature.body, text, digest):
            return certificate
    raise StampInvalid("签名不成立，或没有附上签名的证书")


def _named(said: dict[bytes, der.Element], certificate: x509.Certificate) -> bool:
    """ESSCertID (RFC 5035): the first certificate named by its hash is the signer's, so that none can be put in its place."""
    whole = certificate.public_bytes(_DER)
    for name, digests in _SIGNING_CERTIFICATES:
        if name in said:
            first = said[name].part(0, der.SEQUENCE).part(0, der.SEQUENCE)
            named = next(one.body for one in first.parts() if one.tag == der.OCTETS)
            return named in [hashlib.new(one, whole, usedforsecurity=False).digest() for one in digests]
    return False


def _signed(
    certificate: x509.Certificate, signature: bytes, text: bytes, digest: hashes.HashAlgorithm
) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, text, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, text, ec.ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _check_certificate(signer: x509.Certificate, trusted: x509.Certificate, at: datetime) -> None:
    if signer != trusted:
        try:
            signer.verify_directly_issued_by(trusted)
        except (InvalidSignature, ValueError, TypeError) as error:
            raise StampInvalid("签名的证书不是您信任的机构签发的") from error
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        raise StampInvalid("证书不是用于时间戳的") from error
    if ExtendedKeyUsageOID.TIME_STAMPING not in usage:
        raise StampInvalid("证书不是用于时间戳的")
    if not signer.not_valid_before_utc <= at <= signer.not_valid_after_utc:
        raise StampInvalid("盖戳时证书不在有效期内")
