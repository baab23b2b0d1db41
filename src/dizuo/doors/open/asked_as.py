"""In what form somebody wants an address: a page, JSON or a table, as their client says (Accept, RFC 9110 § 12.5.1)."""

from __future__ import annotations

from typing import Literal

from dizuo.web import WebRequest

Form = Literal["page", "json", "csv"]
_MEDIA: dict[str, Form] = {
    "text/html": "page",
    "application/xhtml+xml": "page",
    "application/json": "json",
    "text/csv": "csv",
}


def form_of(accept: str) -> Form:
    """The form that a client names with the greatest weight; the page when it names none of ours, or several alike.

    Wildcards name nothing: a browser and a bare ``curl`` get the page.
    """
    best: dict[Form, float] = {}
    for item in accept[:2_000].split(","):
        media, *parameters = (part.strip().casefold() for part in item.split(";"))
        form = _MEDIA.get(media)
        if form is None:
            continue
        weight = 1.0
        for name, _, value in (parameter.partition("=") for parameter in parameters):
            if name.strip() == "q":
                weight = _weight(value.strip())
        best[form] = max(best.get(form, 0.0), weight)
    order: tuple[Form, ...] = ("page", "json", "csv")
    chosen = max(order, key=lambda form: (best.get(form, 0.0), -order.index(form)))
    return chosen if best.get(chosen, 0.0) > 0 else "page"


def _weight(text: str) -> float:
    try:
        weight = float(text) if len(text) <= 5 else 0.0
    except ValueError:
        return 0.0
    return weight if 0.0 <= weight <= 1.0 else 0.0


def as_asked(request: WebRequest) -> Form:
    """The form of this answer; its errors come in JSON too when JSON is wanted. An address that ends in ``.json`` is JSON."""
    form = "json" if request.wants_json else form_of(request.headers.get("accept", ""))
    if form == "json":
        request.wants_json = True
    return form
