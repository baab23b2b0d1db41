"""The catalogue, a register, a matter's access, the ledger. Each page is JSON at the same address with ``.json``."""

from __future__ import annotations

from starlette.responses import Response

from dizuo.foundation.kernel.errors import NotFound
from dizuo.web import WebRequest, answer

from .stores import AskedLately, Stores, look
from .views import DataMaker


class NoSuchRegister(NotFound):
    """没有这个登记簿。"""

    fix = "请从数据目录里选。"


class MatterNotListed(NotFound):
    """没有这件事。"""

    fix = "请从数据目录里选。"


def _maker(request: WebRequest) -> DataMaker:
    words = request.shell.templates(request.door).words[request.lang]
    return DataMaker(request.dizuo.city, request.lang, words)


async def _look(request: WebRequest) -> Stores:
    app, state = request.dizuo, request.app.state
    if not hasattr(state, "data_asked"):
        state.data_asked = AskedLately()
    return await look(app.pool, app.cases, state.data_asked)


async def catalogue(request: WebRequest) -> Response:
    """Every register, every matter, the ledger in one line."""
    return answer(request, "catalogue.html", _maker(request).home(await _look(request)))


async def register(request: WebRequest) -> Response:
    """One register."""
    found = request.dizuo.city.registers.get(str(request.path_params["register"]))
    if found is None:
        raise NoSuchRegister()
    return answer(request, "register.html", _maker(request).register(found, await _look(request)))


async def matter(request: WebRequest) -> Response:
    """Which item of a matter reads what, for what, on which law."""
    found = request.dizuo.city.matters.get(str(request.path_params["matter"]))
    if found is None:
        raise MatterNotListed()
    stores = await _look(request)
    return answer(request, "matter.html", _maker(request).matter(found, stores.asked.get(found.id)))


async def ledger(request: WebRequest) -> Response:
    """The ledger's state and how anybody verifies it."""
    app = request.dizuo
    view = _maker(request).ledger(await _look(request), app.ledger_key, app.ledger_origin)
    return answer(request, "ledger.html", view)
