"""Which price wins, and what is said about those that lost."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from src.domain.catalog.price_list import Price, PriceList, PriceTier, Scope
from src.domain.catalog.product import Product
from src.domain.catalog.selection import Buyer, PriceNotFound, PriceQuestion, select_price
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, CustomerGroupId, CustomerId, PriceId, PriceListId, ProductId
from src.domain.shared.price_source import LosingReason, PriceKind, PriceSource

D = Decimal
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)
EUR = Currency.of("EUR")
DESKS, FURNITURE = CategoryId(UUID(int=11)), CategoryId(UUID(int=12))
ANN, GOLD = CustomerId(UUID(int=21)), CustomerGroupId(UUID(int=22))
DESK = Product(
    id=ProductId(UUID(int=1)),
    sku="DESK",
    name="Desk",
    description="",
    unit="C62",
    list_price=D(100),
    currency=EUR,
    tax_category="VAT",
    tax_rate_percent=D(19),
    created_at=NOON,
    category_id=DESKS,
)
BUYER = Buyer(customer_id=ANN, group_id=GOLD, group_name="Gold")


def a_list(number: int, **changes: Any) -> PriceList:
    usual = PriceList(
        id=PriceListId(UUID(int=100 + number)),
        name=f"List {number}",
        currency=EUR,
        scope=Scope.EVERYONE,
        created_at=NOON,
    )
    return replace(usual, **changes)


def a_price(price_list: PriceList, *tiers: tuple[str, str], **target: Any) -> tuple[PriceList, Price]:
    """Tiers as (from, price); a price that ends in % is a discount. For the desk when no target is given."""
    made = tuple(
        PriceTier(min_quantity=D(start), discount_percent=D(value[:-1]))
        if value.endswith("%")
        else PriceTier(min_quantity=D(start), unit_price=D(value))
        for start, value in tiers
    )
    target = target or {"product_id": DESK.id}
    price = Price(id=PriceId(price_list.id), price_list_id=price_list.id, tiers=made, created_at=NOON, **target)
    return price_list, price


def ask(*offers: tuple[PriceList, Price], quantity: str = "1", **changes: Any) -> PriceSource:
    question = PriceQuestion(
        product=DESK,
        lineage=(DESKS, FURNITURE),
        quantity=D(quantity),
        unit="C62",
        currency=EUR,
        day=DAY,
        buyer=BUYER,
    )
    return select_price(replace(question, **changes), offers)


def test_without_any_list_the_list_price_holds() -> None:
    source = ask()
    assert (source.kind, source.unit_price, source.source_type) == (PriceKind.LIST, D(100), "product")


def test_the_customers_contract_comes_before_the_group_and_that_before_everyone() -> None:
    everyone = a_price(a_list(1), ("0", "50"))
    group = a_price(a_list(2, scope=Scope.GROUP, scope_id=GOLD), ("0", "60"))
    contract = a_price(a_list(3, scope=Scope.CUSTOMER, scope_id=ANN), ("0", "70"))

    assert ask(everyone, group, contract).unit_price == D(70)
    assert ask(everyone, group).unit_price == D(60)
    assert ask(everyone).unit_price == D(50)
    assert ask(everyone, group, contract).kind is PriceKind.CONTRACT


def test_the_nearest_target_wins_then_the_greater_quantity_then_the_priority_then_the_later_start() -> None:
    product = a_price(a_list(1), ("0", "90"))
    category = a_price(a_list(2), ("0", "20%"), category_id=DESKS)
    parent = a_price(a_list(3), ("0", "30%"), category_id=FURNITURE)
    everything = a_price(a_list(4), ("0", "40%"), product_id=None)
    assert ask(everything, parent, category, product).unit_price == D(90)
    assert ask(everything, parent, category).unit_price == D(80)
    assert ask(everything, parent).unit_price == D(70)
    assert ask(everything).unit_price == D(60)

    few, many = a_price(a_list(5), ("5", "88")), a_price(a_list(6), ("10", "89"))
    assert ask(few, many, quantity="12").unit_price == D(89)
    low, high = a_price(a_list(7, priority=1), ("0", "80")), a_price(a_list(8, priority=2), ("0", "85"))
    assert ask(low, high).unit_price == D(85)
    old = a_price(a_list(9, valid_from=date(2025, 1, 1)), ("0", "70"))
    new = a_price(a_list(10, valid_from=date(2026, 1, 1)), ("0", "75"))
    assert ask(new, old).unit_price == D(75)
    assert ask(a_price(a_list(12), ("0", "1")), a_price(a_list(11), ("0", "2"))).unit_price == D(2)  # The lower id.


@pytest.mark.parametrize(
    ("quantity", "price"), [("9.999", "100"), ("10", "90"), ("49", "90"), ("50", "80"), ("-50", "80")]
)
def test_a_tier_begins_at_its_quantity(quantity: str, price: str) -> None:
    assert ask(a_price(a_list(1), ("10", "90"), ("50", "80")), quantity=quantity).unit_price == D(price)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (a_price(a_list(1, active=False), ("0", "1")), LosingReason.INACTIVE),
        (a_price(a_list(1, scope=Scope.CUSTOMER, scope_id=GOLD), ("0", "1")), LosingReason.OTHER_CUSTOMER),
        (a_price(a_list(1, currency=Currency.of("USD")), ("0", "1")), LosingReason.WRONG_CURRENCY),
        (a_price(a_list(1), ("0", "1"), product_id=DESK.id, unit="HUR"), LosingReason.WRONG_UNIT),
        (a_price(a_list(1, valid_from=date(2026, 11, 22)), ("0", "1")), LosingReason.NOT_VALID_ON_DATE),
        (a_price(a_list(1, valid_until=date(2026, 11, 20)), ("0", "1")), LosingReason.NOT_VALID_ON_DATE),
        (a_price(a_list(1), ("2", "1")), LosingReason.BELOW_MIN_QUANTITY),
    ],
    ids=lambda value: value.value if isinstance(value, LosingReason) else "",
)
def test_what_does_not_fit_loses_with_its_reason(offer: tuple[PriceList, Price], reason: LosingReason) -> None:
    source = ask(offer)
    assert source.source_type == "product"
    assert [loser.reason for loser in source.losers] == [reason]


@pytest.mark.parametrize("day", [date(2026, 11, 20), date(2026, 11, 22)])
def test_the_first_and_the_last_day_are_included(day: date) -> None:
    offer = a_price(a_list(1, valid_from=date(2026, 11, 20), valid_until=date(2026, 11, 22)), ("0", "1"))
    assert ask(offer, day=day).unit_price == D(1)


def test_losers_are_told_why_and_at_most_five() -> None:
    winner = a_price(a_list(1, priority=9), ("0", "10"))
    losers = [a_price(a_list(number, priority=number), ("0", "20")) for number in range(2, 8)]
    source = ask(winner, *losers)
    assert [loser.reason for loser in source.losers] == [LosingReason.LOWER_PRIORITY] * 5
    assert [loser.name for loser in source.losers] == [f"List {number}" for number in (7, 6, 5, 4, 3)]


def test_a_groups_discount_holds_where_no_list_of_the_group_says_more() -> None:
    buyer = replace(BUYER, group_discount_percent=D("7.5"))
    everyone = a_price(a_list(1), ("0", "50"))
    group = a_price(a_list(2, scope=Scope.GROUP, scope_id=GOLD), ("0", "20%"), product_id=None)

    alone = ask(everyone, buyer=buyer)
    assert (alone.kind, alone.unit_price, alone.source_type) == (PriceKind.GROUP, D("92.5"), "customer_group")
    assert ask(everyone, group, buyer=buyer).unit_price == D(80)


def test_a_discounted_price_has_six_decimals_at_most_and_no_trailing_zeros() -> None:
    odd = replace(DESK, list_price=D("0.333333"))
    everything = a_price(a_list(1), ("0", "33.333333%"), product_id=None)
    assert str(ask(everything, product=odd).unit_price) == "0.222222"
    assert str(ask(a_price(a_list(1), ("0", "10%"))).unit_price) == "90"


def test_what_has_no_price_says_what_removed_the_nearest() -> None:
    usd = Currency.of("USD")
    with pytest.raises(PriceNotFound) as refused:
        ask(a_price(a_list(1, currency=usd, valid_until=date(2020, 1, 1)), ("0", "1")), currency=usd)
    assert [one["reason"] for one in refused.value.details["removed"]] == [  # type: ignore[attr-defined]  # A list of dicts.
        "not_valid_on_date",
        "wrong_currency",
    ]
    assert "Add one to a price list" in refused.value.message
