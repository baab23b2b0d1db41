"""SM3 (GB/T 32905) and the check of SM2 signatures (GB/T 32918.2) in nothing but Python, for verify_ledger.py.

The curve and its constants are those of GB/T 32918.5; signatures are r and s of 32 bytes each, the signer's name is the
default one of GM/T 0009 (1234567812345678).
"""

from __future__ import annotations

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
SIGNER = b"1234567812345678"
Jacobian = tuple[int, int, int]
_START = (
    0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E,
)  # fmt: skip
_MASK = 0xFFFFFFFF


def _turn(x: int, n: int) -> int:
    n %= 32
    return (x << n | x >> (32 - n)) & _MASK


def sm3(data: bytes) -> bytes:
    """The hash: 32 bytes."""
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = list(_START)
    for place in range(0, len(padded), 64):
        w = [int.from_bytes(padded[place + n : place + n + 4], "big") for n in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ _turn(w[j - 3], 15)
            w.append(x ^ _turn(x, 15) ^ _turn(x, 23) ^ _turn(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = state
        for j in range(64):
            twelve = _turn(a, 12)
            s1 = _turn((twelve + e + _turn(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & _MASK, 7)
            ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
            gg = e ^ f ^ g if j < 16 else e & f | ~e & g & _MASK
            t1 = (ff + d + (s1 ^ twelve) + (w[j] ^ w[j + 4])) & _MASK
            t2 = (gg + h + s1 + w[j]) & _MASK
            d, c, b, a = c, _turn(b, 9), a, t1
            h, g, f, e = g, _turn(f, 19), e, t2 ^ _turn(t2, 9) ^ _turn(t2, 17)
        state = [old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h))]  # noqa: B905 - Python 3.9
    return b"".join(one.to_bytes(4, "big") for one in state)


def _double(p: Jacobian) -> Jacobian:
    x, y, z = p
    if not y or not z:
        return 0, 1, 0
    s = 4 * x * y * y % P
    m = (3 * x * x + A * pow(z, 4, P)) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * pow(y, 4, P)) % P, 2 * y * z % P


def _add(p: Jacobian, q: Jacobian) -> Jacobian:
    if not p[2]:
        return q
    if not q[2]:
        return p
    z1, z2 = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * z2 % P, q[0] * z1 % P
    s1, s2 = p[1] * z2 * q[2] % P, q[1] * z1 * p[2] % P
    if u1 == u2:
        return _double(p) if s1 == s2 else (0, 1, 0)
    h, r = u2 - u1, s2 - s1
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * p[2] * q[2] % P


def _times(k: int, point: tuple[int, int]) -> Jacobian:
    total: Jacobian = (0, 1, 0)
    for bit in bin(k)[2:]:
        total = _double(total)
        if bit == "1":
            total = _add(total, (*point, 1))
    return total


def verify_sm2(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature of 64 bytes holds under a public key of 64 bytes (GB/T 32918.2 §7.1)."""
    if len(key) != 64 or len(signature) != 64:
        return False
    x, y = int.from_bytes(key[:32], "big"), int.from_bytes(key[32:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if (
        x >= P
        or y >= P
        or (y * y - (x * x * x + A * x + B)) % P
        or not (0 < r < N and 0 < s < N)
        or (r + s) % N == 0
    ):
        return False
    about = b"".join(n.to_bytes(32, "big") for n in (A, B, *G)) + key
    z = sm3((8 * len(SIGNER)).to_bytes(2, "big") + SIGNER + about)
    e = int.from_bytes(sm3(z + message), "big")
    found = _add(_times(s, G), _times((r + s) % N, (x, y)))
    if not found[2]:
        return False
    return (e + found[0] * pow(found[2], P - 3, P) % P) % N == r
