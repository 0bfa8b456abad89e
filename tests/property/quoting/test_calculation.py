"""Laws that hold for every offer."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.quoting.apportion import apportion
from src.domain.quoting.arithmetic import ZERO
from src.domain.quoting.calculation import Calculation, LineAmounts, SectionSubtotal, TaxSubtotal
from src.domain.quoting.calculator import calculate
from src.domain.quoting.pricing import Charge, Discount, DocumentDiscount, LinePricing, QuotePricing, Tax
from src.domain.shared.currency import Currency
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxRounding
from tests.property.quoting.strategies import D, currencies, decimals, lines, percents, pricings, taxes
from tests.property.quoting.strategies import settings as rounding_settings


@settings(max_examples=300)
@given(pricing=pricings(Rounding.PER_LINE))
def test_printed_figures_add_up(pricing: QuotePricing) -> None:
    c = calculate(pricing)

    for line in c.lines:
        assert line.net == line.gross - sum(line.discounts) + sum(line.charges)
    assert c.line_net_total == sum(line.net for line in c.lines if line.counts)  # BR-CO-10
    assert c.discount_total == sum(c.discounts)  # BR-CO-11
    assert c.charge_total == sum(c.charges)  # BR-CO-12
    if pricing.prices_include_tax is None:
        assert c.total_without_tax == c.line_net_total - c.discount_total + c.charge_total  # BR-CO-13
    taxed = [group for group in c.taxes if not group.tax.retained]
    assert c.tax_total == sum(group.amount + group.surcharge_amount for group in taxed)  # BR-CO-14
    assert c.total_with_tax == c.total_without_tax + c.tax_total  # BR-CO-15
    assert c.payable == c.total_with_tax - c.retained_total - c.prepaid + c.rounding  # BR-CO-16


@settings(max_examples=150)
@given(pricing=pricings(Rounding.PRECISE))
def test_precise_totals_miss_each_other_by_one_unit_at_most(pricing: QuotePricing) -> None:
    c = calculate(pricing)

    assert abs(c.total_without_tax + c.tax_total - c.total_with_tax) <= D(1).scaleb(-c.minor_digits)


AMOUNTS = [name for name in Calculation.__slots__ if name != "margin_percent"]


@settings(max_examples=150)
@given(pricing=pricings())
def test_every_figure_has_the_minor_digits_of_the_currency(pricing: QuotePricing) -> None:
    c = calculate(pricing)

    figures = [
        *(getattr(c, name) for name in AMOUNTS if isinstance(getattr(c, name), Decimal)),
        *(section.net for section in c.sections),
        *c.instalments,
        *(amount for line in c.lines for amount in (line.gross, line.net, *line.discounts, *line.charges)),
        *(amount for group in c.taxes for amount in (group.base, group.amount, group.surcharge_amount)),
    ]
    assert {figure.as_tuple().exponent for figure in figures} == {-c.minor_digits}
    assert not any(figure.is_signed() and not figure for figure in figures)


@given(pricing=pricings(), order=st.randoms())
def test_the_order_of_lines_changes_nothing_else(pricing: QuotePricing, order: Random) -> None:
    numbers = list(range(len(pricing.lines)))
    order.shuffle(numbers)
    moved = {number: place for place, number in enumerate(numbers)}
    discounts = tuple(
        replace(one, lines=None if one.lines is None else tuple(moved[at] for at in one.lines))
        for one in pricing.discounts
    )

    lines = tuple(pricing.lines[number] for number in numbers)
    shuffled = calculate(replace(pricing, lines=lines, discounts=discounts))

    straight = calculate(pricing)
    expected = replace(straight, lines=tuple(straight.lines[number] for number in numbers))
    assert _without_shares(shuffled) == _without_shares(expected)
    assert sum(line.document_share for line in shuffled.lines) == sum(line.document_share for line in expected.lines)


def _without_shares(c: Calculation) -> Calculation:
    """Among equal lines the odd unit of a document's discount goes to the one that stands first; and sections follow."""
    lines = tuple(replace(line, document_share=ZERO, margin=None) for line in c.lines)
    return replace(c, lines=lines, sections=tuple(sorted(c.sections, key=lambda one: one.title)))


@given(pricing=pricings())
def test_deposit_and_instalments_make_up_what_is_paid(pricing: QuotePricing) -> None:
    c = calculate(pricing)

    assert c.deposit + c.balance == c.payable
    assert not pricing.instalments or sum(c.instalments, ZERO) == c.balance
    assert all(part * c.balance >= 0 for part in c.instalments)


@given(pricing=pricings())
def test_what_is_not_chosen_changes_no_total(pricing: QuotePricing) -> None:
    counted = tuple(line for line in pricing.lines if line.counts)
    places = {at: place for place, at in enumerate(at for at, line in enumerate(pricing.lines) if line.counts)}
    discounts = tuple(
        replace(one, lines=None if one.lines is None else tuple(places[at] for at in one.lines if at in places))
        for one in pricing.discounts
    )

    whole, without = calculate(pricing), calculate(replace(pricing, lines=counted, discounts=discounts))

    names = [name for name in Calculation.__slots__ if name not in {"lines", "sections"}]
    assert [getattr(whole, name) for name in names] == [getattr(without, name) for name in names]


@settings(max_examples=150)
@given(pricing=pricings())
def test_the_opposite_offer_has_the_opposite_figures(pricing: QuotePricing) -> None:
    opposite, straight = calculate(_opposite(pricing)), calculate(pricing)

    assert opposite == replace(_negated(straight), margin_percent=straight.margin_percent)


