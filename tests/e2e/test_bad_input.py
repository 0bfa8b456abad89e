"""Whatever comes in, the answer is a documented 4xx that names the field, and nothing is stored."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from httpx import Response

from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import LINE, VAT_19, a_contact, a_customer, a_pending_quote

pytestmark = pytest.mark.asyncio

API: Final = "/api/v1"
QUOTES: Final = f"{API}/quotes"

# The hostile numbers of the promise S16, as texts where a decimal is wanted.
HOSTILE_DECIMALS: Final = (
    "NaN", "sNaN", "-NaN", "Infinity", "-Infinity", "inf", "1e6", "1e-6", "1e1000000", "1E400", "1e999999999",
    "9" * 16, "9" * 1_000_000, "0." + "1" * 7, "+1", "1.", ".5", "", " ", " 1", "1 ", "1_0", "1,5", "0x10", "٣", "１",
    "१", "1\u00a0", "1\n", "--1", "1-", "½", "null", "true", "[]", "1;drop", "\u0000", "1\u0000", "۱۲",
)  # fmt: skip
HOSTILE_VALUES: Final[tuple[Any, ...]] = (True, False, None, [], {}, ["1"], {"a": 1}, 1, 1.5, -0.0, 10**30)
TOO_LARGE: Final = {
    "quantity": ("1000000000", "-1000000000"),
    "unit_price": ("1000000000000", "-1000000000000"),
    "price_base_quantity": ("0", "-1"),
}
HOSTILE_LINES: Final = ("Desk\u0000", "\ud800", "x" * 2001)


@dataclass(frozen=True)
class Case:
    """*status* and *code* that must come, and the *field* that must be named (empty: none)."""

    name: str
    body: Callable[[dict[str, Any]], bytes]
    status: int
    code: str
    field: str = ""
    path: str = QUOTES
    content_type: str = "application/json"


def _raw(text: str | bytes) -> Callable[[dict[str, Any]], bytes]:
    return lambda _: text.encode() if isinstance(text, str) else text


def _quote(**changes: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda valid: json.dumps(valid | changes).encode()


def _line(**changes: Any) -> Callable[[dict[str, Any]], bytes]:
    return _quote(lines=[LINE, LINE | changes])


CASES: Final = (
    Case("malformed JSON", _raw('{"customer_id": '), 400, "malformed_json"),
    Case("a trailing comma", _raw('{"lines": [],}'), 400, "malformed_json"),
    Case("two documents", _raw("{} {}"), 400, "malformed_json"),
    Case("no JSON at all", _raw("<xml/>"), 400, "malformed_json"),
    Case("200,000 brackets", _raw("[" * 200_000), 400, "malformed_json"),
    Case("200,000 objects", _raw('{"a":' * 200_000), 400, "malformed_json"),
    Case("invalid UTF-8", _raw(b'{"title": "\xff\xfe"}'), 400, "malformed_json"),
    Case("UTF-16", _raw('{"title": "a"}'.encode("utf-16")), 400, "malformed_json"),
    Case("duplicate keys", _raw('{"title": "a", "title": "b"}'), 400, "malformed_json"),
    Case("duplicate keys deep inside", _raw('{"lines": [{"quantity": "1", "quantity": "2"}]}'), 400, "malformed_json"),
    Case("NaN as a number", _raw('{"title": NaN}'), 400, "malformed_json"),
    Case("Infinity as a number", _raw('{"title": -Infinity}'), 400, "malformed_json"),
    Case("a NUL character", _quote(title="a\u0000b"), 400, "malformed_json"),
    Case("a lone surrogate", _raw('{"title": "\\ud800"}'), 400, "malformed_json"),
    Case("too large a body", _raw('{"title": "' + "x" * 9_000_000 + '"}'), 413, "body_too_large"),
    Case("a form", _raw("a=1"), 415, "unsupported_media_type", content_type="application/x-www-form-urlencoded"),
    Case("JSON called text", _raw("{}"), 415, "unsupported_media_type", content_type="text/plain"),
    Case("no body", _raw(""), 422, "validation_failed", "body"),
    Case("a list", _raw("[]"), 422, "validation_failed", "body"),
    Case("a text", _raw('"quote"'), 422, "validation_failed", "body"),
    Case("an unknown field", _quote(statuz="sent"), 422, "validation_failed", "statuz"),
    Case("a field of the server", _quote(status="approved"), 422, "validation_failed", "status"),
    Case("an unknown field of a line", _line(nett="1"), 422, "validation_failed", "lines[1].nett"),
    Case("a wrong type", _quote(title=5), 422, "validation_failed", "title"),
    Case("lines that are no list", _quote(lines={}), 422, "validation_failed", "lines"),
    Case("an id that is none", _quote(customer_id="1"), 422, "validation_failed", "customer_id"),
    Case("no customer", lambda valid: json.dumps({"title": valid["title"]}).encode(), 422, "validation_failed", "customer_id"),
    Case("a date that is none", _quote(valid_until="2026-02-30"), 422, "validation_failed", "valid_until"),
    Case("an unknown currency", _quote(currency="XYZ"), 422, "validation_failed", "currency"),
    Case("a currency without minor digits of its own", _quote(currency="XAU"), 422, "validation_failed", "currency"),
    Case("an over-long title", _quote(title="x" * 201), 422, "validation_failed", "title"),
    Case("a title of two lines", _quote(title="a\nb"), 422, "validation_failed", "title"),
    Case("over-long terms", _quote(terms="x" * 10_001), 422, "validation_failed", "terms"),
    Case("over-long description", _line(description="x" * 2001), 422, "validation_failed", "lines[1].description"),
    Case("an empty description", _line(description=" "), 422, "validation_failed", "lines[1].description"),
    Case("10,001 lines", lambda valid: json.dumps(valid | {"lines": [LINE] * 10_001}).encode(), 422, "validation_failed", "lines"),
    Case("101 % discount", _line(discounts=[{"percent": "101"}]), 422, "validation_failed", "lines[1].discounts[0].percent"),
    Case("-1 % discount", _line(discounts=[{"percent": "-1"}]), 422, "validation_failed", "lines[1].discounts[0].percent"),
    Case("neither percent nor amount", _line(discounts=[{}]), 422, "validation_failed", "lines[1].discounts[0]"),
    Case("percent and amount", _line(discounts=[{"percent": "1", "amount": "1"}]), 422, "validation_failed", "lines[1].discounts[0]"),
    Case("21 discounts", _line(discounts=[{"percent": "1"}] * 21), 422, "validation_failed", "lines[1].discounts"),
    Case("a tax of 1001 %", _line(taxes=[VAT_19 | {"rate_percent": "1001"}]), 422, "validation_failed", "lines[1].taxes[0].rate_percent"),
    Case("a tax without category", _line(taxes=[{"category": "", "rate_percent": "1"}]), 422, "validation_failed", "lines[1].taxes[0].category"),
    Case("more discount than there is", _quote(discounts=[{"amount": "100000"}]), 422, "discount_exceeds_total", "discounts"),
    Case("a line of another quote", _line(id=str(uuid4())), 422, "validation_failed", "lines[1].id"),
    Case("an unknown customer", _quote(customer_id=str(uuid4())), 404, "customer_not_found"),
    Case("an unknown contact", _quote(contact_id=str(uuid4())), 404, "contact_not_found"),
    Case("an unknown product", _line(product_id=str(uuid4())), 404, "product_not_found"),
    *(
        Case(f"{field} of {number[:12]!r} ({position})", _line(**{field: number}), 422, "validation_failed", f"lines[1].{field}")
        for field in ("quantity", "unit_price", "price_base_quantity")
        for position, number in enumerate(HOSTILE_DECIMALS)
        if "\u0000" not in number
    ),
    *(
        Case(f"{name} of {number[:12]!r} ({position})", _line(**{name: [given | {field: number}]}), 422, "validation_failed", f"lines[1].{name}[0].{field}")
        for name, field, given in (("discounts", "percent", {}), ("charges", "amount", {}), ("taxes", "rate_percent", {"category": "VAT"}))
        for position, number in enumerate(HOSTILE_DECIMALS)
        if "\u0000" not in number
    ),
    *(
        Case(f"a quantity that is {value!r}", _line(quantity=value), 422, "validation_failed", "lines[1].quantity")
        for value in HOSTILE_VALUES
    ),
    *(
        Case(f"{field} beyond the limit: {number}", _line(**{field: number}), 422, "validation_failed", f"lines[1].{field}")
        for field, numbers in TOO_LARGE.items()
        for number in numbers
    ),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_bad_input_is_refused_and_nothing_is_stored(
    case: Case, team: Team, open_postgres: OpenUnitOfWork
) -> None:
    customer = await a_customer(team.sales)
    contact = await a_contact(team.sales, customer["id"])
    valid = {"customer_id": customer["id"], "contact_id": contact["id"], "title": "Fit-out", "lines": [LINE]}
    before = await _entries(team, open_postgres)

    answer = await team.sales.send("POST", case.path, case.body(valid), case.content_type)

    told = answer.json()
    assert (answer.status_code, told["error_code"]) == (case.status, case.code), told
    assert set(told) == {"error_code", "message", "details", "trace_id"}
    assert told["trace_id"] == answer.headers["x-trace-id"]
    if case.field:
        assert [detail["field"] for detail in told["details"]] == [case.field]
    assert "Traceback" not in answer.text
    assert await _entries(team, open_postgres) == before


async def test_the_valid_body_of_these_cases_is_taken(team: Team) -> None:
    customer = await a_customer(team.sales)
    body = json.dumps({"customer_id": customer["id"], "title": "Fit-out", "lines": [LINE]}).encode()

    answer = await team.sales.send("POST", QUOTES, body)

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "text", ["$x$", "{{7*7}}", "%s", "'; --", "<script>", "\u202e", "👩‍👩‍👧", "a\u0301" * 50, "\\"]
)
async def test_odd_texts_come_back_as_they_were_sent(text: str, team: Team) -> None:
    customer = await a_customer(team.sales, name=f"A {text}")

    answer = await team.sales.get(f"/api/v1/customers/{customer['id']}")

    assert answer.json()["name"] == f"A {text}"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=101", "limit"),
        ("limit=1e9", "limit"),
        ("limit=abc", "limit"),
        ("skip=-1", "skip"),
        ("skip=9223372036854775808", "skip"),
        ("status=open", "status"),
        ("customer_id=1", "customer_id"),
        ("cursor=AAAA", "cursor"),
        ("cursor=%00", "cursor"),
        ("search=%00", "search"),
        (f"search={'x' * 201}", "search"),
    ],
)
async def test_bad_queries_name_the_parameter(query: str, field: str, team: Team) -> None:
    answer = await team.sales.send("GET", f"{QUOTES}?{query}", b"")

    assert answer.status_code == 422, answer.text
    assert [detail["field"].partition("[")[0] for detail in answer.json()["details"]] == [field]


@pytest.mark.parametrize("tag", ["*", 'W/"1"', "1", '"x"', '"-1"', '"1", "2"', '"99999999999"'])
async def test_tags_that_we_never_gave_are_refused(tag: str, team: Team) -> None:
    customer = await a_customer(team.sales)
    made = (await team.sales.post(QUOTES, {"customer_id": customer["id"]})).json()

    answer = await team.sales.patch(f"{QUOTES}/{made['id']}", {"title": "x"}, if_match=tag)

    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "If-Match"


async def _entries(team: Team, open_unit_of_work: OpenUnitOfWork) -> int:
    """How many things have happened in the organisation; the audit knows all of them."""
    async with open_unit_of_work(team.organization.actor(Role.OWNER)) as uow:
        return (await uow.audit.head()).sequence


async def test_a_parameter_that_nobody_knows_is_refused(team: Team) -> None:
    """One whose name is mistyped would give everything."""
    answers = [
        await team.sales.get("/api/v1/quotes", stauts="draft"),
        await team.sales.get("/api/v1/quotes/export", colour="red", format="csv"),
        await team.sales.get("/api/v1/me", x="1"),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    [told] = answers[0].json()["details"]
    assert told["field"] == "stauts"
    assert "status" in told["message"]
    assert [one["field"] for one in answers[1].json()["details"]] == ["colour"]


async def test_a_parameter_that_is_missing_is_named(team: Team) -> None:
    answer = await team.sales.send("POST", f"/api/v1/customers/{uuid4()}/attachments", b"%PDF-", "application/pdf")

    assert (answer.status_code, [one["field"] for one in answer.json()["details"]]) == (422, ["file_name"])


async def test_an_absent_body_is_an_empty_object_wherever_that_would_do(team: Team) -> None:
    document = (await team.owner.get("/openapi.json")).json()
    routes = [
        (method.upper(), path, operation["requestBody"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    optional = [(method, path) for method, path, body in routes if not body["required"]]

    assert {path for _, path in optional} >= {
        "/api/v1/attachments/{attachment_id}/link",
        "/api/v1/quotes/{quote_id}/resend",
        "/api/v1/mail-templates/{template_id}/preview",
    }
    for method, path, body in routes:
        assert body["required"] is any(_needed(document, schema) for schema in _schemas(body)), (method, path)
    for method, path in sorted(optional, key=lambda route: route[1].endswith("/logout")):
        address = re.sub(r"\{[^}]*\}", str(uuid4()), path)
        absent = await team.owner.send(method, address, b"", "")
        empty = await team.owner.send(method, address, b"{}")
        told = [_without_trace(answer) for answer in (absent, empty)]
        assert told[0] == told[1] or path.endswith("/logout"), (method, path, told)
        assert "JSON body" not in absent.text, (method, path)


async def test_a_body_that_is_needed_is_asked_for(team: Team) -> None:
    answer = await team.sales.send("POST", f"{QUOTES}/{uuid4()}/cancel", b"")

    assert (answer.status_code, answer.json()["details"]) == (
        422,
        [{"field": "body", "message": "A JSON body is needed."}],
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/v1/imports"),
        ("post", "/platform/v1/mail-reports"),
        ("put", "/api/v1/organization/logo"),
    ],
)
async def test_what_a_file_may_be_is_documented_and_told(team: Team, method: str, path: str) -> None:
    document = (await team.owner.get("/openapi.json")).json()

    answer = await team.owner.send(method, path, b"<p>", "text/html")

    body = document["paths"][path][method]["requestBody"]
    assert body["required"]
    assert (answer.status_code, answer.json()["error_code"]) == (415, "unsupported_media_type")
    assert answer.json()["message"] == f"Send the file itself, as one of {', '.join(body['content'])}."


def _schemas(body: dict[str, Any]) -> list[dict[str, Any]]:
    schema = body["content"]["application/json"]["schema"]
    return list(schema.get("oneOf", [schema]))


def _needed(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    """The fields that one of this schema must have; ``null`` needs none."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return list(schema.get("required", []))


