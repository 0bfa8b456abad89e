"""The catalogue over HTTP: a whole year's business from categories to an explained offer, and everything bad."""

import asyncio
from typing import Any

import pytest
from httpx import Response

from tests.e2e.conftest import Caller, Team
from tests.e2e.offers import a_contact, a_customer

pytestmark = pytest.mark.asyncio
API = "/api/v1"


async def _made(caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await caller.post(f"{API}/{path}", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def _error(answer: Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    told = dict(answer.json())
    assert told["error_code"] == code
    assert set(told) == {"error_code", "message", "details", "trace_id"}
    return told


async def _catalogue(team: Team) -> dict[str, Any]:
    furniture = await _made(team.admin, "categories", {"name": "Furniture"})
    desks = await _made(team.admin, "categories", {"name": "Desks", "parent_id": furniture["id"]})
    periods = [{"rate_percent": "19"}, {"valid_from": "2027-01-01", "rate_percent": "21"}]
    tax = await _made(
        team.admin, "tax-rates", {"code": "STANDARD", "name": "Standard", "category": "VAT", "periods": periods}
    )
    product = await _made(
        team.admin,
        "products",
        {
            "sku": "DESK",
            "name": "Desk",
            "list_price": "100",
            "cost": "60",
            "tax_rate_id": tax["id"],
            "category_id": desks["id"],
        },
    )
    volume = await _made(team.admin, "price-lists", {"name": "Volume"})
    tiers = [{"min_quantity": "10", "unit_price": "90", "below": "50"}, {"min_quantity": "50", "unit_price": "80"}]
    priced = await team.admin.put(
        f"{API}/price-lists/{volume['id']}/prices", {"product_id": product["id"], "tiers": tiers}
    )
    assert priced.status_code == 200, priced.text
    return {"furniture": furniture, "desks": desks, "tax": tax, "product": product, "volume": volume}


async def test_an_offer_is_priced_from_the_catalogue_and_explains_itself(team: Team) -> None:
    made = await _catalogue(team)
    customer = await a_customer(team.sales)
    contact = await a_contact(team.sales, customer["id"])
    await _made(team.admin, "coupons", {"code": "spring", "percent": "10", "category_ids": [made["furniture"]["id"]]})
    line = {"product_id": made["product"]["id"], "quantity": "12", "section": "Office"}
    option = {"description": "Assembly", "quantity": "2", "unit_price": "45", "optional": True, "section": "Services"}
    body = {
        "customer_id": customer["id"],
        "contact_id": contact["id"],
        "lines": [line, option],
        "coupons": ["spring"],
        "deposit": {"percent": "30"},
        "instalments": [{"share": "1", "label": "Delivery", "days": 30}, {"share": "1"}],
    }
    quote = await _made(team.sales, "quotes", body)
    with_costs = (await team.owner.get(f"{API}/quotes/{quote['id']}")).json()
    desk = with_costs["lines"][0]
    assert (desk["unit_price"], desk["unit_cost"], desk["taxes"][0]["rate_percent"]) == ("90", "60", "19")
    assert (desk["price"]["kind"], desk["price"]["name"]) == ("tier", "Volume")
    assert [loser["reason"] for loser in desk["price"]["losers"]] == ["less_specific"]
    calculation = quote["calculation"]
    assert (calculation["line_net_total"], calculation["discounts"], calculation["payable"]) == (
        "1080.00",
        ["108.00"],
        "1156.68",
    )
    assert [section["net"] for section in calculation["sections"]] == ["1080.00", "0.00"]
    assert (calculation["deposit"], calculation["instalments"]) == ("347.00", ["404.84", "404.84"])
    costed = with_costs["calculation"]
    assert (costed["margin"], costed["lines"][0]["margin"]) == ("252.00", "252.00")

    address = f"{API}/quotes/{quote['id']}"
    await team.admin.patch(f"{API}/products/{made['product']['id']}", {"list_price": "110"})
    edited = await team.sales.patch(address, {"lines": [{"id": desk["id"], **line, "quantity": "60"}]})
    assert edited.json()["lines"][0]["unit_price"] == "90"
    stale = (await team.sales.get(address)).json()["stale_prices"]
    assert [(one["new_unit_price"], one["reasons"]) for one in stale] == [("80", ["quantity_changed"])]
    refused = _error(await team.sales.post(f"{address}/submit"), 409, "prices_stale")
    assert refused["details"]["lines"][0]["new"] == "80"
    _error(await team.sales.post(f"{address}/submit", {"keep_prices": True}), 403, "permission_missing")
    dry = (await team.sales.post(f"{address}/reprice", {"dry_run": True})).json()
    assert (dry["dry_run"], dry["quote"]["lines"][0]["unit_price"]) == (True, "90")
    repriced = await team.sales.post(f"{address}/reprice", {}, if_match=edited.headers["etag"])
    assert repriced.json()["quote"]["lines"][0]["unit_price"] == "80"

    submitted = await team.sales.post(f"{address}/submit")
    assert submitted.status_code == 200, submitted.text
    explained = (await team.sales.get(f"{address}/revisions/1/explanation")).json()
    assert explained["follows"] is True
    assert explained["content_digest"] == submitted.json()["content_digest"]
    assert [step["kind"] for step in explained["explanation"]["lines"][0]["steps"]] == ["tier", "gross"]
    assert explained["explanation"]["document"][1]["kind"] == "coupon"
    _error(await team.sales.get(f"{address}/revisions/9/explanation"), 404, "revision_not_found")


async def test_prices_are_asked_without_an_offer(team: Team) -> None:
    made = await _catalogue(team)
    items = [{"product_id": made["product"]["id"], "quantity": quantity} for quantity in ("1", "10", "50")]
    answer = await team.viewer.post(f"{API}/prices", {"items": items, "pricing_date": "2027-02-01"})
    assert [one["unit_price"] for one in answer.json()["items"]] == ["100", "90", "80"]
    assert {one["tax"]["rate_percent"] for one in answer.json()["items"]} == {"21"}
    usd = {"items": items[:1], "currency": "USD"}
    told = _error(await team.viewer.post(f"{API}/prices", usd), 422, "price_not_found")
    assert told["details"][0]["field"] == "items[0]"


async def test_a_calculation_is_explained_on_request(team: Team) -> None:
    line = {
        "description": "x",
        "quantity": "3",
        "unit_price": "10",
        "taxes": [{"category": "VAT", "rate_percent": "19"}],
    }
    plain = (await team.sales.post(f"{API}/quotes/calculate", {"lines": [line]})).json()
    assert plain["explanation"] is None
    explained = (await team.sales.post(f"{API}/quotes/calculate?explain=true", {"lines": [line]})).json()
    assert [step["result"] for step in explained["explanation"]["lines"][0]["steps"]] == ["10", "30"]


@pytest.mark.parametrize(
    ("tiers", "code", "field"),
    [
        (
            [{"min_quantity": "0", "unit_price": "1", "below": "12"}, {"min_quantity": "10", "unit_price": "1"}],
            "tiers_overlap",
            "tiers[1].min_quantity",
        ),
        (
            [{"min_quantity": "0", "unit_price": "1", "below": "8"}, {"min_quantity": "10", "unit_price": "1"}],
            "tier_gap",
            "tiers[1].min_quantity",
        ),
        ([{"min_quantity": "0"}], "validation_failed", "tiers[0]"),
        ([{"min_quantity": "0", "unit_price": "1", "discount_percent": "2"}], "validation_failed", "tiers[0]"),
        ([{"min_quantity": "-1", "unit_price": "1"}], "validation_failed", "tiers[0].min_quantity"),
    ],
)
async def test_tiers_that_make_no_sense_are_refused_by_field(
    team: Team, tiers: list[dict[str, str]], code: str, field: str
) -> None:
    made = await _catalogue(team)
    address = f"{API}/price-lists/{made['volume']['id']}/prices"
    before = (await team.admin.get(address)).json()
    told = _error(await team.admin.put(address, {"product_id": made["product"]["id"], "tiers": tiers}), 422, code)
    assert told["details"][0]["field"] == field
    assert (await team.admin.get(address)).json() == before


async def test_what_clashes_is_refused_with_its_own_code(team: Team) -> None:
    made = await _catalogue(team)
    product, desks, furniture = made["product"], made["desks"], made["furniture"]
    second = await _made(team.admin, "price-lists", {"name": "Second"})
    tiers = {"product_id": product["id"], "tiers": [{"min_quantity": "10", "unit_price": "1"}]}
    _error(await team.admin.put(f"{API}/price-lists/{second['id']}/prices", tiers), 409, "ambiguous_price")
    _error(await team.admin.post(f"{API}/price-lists", {"name": "Volume"}), 409, "price_list_name_taken")
    move = {"parent_id": desks["id"]}
    _error(await team.admin.patch(f"{API}/categories/{furniture['id']}", move), 409, "category_cycle")
    _error(await team.admin.delete(f"{API}/tax-rates/{made['tax']['id']}"), 409, "tax_rate_in_use")
    dollars = {"name": "Dollars", "currency": "USD", "tiers_from": made["volume"]["id"]}
    told = _error(await team.admin.post(f"{API}/price-lists", dollars), 422, "validation_failed")
    assert told["details"][0]["field"] == "tiers_from"
    stale = await team.admin.patch(f"{API}/products/{product['id']}", {"name": "x"}, if_match='"99"')
    _error(stale, 412, "version_changed")
    await team.admin.patch(f"{API}/products/{product['id']}", {"archived": True})
    customer = await a_customer(team.sales)
    body = {"customer_id": customer["id"], "lines": [{"product_id": product["id"], "quantity": "1"}]}
    _error(await team.sales.post(f"{API}/quotes", body), 409, "product_archived")
    body = {"customer_id": customer["id"], "coupons": ["NOBODY"]}
    told = _error(await team.sales.post(f"{API}/quotes", body), 422, "coupon_unknown")
    assert told["details"][0]["field"] == "coupons[0]"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("products", {"sku": "A", "name": "A", "list_price": "1"}),
        ("categories", {"name": "A"}),
        ("tax-rates", {"code": "A", "name": "A", "category": "VAT", "periods": [{"rate_percent": "1"}]}),
        ("price-lists", {"name": "A"}),
        ("coupons", {"code": "AAA", "percent": "1"}),
        ("customer-groups", {"name": "A"}),
        (
            "exchange-rates",
            {"rates": [{"base": "USD", "target": "EUR", "rate": "1", "source": "x", "as_of": "2026-01-01"}]},
        ),
    ],
)
async def test_salespeople_read_the_catalogue_and_do_not_write_it(team: Team, path: str, body: dict[str, Any]) -> None:
    _error(await team.sales.post(f"{API}/{path}", body), 403, "permission_missing")
    assert (await team.admin.post(f"{API}/{path}", body)).status_code == 201
    assert (await team.viewer.get(f"{API}/{path}")).json()["total"] == 1


async def test_a_file_is_taken_as_it_is_and_a_bad_one_refused_at_once(team: Team) -> None:
    address = f"{API}/imports?kind=products&file_name=p.csv"
    good = await team.admin.send("POST", address, b"sku,name,list_price\n1,a,2\n", "text/csv")
    assert (good.status_code, good.json()["status"]) == (202, "queued")
    again = await team.admin.send("POST", address, b"sku,name,list_price\n1,a,2\n", "text/csv")
    assert again.json()["id"] == good.json()["id"]
    told = _error(await team.admin.send("POST", address, b"sku\n", "text/csv"), 422, "file_refused")
    assert told["details"][0]["field"] == "row 1, column list_price"
    for content in (b"", "sku,näme".encode("utf-16"), b"PK\x03\x04nothing"):
        assert (await team.admin.send("POST", address, content, "text/csv")).status_code == 422
    json_body = await team.admin.send("POST", address, b'{"a": 1, "a": 2}', "application/json")
    assert json_body.status_code in {400, 422}
    large = await team.admin.send("POST", address, b"x" * (10 * 1024 * 1024 + 1), "text/csv")
    assert large.status_code == 413
    _error(await team.sales.send("POST", address, b"sku,name,list_price\n", "text/csv"), 403, "permission_missing")
    listed = (await team.viewer.get(f"{API}/imports")).json()
    assert listed["total"] == 1


@pytest.mark.usefixtures("worker")
async def test_a_job_brings_the_rows_in(team: Team) -> None:
    content = b"sku,name,list_price,tax_rate_percent\nA,Bolt,1.25,19\nB,Nut,x,19\n"
    address = f"{API}/imports?kind=products&mode=skip-bad-rows&file_name=p.csv"
    started = (await team.admin.send("POST", address, content, "text/csv")).json()

    for _ in range(200):
        told = (await team.viewer.get(f"{API}/imports/{started['id']}")).json()
        if told["status"] in {"done", "refused"}:
            break
        await asyncio.sleep(0.1)

    assert (told["status"], told["created"], told["skipped"]) == ("done", 1, 1)
    assert [(error["row"], error["column"]) for error in told["errors"]] == [(3, "list_price")]
    found = (await team.viewer.get(f"{API}/products", search="bolt")).json()
    assert [product["sku"] for product in found["items"]] == ["A"]
