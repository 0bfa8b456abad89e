"""Query strings: UTF-8, and no character that no database stores."""

from urllib.parse import parse_qsl

from litestar.types import ASGIApp, Receive, Scope, Send

from src.domain.shared.errors import Invalid, invalid_field
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
