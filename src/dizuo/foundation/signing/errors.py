"""Why a signed message was not believed. Every cause has its own code, so that whoever calls can mend exactly that."""

from __future__ import annotations

from dizuo.foundation.kernel.errors import DizuoError, Invalid


class SignatureRefused(DizuoError):
    """请求的签名没有通过检查。"""

    http = 401
    fix = "请按接口说明重新签名后再发（HTTP Message Signatures，RFC 9421）。"


class SignatureMissing(SignatureRefused):
    """请求没有签名。"""

    fix = "每次调用都要带 Signature-Input 和 Signature 两个头，标签（tag）为 {tag}。"


class SignatureMalformed(SignatureRefused):
    """签名头读不出来：{why}。"""


class SignatureIncomplete(SignatureRefused):
    """签名没有覆盖必须覆盖的内容：{what}。"""

    fix = "请把 {what} 列入签名范围后重新签名。"


class SignatureWrong(SignatureRefused):
    """签名与内容或密钥对不上：内容被改过，或者是用别的密钥签的。

    One error for both: telling them apart would need the key that signed, which only the sender has.
    """

    fix = "请核对密钥编号（keyid）与私钥是否成对，签名后不要再改请求；经过代理的，请代理不要改动被签的头。"


class SignatureExpired(SignatureRefused):
    """签名已经过期（{expires}）。"""

    fix = "请现在重新签名再发；请核对本机时钟。"


class SignatureFromFuture(SignatureRefused):
    """签名的时间在将来（{created}），超出允许的时钟误差 {skew} 秒。"""

    fix = "请用 NTP 校准本机时钟后重新签名。"


class SignatureTooLong(SignatureRefused):
    """签名的有效时间太长：最长 {longest} 秒。"""

    fix = "请让 expires 与 created 相差不超过 {longest} 秒。"


class DigestWrong(SignatureRefused):
    """正文与摘要（Content-Digest）对不上。"""

    fix = "正文在签名后被改过，或摘要算错了；请用 sha-256、sha-512 或 sm3 重新计算并签名。"


class RequestReplayed(SignatureRefused):
    """这个请求已经收到过：同一密钥的同一个 nonce 只能用一次。"""

    http = 409
    fix = "请换一个新的 nonce 重新签名；收到没有发过的重放，请停用密钥并联系管理员。"


class RequestOutOfOrder(SignatureRefused):
    """请求的顺序号 {sequence} 不大于已经收到的顺序号，没有处理。"""

    http = 409
    fix = "同一密钥的顺序号只能递增；不需要保证先后的，请不要带 Dizuo-Sequence 头。"


class ResponseNotOurs(SignatureRefused):
    """答复不是对这次请求的答复。"""

    http = 502
    fix = "请不要使用这份答复，重新调用；反复出现请联系管理员。"


class SigningKeyUnknown(SignatureRefused):
    """没有登记过这把签名密钥。"""

    fix = "请在共享平台登记公钥（dizuo exchange-key add），并核对 keyid。"


class SigningKeyEnded(SignatureRefused):
    """这把签名密钥现在不能用：{why}。"""

    fix = "请改用在有效期内的密钥；没有的，请登记新的公钥。"


class KeyMalformed(Invalid):
    """密钥读不出来。"""

    fix = "公钥是 JWK：Ed25519 为 {kty: OKP, crv: Ed25519, x}，SM2 为 {kty: EC, crv: SM2, x, y}。"
