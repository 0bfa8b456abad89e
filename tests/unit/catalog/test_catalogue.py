"""Tiers, dated taxes, the tree of categories, coupons and rates: what they take and what they refuse."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from src.domain.catalog.category import Category, CategoryCycle, CategoryNotFound, check_tree, lineage
from src.domain.catalog.coupon import (
    Coupon,
    CouponExhausted,
    CouponExpired,
    CouponNotValid,
    CouponUses,
)
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.catalog.price_list import PriceTier, TierGap, TierRange, TiersOverlap, tiers_of
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxPeriod, TaxRate, TaxRateMissing
from src.domain.quoting.content import FrozenRate
from src.domain.shared.currency import Currency
from src.domain.shared.errors import DomainError, Invalid
from src.domain.shared.ids import CategoryId, CouponId, ExchangeRateId, ProductId, TaxRateId

D = Decimal
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
EUR, USD = Currency.of("EUR"), Currency.of("USD")


def ranges(*several: tuple[str, str | None]) -> tuple[TierRange, ...]:
    return tuple(
        TierRange(tier=PriceTier(min_quantity=D(start), unit_price=D(1)), below=None if below is None else D(below))
        for start, below in several
    )


def test_tiers_come_in_the_order_of_their_quantities() -> None:
    assert [tier.min_quantity for tier in tiers_of(ranges(("50", None), ("0", "10"), ("10", "50")))] == [0, 10, 50]


@pytest.mark.parametrize(
    ("several", "kind", "field"),
    [
        ((("0", "12"), ("10", None)), TiersOverlap, "tiers[1].min_quantity"),
        ((("0", None), ("0", None)), TiersOverlap, "tiers[1].min_quantity"),
        ((("0", "8"), ("10", None)), TierGap, "tiers[1].min_quantity"),
        ((("0", "10"), ("10", "50")), TierGap, "tiers[1].below"),
    ],
)
def test_tiers_that_overlap_or_leave_a_gap_are_refused_by_place(
    several: tuple[tuple[str, str | None], ...], kind: type[Invalid], field: str
) -> None:
    with pytest.raises(kind) as refused:
        tiers_of(ranges(*several))
    assert [one.field for one in refused.value.fields] == [field]


def a_rate(*periods: tuple[date | None, str | None]) -> TaxRate:
    made = tuple(TaxPeriod(valid_from=start, rate_percent=None if rate is None else D(rate)) for start, rate in periods)
    return TaxRate(id=TaxRateId(UUID(int=1)), code="VAT", name="VAT", category="VAT", periods=made, created_at=NOON)


def test_a_rate_holds_until_the_day_before_the_next() -> None:
    rate = a_rate((None, "19"), (date(2027, 1, 1), "21"), (date(2028, 1, 1), None))
    assert [rate.on(day).rate_percent for day in (date(1900, 1, 1), date(2026, 12, 31), date(2027, 1, 1))] == [
        19,
        19,
        21,
    ]
    assert rate.on(date(2030, 1, 1)).rate_percent is None


def test_before_the_first_period_there_is_no_rate() -> None:
    with pytest.raises(TaxRateMissing, match="begins on 2026-01-01"):
        a_rate((date(2026, 1, 1), "19")).on(date(2025, 12, 31))


@pytest.mark.parametrize(
    "periods",
    [
        (),
        ((date(2027, 1, 1), "19"), (date(2027, 1, 1), "20")),
        ((None, "1"), (None, "2")),
        ((None, "1000"),),
        ((None, "NaN"),),
    ],
)
def test_periods_that_make_no_sense_are_refused(periods: Any) -> None:
    with pytest.raises(Invalid):
        a_rate(*periods)


def a_tree(*parents: int | None) -> dict[CategoryId, Category]:
    """Category number n has the parent that stands at place n."""
    made = [
        Category(
            id=CategoryId(UUID(int=number)),
            name=str(number),
            parent_id=None if parent is None else CategoryId(UUID(int=parent)),
            created_at=NOON,
        )
        for number, parent in enumerate(parents)
    ]
    return {category.id: category for category in made}


def test_the_lineage_goes_from_the_category_to_the_root() -> None:
    assert [one.int for one in lineage(CategoryId(UUID(int=2)), a_tree(None, 0, 1))] == [2, 1, 0]
    assert lineage(None, {}) == ()


@pytest.mark.parametrize("parent", [0, 1, 2])
def test_a_category_cannot_move_below_itself(parent: int) -> None:
    tree = a_tree(None, 0, 1)
    root = tree[CategoryId(UUID(int=0))]
    moved = root.become(name="0", parent_id=CategoryId(UUID(int=parent)), at=NOON).after
    with pytest.raises(CategoryCycle):
        check_tree(moved, tree)


def test_a_branch_cannot_be_moved_too_deep_and_not_below_nothing() -> None:
    deep = a_tree(None, *range(19), None, 20)
    branch = deep[CategoryId(UUID(int=20))]
    with pytest.raises(CategoryCycle):
        check_tree(branch.become(name="b", parent_id=CategoryId(UUID(int=18)), at=NOON).after, deep)
    with pytest.raises(CategoryNotFound):
        check_tree(branch.become(name="b", parent_id=CategoryId(UUID(int=999)), at=NOON).after, deep)


def a_coupon(**changes: Any) -> Coupon:
    usual: dict[str, Any] = {
        "id": CouponId(UUID(int=1)),
        "code": "SPRING",
        "created_at": NOON,
        "percent": D(10),
        "valid_from": date(2026, 3, 1),
        "valid_until": date(2026, 5, 31),
    }
    return Coupon(**usual | changes)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 5, 31)])
def test_a_coupon_counts_on_its_first_and_last_day(day: date) -> None:
    a_coupon().check_usable(EUR, day)


@pytest.mark.parametrize(
    ("changes", "day", "kind"),
    [
        ({}, date(2026, 2, 28), CouponNotValid),
        ({}, date(2026, 6, 1), CouponExpired),
        ({"active": False}, date(2026, 4, 1), CouponNotValid),
        ({"percent": None, "amount": D(5), "currency": USD}, date(2026, 4, 1), CouponNotValid),
    ],
)
def test_a_coupon_that_does_not_count_says_so(changes: dict[str, Any], day: date, kind: type[DomainError]) -> None:
    with pytest.raises(kind):
        a_coupon(**changes).check_usable(EUR, day)


def test_a_coupon_has_a_minimum_and_limits() -> None:
    coupon = a_coupon(minimum=D(100), currency=EUR, total_limit=3, customer_limit=1)
    coupon.check_minimum(D(100))
    coupon.check_uses(CouponUses(total=2, of_customer=0))
    with pytest.raises(CouponNotValid):
        coupon.check_minimum(D("99.99"))
    for uses in (CouponUses(total=3, of_customer=0), CouponUses(total=1, of_customer=1)):
        with pytest.raises(CouponExhausted):
            coupon.check_uses(uses)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "spring"},
        {"code": "A B"},
        {"percent": None},
        {"amount": D(1)},
        {"percent": None, "amount": D(1)},
        {"percent": D(101)},
        {"percent": D("-1")},
        {"minimum": D(1)},
        {"valid_until": date(2026, 2, 1)},
        {"total_limit": 0},
    ],
    ids=str,
)
def test_a_coupon_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        a_coupon(**changes)


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity", "1000000000", "0.0000000000001"])
def test_a_rate_is_more_than_nothing_and_has_twelve_decimals_at_most(rate: str) -> None:
    with pytest.raises(Invalid):
        ExchangeRate(
            id=ExchangeRateId(UUID(int=1)),
            base=USD,
            target=EUR,
            rate=D(rate),
            source="ECB",
            as_of=date(2026, 1, 1),
            created_at=NOON,
        )


@pytest.mark.parametrize(
    ("target", "rate", "amount", "converted"),
    [
        ("EUR", "0.5", "0.01", "0.01"),
        ("EUR", "0.5", "-0.01", "-0.01"),
        ("KRW", "1482.55", "10.00", "14826"),
        ("OMR", "0.3845", "1.01", "0.388"),
    ],
)
def test_a_frozen_rate_converts_and_rounds_half_away_from_zero(
    target: str, rate: str, amount: str, converted: str
) -> None:
    frozen = FrozenRate(base=USD, target=Currency.of(target), rate=D(rate), source="ECB", as_of=date(2026, 1, 1))
    assert frozen.convert(D(amount)) == D(converted)


@pytest.mark.parametrize(
    ("field", "value"), [("unit", "pcs"), ("cost", D(-1)), ("list_price", D("NaN")), ("list_price", D("0.0000001"))]
)
def test_a_product_with_an_unknown_unit_or_an_impossible_figure_is_refused(field: str, value: object) -> None:
    usual: dict[str, Any] = {
        "id": ProductId(UUID(int=1)),
        "sku": "A",
        "name": "A",
        "description": "",
        "unit": "C62",
        "list_price": D(1),
        "currency": EUR,
        "tax_category": "VAT",
        "tax_rate_percent": D(19),
        "created_at": NOON,
    }
    with pytest.raises(Invalid) as refused:
        Product(**usual | {field: value})
    assert [one.field for one in refused.value.fields] == [field]
