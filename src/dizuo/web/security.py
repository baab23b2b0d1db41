"""Headers that every answer carries, and the check that a submit came from our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers

RawHeaders = list[tuple[bytes, bytes]]


def content_policy(scripts: bool) -> str:
    """The Content-Security-Policy: nothing from anywhere else, no inline style or script, never framed.

    A door without scripts forbids them altogether.
    """
    script = "script-src 'self'; connect-src 'self'" if scripts else "script-src 'none'"
    return (
        f"default-src 'none'; style-src 'self'; img-src 'self' data:; {script}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def headers_for(*, scripts: bool, secure: bool) -> RawHeaders:
    """The security headers of a door's pages, ready to send."""
    named = {
        "content-security-policy": content_policy(scripts),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    if secure:
        named["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]


def same_origin(headers: Headers) -> bool:
    """Whether a submit can have come from our own page.

    Browsers say so in Sec-Fetch-Site or Origin; a client that sends neither still needs the form's token.
    """
    fetched = headers.get("sec-fetch-site")
    if fetched is not None:
        return fetched in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None or origin == "null":
        # A page with Referrer-Policy same-origin may send Origin: null only across origins.
        return origin is None
    return urlsplit(origin).netloc == headers.get("host", "")
