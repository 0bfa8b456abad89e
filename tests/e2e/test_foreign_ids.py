"""Every address of the API, taken from the OpenAPI document: what belongs to others looks like what does not exist."""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from litestar import Litestar

from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team
from tests.e2e.identities import FACTORIES
from tests.e2e.offers import a_draft, a_policy

pytestmark = pytest.mark.asyncio


# What an id is of, where its name does not say; with its path in front where it is something else there.
KINDS: Final = {
    "owner_id": "user_id",
    "users": "user_id",
    "escalate_to_users": "user_id",
    "from_user_id": "user_id",
    "to_user_id": "user_id",
    "submitted_by": "user_id",
    "parent_id": "category_id",
    "category_ids": "category_id",
    "product_ids": "product_id",
    "scope_id": "group_id",
    "tiers_from": "price_list_id",
    "resource_id": "quote_id",
    "subject_id": "quote_id",
    "id": "line",
    "/api/v1/customers/{customer_id}/merge duplicate_id": "customer_id",
    "/api/v1/contacts/{contact_id}/merge duplicate_id": "contact_id",
}
# An id that names nothing that is there already.
NOT_LOOKED_UP: Final = {
    **{
        f"post /api/v1/exports filters.{name}": "a condition that is kept as it is, and met by nothing of one's own"
        for name in ("customer_id", "owner_id", "resource_id", "user_id")
    },
    "post /api/v1/audit/verification heads.[].organization_id": "part of a signed text, held against the asker's own chain",
    "post /api/v1/quotes/{quote_id}/resend contact_ids.[]": "looked for among those whom the offer names",
}


async def _product_body(_: Team) -> dict[str, Any]:
    return {"sku": uuid4().hex, "name": "Desk", "list_price": "1"}


async def _named_body(_: Team) -> dict[str, Any]:
    return {"name": uuid4().hex}


async def _coupon_body(_: Team) -> dict[str, Any]:
    return {"code": uuid4().hex, "percent": "5"}


async def _tiers_body(_: Team) -> dict[str, Any]:
    return {"tiers": [{"discount_percent": "5"}]}


async def _prices_body(team: Team) -> dict[str, Any]:
    return {"items": [{"product_id": await FACTORIES["product_id"](team), "quantity": "1"}]}


async def _draft_body(team: Team) -> dict[str, Any]:
    line = {"quantity": "1", "description": "Desk", "unit_price": "1"}
    return {"customer_id": await FACTORIES["customer_id"](team), "lines": [line]}


async def _lines_body(_: Team) -> dict[str, Any]:
    return {"lines": [{"quantity": "1", "description": "Desk", "unit_price": "1"}]}


async def _policy_body(_: Team) -> dict[str, Any]:
    return {"name": "P", "steps": [{"name": "S", "roles": ["owner"]}]}


async def _simulation_body(_: Team) -> dict[str, Any]:
    return {"from": "2026-01-01", "to": "2026-01-02", "steps": [{"name": "S", "roles": ["owner"]}]}


async def _steps_body(_: Team) -> dict[str, Any]:
    return {"steps": [{"name": "S", "roles": ["owner"]}]}


async def _words_body(_: Team) -> dict[str, Any]:
    return {"kind": "offer", "language": "fr", "subject": "x", "text": "x"}


async def _delegation_body(team: Team) -> dict[str, Any]:
    day = (datetime.now(UTC).date() + timedelta(days=2)).isoformat()
    return {"to_user_id": str(team.organization.users[Role.APPROVER].id), "starts_on": day, "ends_on": day}


