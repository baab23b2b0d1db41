"""封存: orders to read what the person is told of only later, their approval, the read, and the closed seals of whoever oversees."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from starlette.responses import Response

from dizuo.engines import registers
from dizuo.engines.registers import SealedAsk, SealOrder
from dizuo.foundation.kernel.clock_source import to_shanghai
from dizuo.foundation.kernel.errors import Invalid, NotFound
from dizuo.foundation.ledger import closed_seals, extend_seal, lift_seal, seals_in_force
from dizuo.web import ONCE_FIELD, Route, WebRequest, answer, redirect

from .pages_objections import posts_of
from .views_seals import SealsMaker

_ORDER: Final = "/data/seals/orders/{order:int}"
_SEAL: Final = "/data/seals/{entry:int}"


class NoSuchOrder(NotFound):
    """没有找到这份封存调取，或者它不归您看。"""

    fix = "请回到“封存”的列表。"


def _maker(request: WebRequest) -> SealsMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return SealsMaker(request.dizuo.city, request.lang, words["seals"])


async def seals(request: WebRequest) -> Response:
    """How many seals are in force, those that one oversees or may lift, and one's orders."""
    return await _page(request, {})


async def _page(request: WebRequest, errors: Mapping[str, str], status: int = 200) -> Response:
    account, posts = posts_of(request)
    async with request.dizuo.pool.acquire() as connection:
        closed, force = await closed_seals(connection, posts), await seals_in_force(connection)
    orders = await registers.seal_orders(request.dizuo.pool, account, posts)
    view = _maker(request).page(force, closed, orders, posts, errors, request.sent if errors else None)
    return answer(request, "seals.html", view, status=status)


async def asked(request: WebRequest) -> Response:
    """An order to read sealed."""
    account, posts = posts_of(request)
    try:
        ask = _asked(request)
        ground = request.dizuo.city.seal_grounds.get(ask.ground)
        unit = ground.organisation if ground else ""
        today = to_shanghai(request.dizuo.now()).date()
        app = request.dizuo
        number = await registers.ask_sealed(
            app.pool, app.city, ask, today, unit=unit, post=posts.get(unit, ""), official=account
        )
    except Invalid as error:
        return await _page(request, error.fields, 422)
    return redirect(f"/data/seals/orders/{number}")


def _asked(request: WebRequest) -> SealedAsk:
    """The form. Errors: Invalid, with everything that is missing at once, in the order of the page."""
    sent, words = request.sent, _maker(request).words
    wrong = {
        name: words[f"{name}_missing"] for name in ("number", "whom", "why") if not sent.text(name).strip()
    }
    chosen = [one.partition(".") for one in sent.all("fields")]
    if len({register for register, _, _ in chosen}) != 1:
        wrong["fields"] = words["one_register"]
    scheme = sent.text("scheme")
    if scheme not in ("citizen_id", "uscc"):
        wrong["scheme"] = words["scheme_missing"]
    try:
        _day(sent.text("opens_on"), words)
    except Invalid as error:
        wrong |= error.fields
    if wrong or scheme not in ("citizen_id", "uscc"):
        raise Invalid(
            {
                name: wrong[name]
                for name in ("number", "scheme", "whom", "fields", "opens_on", "why")
                if name in wrong
            }
        )
    return SealedAsk(
        sent.text(ONCE_FIELD)[:60], sent.text("ground")[:64], sent.text("number")[:100], chosen[0][0],
        tuple(field for _, _, field in chosen), scheme, sent.text("whom")[:64],
        _day(sent.text("opens_on"), words), sent.text("why")[:1000],
    )  # fmt: skip


def _day(text: str, words: Mapping[str, Any]) -> dt.date:
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError as error:
        raise Invalid({"opens_on": words["day_missing"]}) from error


async def order(request: WebRequest) -> Response:
    """One order: to be approved, or to be read on."""
    return answer(request, "seal_order.html", _maker(request).order(await _order(request), (), {}))


