"""Which handler a request is for; asked before anything else, so that what nobody takes is told as that."""

from litestar import Litestar
from litestar.exceptions import MethodNotAllowedException, NotFoundException
from litestar.types import ASGIApp, Receive, Scope, Send
from litestar.utils import normalize_path

from src.entrypoints.http.problems import problem_of
from src.entrypoints.http.requests import answer, is_http


class RouteGuard:
    """Answers 404 and 405 in front of the guards of queries and bodies, which would complain of what does not matter.

    The guards inside of it find the ``route_handler`` in the scope, and the path without doubled or trailing slashes.
    """

    def __init__(self, app: ASGIApp, litestar: Litestar) -> None:
        self._app, self._router = app, litestar.asgi_router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_http(scope):
            path = normalize_path(scope["path"])
            try:
                _, scope["route_handler"], *_ = self._router.handle_routing(path=path, method=scope["method"])
            except (NotFoundException, MethodNotAllowedException) as error:
                await answer(problem_of(error), scope["state"]["trace_id"], send)
                return
            scope["path"] = path
        await self._app(scope, receive, send)
