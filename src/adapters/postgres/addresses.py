"""Addresses of the database: one for each role, all of them following from the administrator's and the secret key."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy.engine import URL, make_url

OWNER: Final = "proffer_owner"
APP: Final = "proffer_app"
OPERATOR: Final = "proffer_operator"
WORKER: Final = "proffer_worker"
DOOR: Final = "proffer_door"

_DRIVER: Final = "postgresql+asyncpg"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One address, one pool, for each role; no connection ever changes its role."""

    owner: str
    app: str
    operator: str
    worker: str


def administrators_url(url: str) -> URL:
    """*url* as asyncpg takes it; addresses in libpq's form (``postgres://…?sslmode=require``) are translated."""
    parsed = make_url(url)
    query = dict(parsed.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return parsed.set(drivername=_DRIVER, query=query)


def password_of(role: str, secret: str) -> str:
    """A role's password: HMAC-SHA256 of its name under the installation's secret key."""
    return hmac.new(secret.encode(), role.encode(), sha256).hexdigest()


def role_urls(admin_url: str, secret: str) -> DatabaseUrls:
    """The addresses of all roles, in the database that *admin_url* names."""
    admin = administrators_url(admin_url)

    def of(role: str) -> str:
        url = admin.set(username=role, password=password_of(role, secret))
        return url.render_as_string(hide_password=False)

    return DatabaseUrls(owner=of(OWNER), app=of(APP), operator=of(OPERATOR), worker=of(WORKER))