def _without_trace(answer: Response) -> tuple[int, Any]:
    told = answer.json() if answer.content else None
    return answer.status_code, {name: value for name, value in (told or {}).items() if name != "trace_id"}


async def test_whoever_gives_what_is_not_to_be_chosen_is_told_what_is(team: Team) -> None:
    """For every enumeration, date, id, flag and whole number that the document knows, in queries and in bodies."""
    document = (await team.owner.get("/openapi.json")).json()
    tried = 0
    for method, path, wanted in _wanted(document):
        address = re.sub(r"\{[^}]*\}", str(uuid4()), path.replace("{number}", "1"))
        for wrong in _WRONG[: 1 if wanted.in_query else 2]:
            if wanted.in_query:
                query = urlencode({**_QUERIES.get((method, path), {}), str(wanted.where[0]): wrong})
                answer = await team.owner.send(method, f"{address}?{query}", b"")
            else:
                answer = await team.owner.send(method, address, json.dumps(_nested(wanted.where, wrong)).encode())

            assert answer.status_code == 422, (method, path, wanted, answer.text)
            told = {detail["field"]: detail["message"] for detail in answer.json()["details"]}
            field = str(wanted.where[0]) if wanted.in_query else _named(wanted.where)
            assert all(word in told.get(field, "") for word in wanted.words), (method, path, wanted, wrong, told)
            assert _STRANGE.search(told[field]) is None, (method, path, wanted, wrong, told)
            tried += 1
    assert tried > 300


