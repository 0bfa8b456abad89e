"""Prices of a draft that the catalogue no longer has, and the way to take the new ones."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from src.application.prices.lines import product_cost, product_tax
from src.application.prices.pricebook import Pricebook
from src.domain.catalog.selection import PriceNotFound
from src.domain.catalog.tax_rate import TaxRateMissing
from src.domain.quoting.content import LineItem, QuoteContent
from src.domain.quoting.pricing import Tax
from src.domain.shared.ids import LineItemId, ProductId
from src.domain.shared.price_source import PriceKind, PriceSource


class StaleReason(StrEnum):
    """What made the price of a line stale."""

    CUSTOMER_CHANGED = "customer_changed"
    DATE_CHANGED = "date_changed"
    CURRENCY_CHANGED = "currency_changed"
    QUANTITY_CHANGED = "quantity_changed"
    CATALOG_CHANGED = "catalog_changed"
    TAX_CHANGED = "tax_changed"
    PRICE_NOT_FOUND = "price_not_found"
    PRODUCT_ARCHIVED = "product_archived"
    TYPED = "typed"  # Not stale: somebody typed another price than the catalogue's.


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCheck:
    """One line whose price or tax is not the catalogue's; *source* and *taxes* are what it would have, None: nothing."""

    line_id: LineItemId
    sku: str
    old_unit_price: Decimal
    source: PriceSource | None
    taxes: tuple[Tax, ...] | None
    reasons: tuple[StaleReason, ...]


def products_of(content: QuoteContent) -> list[ProductId]:
    return [line.product_id for line in content.lines if line.product_id is not None]


def check_prices(
    content: QuoteContent, pricebook: Pricebook, day: date, *, include_manual: bool = False
) -> Sequence[LineCheck]:
    """The lines whose prices or taxes differ from the catalogue's on *day*. Lines without a product have none.

    Typed prices are looked at with *include_manual* only.
    """
    checks = (_check(line, content, pricebook, day, include_manual=include_manual) for line in content.lines)
    return [check for check in checks if check is not None]


def repriced(content: QuoteContent, checks: Sequence[LineCheck], pricebook: Pricebook, day: date) -> QuoteContent:
    """*content* with the catalogue's prices and taxes on the lines that *checks* have found; others stay."""
    found = {check.line_id: check for check in checks}
    lines = tuple(
        _repriced(line, found[line.id], content, pricebook) if line.id in found else line for line in content.lines
    )
    return replace(content, lines=lines, pricing_date=day)


def _check(
    line: LineItem, content: QuoteContent, pricebook: Pricebook, day: date, *, include_manual: bool
) -> LineCheck | None:
    source = line.price_source
    if line.product_id is None or source is None or line.product_id not in pricebook.products:
        return None
    typed = source.kind is PriceKind.OVERRIDE
    product = pricebook.products[line.product_id]
    reasons: list[StaleReason] = []
    found: PriceSource | None = None
    if not typed or include_manual:
        try:
            found = pricebook.price(
                product.id, quantity=line.pricing.quantity, unit=line.unit, currency=content.currency, day=day
            )
        except PriceNotFound:
            reasons.append(StaleReason.PRICE_NOT_FOUND)
        if found is not None and _per_unit(found) != _per_unit(source):
            reasons += [StaleReason.TYPED] if typed else _why(source, found, pricebook.buyer.customer_id)
        if product.archived:
            reasons.append(StaleReason.PRODUCT_ARCHIVED)
    taxes: tuple[Tax, ...] | None = None
    if not line.taxes_typed:
        try:
            taxes = (product_tax(pricebook, product, day),)
        except TaxRateMissing:
            taxes = None
        if taxes != line.pricing.taxes:
            reasons.append(StaleReason.TAX_CHANGED)
    if not reasons:
        return None
    return LineCheck(
        line_id=line.id,
        sku=line.sku,
        old_unit_price=line.pricing.unit_price,
        source=found,
        taxes=taxes,
        reasons=tuple(reasons),
    )


def _per_unit(source: PriceSource) -> tuple[Decimal, Decimal]:
    return source.unit_price, source.price_base_quantity


def _why(before: PriceSource, now: PriceSource, customer_id: UUID | None) -> list[StaleReason]:
    """What differs from when the price was asked for; the catalogue itself when nothing else does."""
    reasons = []
    if before.customer_id != ("" if customer_id is None else str(customer_id)):
        reasons.append(StaleReason.CUSTOMER_CHANGED)
    if before.pricing_date != now.pricing_date:
        reasons.append(StaleReason.DATE_CHANGED)
    if before.currency != now.currency:
        reasons.append(StaleReason.CURRENCY_CHANGED)
    if before.quantity != now.quantity:
        reasons.append(StaleReason.QUANTITY_CHANGED)
    return reasons or [StaleReason.CATALOG_CHANGED]


def _repriced(line: LineItem, check: LineCheck, content: QuoteContent, pricebook: Pricebook) -> LineItem:
    source = check.source or line.price_source
    pricing = line.pricing
    if check.source is not None and line.product_id is not None:
        product, base = pricebook.products[line.product_id], check.source.price_base_quantity
        cost = pricing.unit_cost
        if base != pricing.price_base_quantity:
            cost = product_cost(product, content.currency, base)
        pricing = replace(pricing, unit_price=check.source.unit_price, price_base_quantity=base, unit_cost=cost)
    if check.taxes is not None and not line.taxes_typed:
        pricing = replace(pricing, taxes=check.taxes)
    return replace(line, pricing=pricing, price_source=source)
