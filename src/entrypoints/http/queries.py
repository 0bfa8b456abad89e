"""Query strings: UTF-8, no character that no database stores, and no parameter that the route does not know."""

from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.handlers.http_handlers.base import HTTPRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from src.domain.shared.errors import FieldError, Invalid, invalid_field
from src.entrypoints.http.problems import problem_of
from src.entrypoints.http.requests import answer, is_http


class QueryGuard:
    """Refuses in one place what would fail late, in the database, for each text parameter."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_http(scope):
            try:
                _check(scope["query_string"])
            except Invalid as error:
                await answer(problem_of(error), scope["state"]["trace_id"], send)
                return
        await self._app(scope, receive, send)


def _check(query: bytes) -> None:
    """Raises Invalid naming the parameter."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeError, ValueError):
        raise invalid_field("query", "The query is no percent-encoded UTF-8.") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise invalid_field(name.replace("\0", "?"), "The NUL character is not allowed.")


_known: WeakKeyDictionary[BaseRouteHandler, frozenset[str]] = WeakKeyDictionary()


async def refuse_unknown_parameters(request: Request[Any, Any, Any]) -> None:
    """Before a request is read: a filter whose name is mistyped must not give everything. Raises Invalid naming the parameters.

    No guard, because Litestar copies the handler for each; asynchronous, because it would run a plain function in a thread.
    """
    handler = request.route_handler
    if not request.scope["query_string"] or not isinstance(handler, HTTPRouteHandler):
        return
    known = _known.get(handler)
    if known is None:
        model = handler.create_kwargs_model(dict(request.path_params))
        known = _known[handler] = frozenset(one.field_alias for one in model.expected_query_params)
    told = f"This parameter is not known; known are {', '.join(sorted(known))}." if known else "None is known here."
    if unknown := sorted(set(request.query_params) - known):
        raise Invalid("Some parameters are not known.", fields=tuple(FieldError(name, told) for name in unknown))