# Bodies that would be taken but for the id that is put in.
BASES: Final[dict[str, Callable[[Team], Awaitable[dict[str, Any]]]]] = {
    "post /api/v1/customers": _named_body,
    "post /api/v1/products": _product_body,
    "post /api/v1/categories": _named_body,
    "post /api/v1/prices": _prices_body,
    "post /api/v1/price-lists": _named_body,
    "put /api/v1/price-lists/{price_list_id}/prices": _tiers_body,
    "post /api/v1/coupons": _coupon_body,
    "post /api/v1/quotes": _draft_body,
    "post /api/v1/quotes/calculate": _draft_body,
    "patch /api/v1/quotes/{quote_id}": _lines_body,
    "post /api/v1/approval-policies": _policy_body,
    "patch /api/v1/approval-policies/{policy_id}": _steps_body,
    "post /api/v1/approval-policies/{policy_id}/simulate": _simulation_body,
    "post /api/v1/delegations": _delegation_body,
    "post /api/v1/mail-templates/preview": _words_body,
}
# What an id needs beside it.
EXTRAS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "scope_id": lambda: {"scope": "group"},
    "participants": lambda: {"participants": [{"role": "copy"}]},
    "escalate_to_users": lambda: {"steps": [{"name": "S", "roles": ["owner"], "escalate_after_hours": 4}]},
}
QUERIES: Final[dict[str, dict[str, str]]] = {
    "/api/v1/audit/entries": {"resource_type": "quote"},
    "/api/v1/audit/export": {"resource_type": "quote"},
}
# Bodies that would be taken, so that nothing but the id decides.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "/approve": {"content_digest": "0" * 64},
    "/reject": {"content_digest": "0" * 64, "reason": "No."},
    "/send": {},
    "/resend": {},
    "/cancel": {"reason": "mistake"},
    "/contacts": {"name": "Ann", "email": "ann@example.com"},
    "/reprice": {},
    "/group": {"group_id": None},
    "/prices": {"tiers": [{"discount_percent": "5"}]},
    "/{user_id}": {"name": "x"},
    "/{field_id}": {"label": "x"},
    "/{template_id}": {"subject": "x"},
    "/preview": {},
    "/{policy_id}": {"name": "x"},
    "/simulate": {"from": "2026-01-01", "to": "2026-01-02"},
    "/comments": {"text": "x"},
    "/{customer_id}": {"notes": "x"},
    "/{contact_id}": {"name": "x"},
    "/link": {},
    "/merge": {"duplicate_id": str(uuid4())},
    "/customers/{customer_id}/reject": {"reason": "x"},
    "/suspend": {"reason": "x"},
    "/{product_id}": {"name": "x"},
    "/{category_id}": {"name": "x"},
    "/{tax_rate_id}": {"name": "x"},
    "/{group_id}": {"name": "x"},
    "/{price_list_id}": {"name": "x"},
    "/{coupon_id}": {"active": False},
}


async def test_foreign_ids_in_addresses_are_answered_like_unknown_ones(
    app: Litestar, team: Team, strangers: Team
) -> None:
    walked = 0
    for path, item in app.openapi_schema.to_schema()["paths"].items():
        names = re.findall(r"{(\w+)}", path)
        # Operators name organisations, and see all of them; a link is for whoever carries it.
        if not names or path.startswith(("/platform/", "/api/v1/downloads/")):
            continue
        foreign = {name: await FACTORIES[name](strangers) for name in names}
        unknown = {name: "1" if name == "number" else str(uuid4()) for name in names}
        for method in item:
            answers = [await _call(team.admin, method, path.format(**ids), path) for ids in (foreign, unknown)]
            assert answers[0] == answers[1], (method, path)
            assert answers[0][0] == 404, (method, path, answers)
            walked += 1
    assert walked >= 15


@pytest.mark.parametrize("where", ["query", "body"])
async def test_foreign_ids_in_queries_and_bodies_are_answered_like_unknown_ones(
    where: str, app: Litestar, team: Team, strangers: Team
) -> None:
    foreign, document = Foreign(strangers), app.openapi_schema.to_schema()
    walked = 0
    for place in (*_places(document),):
        if place.where != where or place.told in NOT_LOOKED_UP:
            continue
        answers = []
        for identity in (await foreign.identity(place), str(uuid4())):
            own = {name: await FACTORIES[name](team) for name in re.findall(r"{(\w+)}", place.path)}
            answers.append(_told(await _ask(team, place, place.path.format(**own), identity)))
        assert answers[0] == answers[1], place
        status, _, told = answers[0]
        # Nothing but the id decided; a line's is looked for among those of the draft alone.
        assert status in {200, 404} or (status == 422 and f"lines[0].{place.name}" in told), (place, told)
        walked += 1
    assert walked >= 15


async def test_lists_show_own_things_only(team: Team, strangers: Team) -> None:
    foreign = await a_draft(strangers.sales)
    await a_policy(strangers.admin)

    for kind in ("product_id", "category_id", "tax_rate_id", "group_id", "price_list_id", "coupon_id", "job_id"):
        await FACTORIES[kind](strangers)
    for path in (
        *("quotes", "customers", "contacts", "products", "approvals", "approval-policies"),
        *("categories", "tax-rates", "customer-groups", "price-lists", "coupons", "exchange-rates", "jobs"),
    ):
        assert (await team.owner.get(f"/api/v1/{path}")).json()["total"] == 0, path
    by_customer = await team.owner.get("/api/v1/quotes", customer_id=foreign["customer_id"])
    by_search = await team.owner.get("/api/v1/quotes", search=foreign["number"])

    assert by_customer.json()["total"] == by_search.json()["total"] == 0