async def test_a_parameter_is_called_as_the_sender_calls_it(nobody: Caller) -> None:
    answer = await nobody.get("/api/v1/login/provider/callback", state="x" * 201)

    assert [detail["field"] for detail in answer.json()["details"]] == ["state"]


@dataclass(frozen=True)
class Wanted:
    """What may stand at *where*: names and, for items of lists, 0."""

    where: tuple[str | int, ...]
    words: tuple[str, ...]
    in_query: bool = False


# What these addresses need beside the parameter that is wrong.
_QUERIES: Final = {
    ("GET", "/api/v1/reports/revenue"): {"by": "customer"},
    ("POST", "/api/v1/imports"): {"kind": "products"},
}
# Of a library or a programming language.
_STRANGE: Final = re.compile(r"`|\b(Invalid|Expected|got|enum|RFC ?3339|UUID|str|int|bool|array|null)\b")
_WRONG: Final[tuple[Any, ...]] = ("nonsense", {})
_KINDS: Final = {"boolean": "True or false", "integer": "whole number"}
_FORMS: Final = {"date": '"2026-03-31"', "date-time": '"2026-03-31T09:00:00Z"', "uuid": "An id is needed"}


def _wanted(document: dict[str, Any]) -> Iterator[tuple[str, str, Wanted]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query":
                    for wanted in _wanted_in(document, parameter["schema"], (parameter["name"],)):
                        yield method.upper(), path, replace(wanted, in_query=True)
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for wanted in _wanted_in(document, body["schema"], ()) if body else ():
                yield method.upper(), path, wanted


def _wanted_in(document: dict[str, Any], schema: dict[str, Any], where: tuple[str | int, ...]) -> Iterator[Wanted]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    if "enum" in schema:
        yield Wanted(where, tuple(str(value) for value in schema["enum"] if value is not None))
    elif schema.get("format") in _FORMS:
        yield Wanted(where, (_FORMS[schema["format"]],))
    elif known := _KINDS.keys() & _types(schema):
        yield Wanted(where, (_KINDS[known.pop()],))
    for one in schema.get("oneOf", []):
        yield from _wanted_in(document, one, where)
    for name, one in schema.get("properties", {}).items():
        yield from _wanted_in(document, one, (*where, name))
    if isinstance(schema.get("items"), dict):
        yield from _wanted_in(document, schema["items"], (*where, 0))


def _types(schema: dict[str, Any]) -> set[str]:
    told = schema.get("type", [])
    return {told} if isinstance(told, str) else set(told)


def _nested(where: tuple[str | int, ...], wrong: object) -> Any:
    if not where:
        return wrong
    inner = _nested(where[1:], wrong)
    return [inner] if where[0] == 0 else {str(where[0]): inner}


def _named(where: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")


async def test_instants_need_an_offset_and_are_told_in_utc(team: Team) -> None:
    """A key with an hour of nobody's zone would end at another hour than was meant."""
    key, export = {"name": "Shop", "scopes": ["quotes.view"]}, {"kind": "audit"}

    def asked(instant: str) -> list[Awaitable[Response]]:
        return [
            team.owner.post(f"{API}/api-keys", key | {"expires_at": instant.replace("2020", "2090")}),
            team.owner.get(f"{API}/audit/entries", since=instant),
            team.owner.get(f"{API}/audit/export", before=instant),
            team.owner.post(f"{API}/exports", export | {"filters": {"since": instant}}),
        ]

    for answer in [await one for one in asked("2020-01-01T00:00:00")]:
        assert answer.status_code == 422, answer.text[:200]
        assert "with Z or its offset" in answer.json()["details"][0]["message"]
    made, listed, _, exported = [await one for one in asked("2020-01-01T01:00:00+02:00")]
    recorded = await team.owner.get(f"{API}/audit/entries", action="export.requested")

    assert made.json()["api_key"]["expires_at"] == "2089-12-31T23:00:00Z"
    assert listed.json()["items"]
    assert exported.json()["filters"]["since"] == "2019-12-31T23:00:00Z"
    assert recorded.json()["items"][0]["details"]["conditions"] == ["since=2019-12-31T23:00:00Z"]


@pytest.mark.parametrize("beyond", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
async def test_instants_that_are_beyond_the_calendar_in_utc_are_its_ends(beyond: str, team: Team) -> None:
    asked = [
        await team.owner.post(f"{API}/exports", {"kind": "audit", "filters": {"since": beyond}}),
        await team.owner.get(f"{API}/audit/entries", since=beyond),
        await team.owner.get(f"{API}/audit/entries", before=beyond),
        await team.owner.get(f"{API}/audit/export", since="2020-01-01T00:00:00Z", before=beyond),
    ]
    key = {"name": "Shop", "scopes": ["quotes.view"], "expires_at": beyond}
    made = await team.owner.post(f"{API}/api-keys", key)

    assert asked[0].json()["filters"]["since"][:4] == beyond[:4]
    if beyond[0] == "0":
        assert [answer.status_code for answer in asked] == [202, 200, 200, 404]
        assert (asked[1].json()["total"] > 0, asked[2].json()["total"]) == (True, 0)
        assert "in the future" in made.text
    else:
        assert [answer.status_code for answer in asked] == [202, 200, 200, 200]
        assert (asked[1].json()["total"], asked[2].json()["total"] > 0) == (0, True)
        assert made.json()["api_key"]["expires_at"][:4] == "9999"


async def test_who_decided_before_is_told_with_the_same_form_of_instant(team: Team) -> None:
    pending = await a_pending_quote(team)
    body = {"content_digest": pending["content_digest"], "reason": "No."}
    await team.approver.post(f"{QUOTES}/{pending['id']}/approve", body)

    answer = await team.approver.post(f"{QUOTES}/{pending['id']}/reject", body)

    assert answer.json()["error_code"] == "already_decided"
    assert re.fullmatch(r"[-0-9]{10}T[0-9:.]+Z", answer.json()["details"]["decided_at"])


async def test_what_stands_below_another_field_is_named_with_it_whoever_refuses(team: Team) -> None:
    """The form is looked at here and the meaning in the core, which knows a party and not where a body has it."""
    for party, named in (
        ({"name": ""}, ["party.name"]),
        ({"name": "a\nb", "address": {"city": "c\nd", "country": "DE"}}, ["party.name", "party.address.city"]),
    ):
        answer = await team.owner.patch(f"{API}/organization", {"party": party})

        assert (answer.status_code, [one["field"] for one in answer.json()["details"]]) == (422, named)
