"""Addresses of the database: one for each role, all of them following from the administrator's and the secret key."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

OWNER: Final = "proffer_owner"
APP: Final = "proffer_app"
OPERATOR: Final = "proffer_operator"
WORKER: Final = "proffer_worker"
DOOR: Final = "proffer_door"

_DRIVER: Final = "postgresql+asyncpg"
_TRANSLATED: Final = {"sslmode": "ssl"}
_OURS: Final = frozenset({"application_name", "connect_timeout"})  # Every pool has its own; not worth a refusal.
_KNOWN: Final = frozenset({"ssl", "host", "port"})
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One address, one pool, for each role; no connection ever changes its role."""

    owner: str
    app: str
    operator: str
    worker: str


class AddressUnusable(ValueError):
    """The message says why, and never repeats the address: a password stands in it."""


def administrators_url(url: str) -> URL:
    """*url* as asyncpg takes it; libpq's form (``postgres://…?sslmode=require``) is translated. Raises AddressUnusable."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise AddressUnusable("Write it as postgresql://user:password@host/database.") from None
    if parsed.drivername.partition("+")[0] not in {"postgres", "postgresql"}:
        raise AddressUnusable("Proffer needs a PostgreSQL: postgresql://user:password@host/database.")
    query = {_TRANSLATED.get(name, name): value for name, value in parsed.query.items() if name not in _OURS}
    if unknown := sorted(query.keys() - _KNOWN):
        raise AddressUnusable(
            f"Take {', '.join(unknown)} out of it: only sslmode is understood. "
            "Certificates are named by PGSSLROOTCERT, PGSSLCERT and PGSSLKEY."
        )
    if query.get("ssl", "prefer") not in _SSL_MODES:
        raise AddressUnusable(f"Its sslmode must be one of {', '.join(_SSL_MODES)}.")
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