async def _call(caller: Caller, method: str, path: str, template: str) -> tuple[int, dict[str, str], str]:
    content = b""
    if method == "post" and template.endswith("/attachments"):
        return _told(await caller.send("POST", f"{path}?file_name=a.txt", b"x", "text/plain"))
    if method in {"post", "patch", "put"}:
        fitting = [ending for ending in BODIES if template.endswith(ending)]
        body = BODIES[max(fitting, key=len)] if fitting else {"title": "x"} if method == "patch" else None
        return _told(await getattr(caller, method)(path, body))
    if method == "delete":
        return _told(await caller.delete(path))
    return _told(await caller.send(method.upper(), path, content))


@dataclass(frozen=True, slots=True)
class Place:
    """An id in a query or a body; *steps* lead to it, ``[]`` into a list."""

    method: str
    path: str
    where: str
    steps: tuple[str, ...]

    @property
    def told(self) -> str:
        return f"{self.method} {self.path} {'.'.join(self.steps)}"

    @property
    def name(self) -> str:
        return next(step for step in reversed(self.steps) if step != "[]")


def _places(document: dict[str, Any]) -> Iterator[Place]:
    """Every id that the OpenAPI document knows outside of addresses."""
    for path, item in document["paths"].items():
        if path.startswith("/platform/"):
            continue
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and [*_ids_in(document, parameter["schema"])]:
                    yield Place(method, path, "query", (parameter["name"],))
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for steps in sorted(set(_ids_in(document, content["schema"]))):
                    yield Place(method, path, "body", steps)


def _ids_in(document: dict[str, Any], schema: dict[str, Any], steps: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if schema.get("format") == "uuid":
        yield steps
    for one in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from _ids_in(document, one, steps)
    for name, inner in schema.get("properties", {}).items():
        yield from _ids_in(document, inner, (*steps, name))
    if "items" in schema:
        yield from _ids_in(document, schema["items"], (*steps, "[]"))


class Foreign:
    """Ids of another organisation, each made once."""

    def __init__(self, strangers: Team) -> None:
        self._strangers = strangers
        self._made: dict[str, str] = {}

    async def identity(self, place: Place) -> str:
        kind = KINDS.get(f"{place.path} {place.name}") or KINDS.get(place.name) or place.name
        if kind not in self._made:
            self._made[kind] = await FACTORIES[kind](self._strangers)
        return self._made[kind]


async def _ask(team: Team, place: Place, path: str, identity: str) -> Any:
    if place.where == "query":
        query = QUERIES.get(place.path, {}) | {place.name: identity}
        asked = team.admin.get(path, **query) if place.method == "get" else team.admin.delete(path, **query)
        return await asked
    make = BASES.get(f"{place.method} {place.path}")
    body = {} if make is None else await make(team)
    for step in place.steps:
        body |= EXTRAS[step]() if step in EXTRAS else {}
    _put(body, place.steps, identity)
    return await getattr(team.admin, place.method)(path, body)


def _put(body: Any, steps: Sequence[str], identity: str) -> None:
    """Set what *steps* lead to, in the first thing of each list."""
    step, *more = steps
    key: Any = step
    if step == "[]":
        key = 0
        if not body:
            body.append({})
    if not more:
        body[key] = identity
        return
    if step != "[]":
        body.setdefault(step, [] if more[0] == "[]" else {})
    _put(body[key], more, identity)


# What every answer has of its own, and what every success has.
_VOLATILE = frozenset({"x-trace-id"})
_OF_SUCCESS = frozenset({"etag", "location", "content-length"})
_OWN = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32}|Q-\d{4}-\d{6}|\d{4}-\d\d-\d\dT[0-9:.]+Z")


def _told(answer: Any) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, without what is new in each: ids (one that was asked for may be repeated), times, numbers."""
    ignored = _VOLATILE | _OF_SUCCESS if answer.is_success else _VOLATILE
    headers = {name: value for name, value in answer.headers.items() if name not in ignored}
    return answer.status_code, headers, _OWN.sub("…", answer.text)
