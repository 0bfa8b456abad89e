"""Builders of pricings: each names only what a test is about."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from src.domain.quoting.pricing import Charge, Discount, LinePricing, QuotePricing, Tax
from src.domain.shared.currency import Currency
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxMode, TaxRounding

D = Decimal

PER_GROUP = RoundingSettings()
PER_LINE = RoundingSettings(tax_rounding=TaxRounding.PER_LINE)
PRECISE = RoundingSettings(rounding=Rounding.PRECISE)
FROM_NET = RoundingSettings(inclusive_tax=InclusiveTax.FROM_NET)


def rounding_taxes(mode: TaxMode) -> RoundingSettings:
    return RoundingSettings(tax_mode=mode)


def vat(rate: str | None, code: str = "") -> Tax:
    return Tax(category="VAT", rate_percent=None if rate is None else D(rate), code=code)


def a_line(quantity: str, unit_price: str, *taxes: Tax, **changes: Any) -> LinePricing:
    return LinePricing(quantity=D(quantity), unit_price=D(unit_price), taxes=taxes, **changes)


def a_pricing(*lines: LinePricing, currency: str = "EUR", **changes: Any) -> QuotePricing:
    return QuotePricing(currency=Currency.of(currency), lines=lines, **changes)


def percent_off(*percents: str) -> tuple[Discount, ...]:
    return tuple(Discount(percent=D(percent)) for percent in percents)


def percent_on(*percents: str) -> tuple[Charge, ...]:
    return tuple(Charge(percent=D(percent)) for percent in percents)


def texts(amounts: Sequence[Decimal]) -> list[str]:
    return [str(amount) for amount in amounts]
