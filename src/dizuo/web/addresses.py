"""Finding the row of an address: plain addresses in a dictionary, those with places by how deep they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from starlette.routing import BaseRoute, Match, NoMatchFound, Route
from starlette.types import Receive, Scope, Send

_ROUTE = "dizuo.route"


class AddressTable(BaseRoute):
    """Many routes as one: a city has some hundred, and asking each for every page costs more than the page's headers.

    Routes are asked in the order given among those that can match at all.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._plain: dict[str, Route] = {}
        self._deep: dict[int, list[Route]] = {}
        for route in routes:
            if "{" in route.path:
                self._deep.setdefault(route.path.count("/"), []).append(route)
            else:
                self._plain.setdefault(route.path, route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The route's own match, with the route kept for ``handle``."""
        path: str = scope["path"]
        plain = self._plain.get(path)
        for route in (plain,) if plain is not None else self._deep.get(path.count("/"), ()):
            match, child = route.matches(scope)
            if match is not Match.NONE:
                child[_ROUTE] = route
                return match, child
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: object) -> NoReturn:
        """Addresses are written out in templates; nothing is looked up by name. Errors: NoMatchFound."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await scope[_ROUTE].handle(scope, receive, send)
