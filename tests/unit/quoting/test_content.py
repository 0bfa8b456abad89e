"""Contents of offers: each text that is refused is named by its place."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from src.domain.quoting.content import LineItem
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, Instalment, Tax
from src.domain.shared.errors import Invalid
from src.domain.shared.price_source import PriceKind, PriceSource
from tests.builders.quotes import a_content, a_line

BELL, PERCENT = "a\x07b", Decimal(5)
SOURCE = PriceSource(
    kind=PriceKind.OVERRIDE,
    source_type="typed",
    source_id="",
    name="",
    version=0,
    list_price=None,
    discount_percent=None,
    unit_price=Decimal(1),
    min_quantity=Decimal(1),
    currency="EUR",
    pricing_date=date(2026, 3, 2),
    quantity=Decimal(1),
    customer_id="",
    losers=(),
    reason=BELL,
)
FIRST = a_line().pricing


def _wrong_in(*lines: LineItem) -> list[str]:
    with pytest.raises(Invalid) as refused:
        a_content(lines=lines)
    return [one.field for one in refused.value.fields]


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (a_line(sku="s" * 61), "lines[1].sku"),
        (a_line(description="d" * 2001), "lines[1].description"),
        (a_line(unit=BELL), "lines[1].unit"),
        (a_line(pricing=replace(FIRST, section=BELL)), "lines[1].section"),
        (a_line(price_source=SOURCE), "lines[1].price_reason"),
        (
            a_line(
                pricing=replace(FIRST, discounts=(Discount(percent=PERCENT), Discount(percent=PERCENT, reason=BELL)))
            ),
            "lines[1].discounts[1].reason",
        ),
        (
            a_line(pricing=replace(FIRST, charges=(Charge(percent=PERCENT, reason=BELL),))),
            "lines[1].charges[0].reason",
        ),
        (
            a_line(pricing=replace(FIRST, taxes=(*FIRST.taxes, Tax(category=" ", rate_percent=None)))),
            "lines[1].taxes[1].category",
        ),
        (
            a_line(pricing=replace(FIRST, taxes=(Tax(category="E", rate_percent=None, code=BELL),))),
            "lines[1].taxes[0].code",
        ),
    ],
)
def test_a_text_of_a_line_that_is_refused_is_named_by_its_place(line: LineItem, field: str) -> None:
    assert _wrong_in(a_line(), line) == [field]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        a_content(
            title=BELL,
            terms="{}" + BELL,
            lines=(a_line(sku=BELL, unit=BELL), a_line(sku=BELL)),
            discounts=(DocumentDiscount(percent=PERCENT), DocumentDiscount(percent=PERCENT, reason=BELL)),
            charges=(DocumentCharge(percent=PERCENT, reason=BELL),),
            instalments=(Instalment(share=Decimal(1), label=BELL),),
        )

    assert [one.field for one in refused.value.fields] == [
        "title",
        "terms",
        "lines[0].sku",
        "lines[0].unit",
        "lines[1].sku",
        "discounts[1].reason",
        "charges[0].reason",
        "instalments[0].label",
    ]