async def _order(request: WebRequest) -> SealOrder:
    """Errors: NoSuchOrder."""
    account, posts = posts_of(request)
    wanted = request.path_params["order"]
    for one in await registers.seal_orders(request.dizuo.pool, account, posts):
        if one.id == wanted:
            return one
    raise NoSuchOrder()


async def decided(request: WebRequest) -> Response:
    """Approve or decline somebody else's order."""
    found = await _order(request)
    account, posts = posts_of(request)
    state, says = request.sent.text("state"), request.sent.text("said")
    try:
        if state not in ("approve", "decline"):
            raise Invalid({"state": _maker(request).words["state_missing"]})
        await registers.decide_sealed(
            request.dizuo.pool, found.id, state == "approve", says,
            unit=found.unit, post=posts.get(found.unit, ""), official=account,
        )  # fmt: skip
    except Invalid as error:
        fields = {"said" if name == "number" else name: says for name, says in error.fields.items()}
        view = _maker(request).order(found, (), fields)
        return answer(request, "seal_order.html", view, status=422)
    return redirect(f"/data/seals/orders/{found.id}")


async def read(request: WebRequest) -> Response:
    """Read on one's approved order; the sealed entries are on disk before the values are here."""
    found = await _order(request)
    account, posts = posts_of(request)
    records = await registers.read_sealed(
        request.dizuo.pool, found.id, unit=found.unit, post=posts.get(found.unit, ""), official=account
    )
    return answer(request, "seal_order.html", _maker(request).order(found, records, {}, read=True))


async def extended(request: WebRequest) -> Response:
    """Keep a seal for longer, with a reason."""
    words = _maker(request).words

    async def act(entry: int, why: str, unit: str, post: str, account: int) -> None:
        until = _day(request.sent.text("opens_on"), words)
        await extend_seal(request.dizuo.pool, entry, until, why, unit=unit, post=post, official=account)

    return await _on_seal(request, act)


async def lifted(request: WebRequest) -> Response:
    """Open a seal before its day, with a reason."""

    async def act(entry: int, why: str, unit: str, post: str, account: int) -> None:
        await lift_seal(request.dizuo.pool, entry, why, unit=unit, post=post, official=account)

    return await _on_seal(request, act)


async def _on_seal(
    request: WebRequest, act: Callable[[int, str, str, str, int], Awaitable[None]]
) -> Response:
    """Do something to one of the seals that one sees. Errors: NoSuchOrder, SealKept."""
    account, posts = posts_of(request)
    wanted = request.path_params["entry"]
    async with request.dizuo.pool.acquire() as connection:
        found = next((one for one in await closed_seals(connection, posts) if one.entry == wanted), None)
    if found is None:
        raise NoSuchOrder()
    grounds = request.dizuo.city.seal_grounds
    overseer = grounds[found.ground].overseer if found.ground in grounds else ""
    unit = overseer if found.overseen and overseer in posts else found.unit
    try:
        await act(wanted, request.sent.text("why"), unit, posts.get(unit, ""), account)
    except Invalid as error:
        return await _page(request, error.fields, 422)
    return redirect("/data/seals")


ROUTES: Final = (
    Route("GET", "/data/seals", seals, purpose="See which entries are kept sealed for how long.", who="official"),
    Route("POST", "/data/seals/orders", asked, purpose="Order a read that the person is told of later.", who="official:seal.order"),
    Route("GET", _ORDER, order, purpose="Read one order to read sealed.", who="official"),
    Route("POST", _ORDER, decided, purpose="Approve or decline an order of somebody else.", who="official:seal.approve"),
    Route("POST", _ORDER + "/read", read, purpose="Read on an approved order; entered first, sealed.", who="official:seal.order"),
    Route("POST", _SEAL + "/extend", extended, purpose="Keep a seal for longer, with a reason.", who="official:seal.approve"),
    Route("POST", _SEAL + "/lift", lifted, purpose="Open a seal before its day, with a reason.", who="official"),
)  # fmt: skip
