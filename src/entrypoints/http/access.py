"""Who may call which route. Each handler says it; the use case behind it asks for it; a test holds one against the other."""

from dataclasses import dataclass
from enum import StrEnum

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from src.domain.identity.actor import Permission


class Door(StrEnum):
    """What a caller must show."""

    EVERYBODY = "everybody"
    USERS = "users"
    OPERATORS = "operators"


@dataclass(frozen=True, slots=True, order=True)
class Access:
    """*permission* is that of a users' route; None for the other doors."""

    path: str
    method: str
    door: Door
    permission: Permission | None


class AccessUnsaid(Exception):
    """A handler that does not say who may call it."""


def accesses_of(app: Litestar) -> list[Access]:
    """Every documented route, by path. Raises AccessUnsaid."""
    return sorted(
        _access(route, method, handler)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method not in {"OPTIONS", "HEAD"} and handler.resolve_include_in_schema()
    )


def _access(route: HTTPRoute, method: str, handler: HTTPRouteHandler) -> Access:
    told = handler.opt
    permission = told.get("permission")
    if isinstance(permission, Permission):
        return Access(route.path_format, method, Door.USERS, permission)
    if told.get("for_operators"):
        return Access(route.path_format, method, Door.OPERATORS, None)
    if told.get("open_to_all"):
        return Access(route.path_format, method, Door.EVERYBODY, None)
    message = f"{method} {route.path_format} does not say who may call it."
    raise AccessUnsaid(message)
