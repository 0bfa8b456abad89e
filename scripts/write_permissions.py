"""Write docs/permissions.md from the matrix in the domain and from what each route says: python -m scripts.write_permissions."""

from pathlib import Path

from litestar import Litestar

from src.adapters.security import KeyRing, SystemVault
from src.domain.identity.actor import PERMISSIONS, Permission, Role
from src.domain.identity.api_key import NEVER_IN_SCOPE
from src.entrypoints.http.access import Access, Door, accesses_of
from src.entrypoints.http.api import CONTROLLERS
from src.entrypoints.http.app import HttpSettings, create_app

FILE = Path(__file__).resolve().parents[1] / "docs" / "permissions.md"

_HEAD = """# Permissions

Written by `python -m scripts.write_permissions` from the matrix in `src/domain/identity/actor.py` and from what each
route says of itself; a test holds both against what happens. Every use case asks for one permission, whatever called it:
HTTP, the command line or a job.

The last column says what an API key's scope may be: a key does what its scopes and its maker's role both allow.
"""


def permissions_document(accesses: list[Access]) -> str:
    """The whole file."""
    rows = [
        ["permission", *(role.value for role in Role), "API key"],
        ["---", *("---" for _ in Role), "---"],
    ]
    for permission in Permission:
        roles = ["●" if permission in PERMISSIONS[role] else "" for role in Role]
        if any(roles):
            rows.append([f"`{permission.value}`", *roles, "" if permission in NEVER_IN_SCOPE else "●"])
    routes = [["route", "needs"], ["---", "---"]]
    routes += [[f"`{one.method} {one.path}`", _needs(one)] for one in accesses]
    return f"{_HEAD}\n## Who has what\n\n{_table(rows)}\n\n## What each route needs\n\n{_table(routes)}\n"


def application() -> Litestar:
    """The routes alone, on no container."""
    vault = SystemVault(KeyRing(["only for its routes; nothing is sealed with this"]))
    return create_app(route_handlers=CONTROLLERS, settings=HttpSettings(), vault=vault)


def _needs(access: Access) -> str:
    match access.door:
        case Door.EVERYBODY:
            return "nothing"
        case Door.OPERATORS:
            return "an operator's key"
        case Door.USERS:
            assert access.permission is not None
            return f"`{access.permission.value}`"


def _table(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    FILE.write_text(permissions_document(accesses_of(application())), encoding="utf-8")
    print(f"Wrote {FILE.relative_to(Path.cwd())}.")