def _opposite(pricing: QuotePricing) -> QuotePricing:
    return replace(
        pricing,
        lines=tuple(
            replace(
                line,
                quantity=-line.quantity,
                discounts=tuple(_opposed(d) for d in line.discounts),
                charges=tuple(_opposed(c) for c in line.charges),
            )
            for line in pricing.lines
        ),
        discounts=tuple(_opposed(d) for d in pricing.discounts),
        charges=tuple(_opposed(c) for c in pricing.charges),
        prepaid=-pricing.prepaid,
        rounding_amount=-pricing.rounding_amount,
    )


Adjusting = TypeVar("Adjusting", bound=Discount | Charge)


def _opposed(adjustment: Adjusting) -> Adjusting:
    amount, base = adjustment.amount, adjustment.base
    return replace(adjustment, amount=None if amount is None else -amount, base=None if base is None else -base)


def _negated(c: Calculation) -> Calculation:
    names = [name for name in Calculation.__slots__ if isinstance(getattr(c, name), Decimal)]
    return replace(
        c,
        **{name: ZERO - getattr(c, name) for name in names},
        lines=tuple(
            LineAmounts(
                gross=ZERO - line.gross,
                discounts=tuple(ZERO - amount for amount in line.discounts),
                charges=tuple(ZERO - amount for amount in line.charges),
                net=ZERO - line.net,
                document_share=ZERO - line.document_share,
                cost=None if line.cost is None else ZERO - line.cost,
                margin=None if line.margin is None else ZERO - line.margin,
                optional=line.optional,
                counts=line.counts,
            )
            for line in c.lines
        ),
        discounts=tuple(ZERO - amount for amount in c.discounts),
        charges=tuple(ZERO - amount for amount in c.charges),
        sections=tuple(SectionSubtotal(title=one.title, net=ZERO - one.net) for one in c.sections),
        instalments=tuple(ZERO - amount for amount in c.instalments),
        taxes=tuple(
            TaxSubtotal(
                tax=group.tax,
                base=ZERO - group.base,
                amount=ZERO - group.amount,
                surcharge_amount=ZERO - group.surcharge_amount,
            )
            for group in c.taxes
        ),
    )


usual_lines = st.builds(
    LinePricing,
    quantity=decimals(50, 2, smallest=0),
    unit_price=decimals(2000, 3, smallest=0),
    taxes=taxes.filter(lambda tax: not tax.retained).map(lambda tax: (tax,)),
)


@given(
    line=usual_lines,
    others=st.lists(lines, max_size=2),
    less=percents,
    more=percents,
    settings=rounding_settings(),
    currency=currencies,
    included=st.sampled_from([None, "VAT"]),
)
def test_a_greater_line_discount_never_costs_more(
    line: LinePricing,
    others: list[LinePricing],
    less: Decimal,
    more: Decimal,
    settings: RoundingSettings,
    currency: Currency,
    included: str | None,
) -> None:
    less, more = sorted((less, more))

    def total(percent: Decimal) -> Decimal:
        discounted = replace(line, discounts=(Discount(percent=percent),))
        pricing = QuotePricing(
            currency=currency, lines=(discounted, *others), settings=settings, prices_include_tax=included
        )
        return calculate(pricing).total_with_tax

    assert total(more) <= total(less)


@given(
    amounts=st.lists(usual_lines, min_size=1, max_size=4),
    tax=taxes.filter(lambda tax: not tax.retained),
    less=percents,
    more=percents,
    settings=rounding_settings(),
    currency=currencies,
    included=st.sampled_from([None, "VAT"]),
)
def test_a_greater_document_discount_never_costs_more(
    amounts: list[LinePricing],
    tax: Tax,
    less: Decimal,
    more: Decimal,
    settings: RoundingSettings,
    currency: Currency,
    included: str | None,
) -> None:
    less, more = sorted((less, more))
    pricing = QuotePricing(
        currency=currency,
        lines=tuple(replace(line, taxes=(tax,)) for line in amounts),
        settings=settings,
        prices_include_tax=included,
    )

    def total(percent: Decimal) -> Decimal:
        return calculate(replace(pricing, discounts=(DocumentDiscount(percent=percent),))).total_with_tax

    assert total(more) <= total(less)


@given(pricing=pricings(Rounding.PER_LINE))
def test_what_prices_contain_is_neither_added_nor_lost(pricing: QuotePricing) -> None:
    from_gross = replace(pricing.settings, inclusive_tax=InclusiveTax.FROM_GROSS, tax_rounding=TaxRounding.PER_GROUP)
    c = calculate(replace(pricing, settings=from_gross, prices_include_tax="VAT"))

    on_top = sum(
        (g.amount * (g.tax.category != "VAT") + g.surcharge_amount for g in c.taxes if not g.tax.retained), ZERO
    )
    assert c.total_with_tax - on_top == c.line_net_total - c.discount_total + c.charge_total


@given(
    total=decimals(1000, 2),
    bases=st.lists(decimals(500, 2), min_size=1, max_size=6),
    unit=st.sampled_from([D("0.01"), D("0.001"), D("0.0001")]),
)
def test_the_parts_sum_to_the_whole(total: Decimal, bases: list[Decimal], unit: Decimal) -> None:
    parts = apportion(total, bases, unit)

    assert sum(parts) == total
    assert all(part % unit == 0 for part in parts)


@given(total=decimals(1000, 2), bases=st.lists(decimals(500, 2, smallest=0), min_size=1, max_size=6))
def test_no_part_is_a_unit_away_from_its_share(total: Decimal, bases: list[Decimal]) -> None:
    whole = sum(bases)
    for part, base in zip(apportion(total, bases, D("0.01")), bases, strict=True):
        if whole:
            assert abs(Fraction(part) - Fraction(total) * Fraction(base) / Fraction(whole)) < Fraction(1, 100)
