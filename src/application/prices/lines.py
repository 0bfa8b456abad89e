"""From typed lines to line items: texts and prices come from the catalogue where nothing else is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from src.application.ports.clock import IdFactory
from src.application.prices.pricebook import Pricebook
from src.domain.catalog.product import Product, ProductArchived
from src.domain.catalog.selection import PriceNotFound
from src.domain.catalog.tax_rate import TaxRateMissing
from src.domain.quoting.content import LineItem
from src.domain.quoting.pricing import Charge, Discount, LinePricing, Tax
from src.domain.shared.currency import Currency
from src.domain.shared.errors import FieldError, Invalid
from src.domain.shared.ids import LineItemId, ProductId
from src.domain.shared.price_source import PriceKind, PriceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """One line as typed. With *product_id*, whatever is None comes from the product and the catalogue; without,
    *description* and *unit_price* are needed. *id* keeps the identity of a line that is edited, and its price.

    A *unit_price* that is not the catalogue's needs a *price_reason*.
    """

    quantity: Decimal
    id: LineItemId | None = None
    product_id: ProductId | None = None
    sku: str | None = None
    description: str | None = None
    unit: str | None = None
    unit_price: Decimal | None = None
    price_reason: str = ""
    price_base_quantity: Decimal | None = None
    discounts: tuple[Discount, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] | None = None
    optional: bool = False
    chosen: bool = False
    unit_cost: Decimal | None = None
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the prices of an offer depend on beside its lines."""

    currency: Currency
    day: date


def resolve_lines(
    inputs: Sequence[LineInput],
    *,
    known: Mapping[LineItemId, LineItem],
    pricebook: Pricebook,
    terms: Terms,
    ids: IdFactory,
) -> tuple[LineItem, ...]:
    """The line items. A *known* line keeps its price, whatever the catalogue says by now.

    Raises PriceNotFound where that is all that is wrong, ProductArchived, and Invalid naming every wrong line.
    """
    resolver = _Resolver(known, pricebook, terms, ids)
    items = [resolver.item(f"lines[{position}]", line) for position, line in enumerate(inputs)]
    resolver.done()
    return tuple(item for item in items if item is not None)


class _Resolver:
    """Resolves lines one after another and collects what is wrong with any of them."""

    def __init__(
        self, known: Mapping[LineItemId, LineItem], pricebook: Pricebook, terms: Terms, ids: IdFactory
    ) -> None:
        self._known, self._pricebook, self._terms, self._ids = known, pricebook, terms, ids
        self._seen: set[LineItemId] = set()
        self._wrong: list[FieldError] = []
        self._unpriced: PriceNotFound | None = None

    def item(self, place: str, line: LineInput) -> LineItem | None:
        """The line item, or None when something is wrong with it."""
        before = self._before(place, line)
        product = None if line.product_id is None else self._pricebook.products[line.product_id]
        if product is None:
            return self._typed(place, line)
        if before is None and product.archived:
            raise ProductArchived(
                f"{product.sku} is archived and is no longer offered.", field=f"{place}.product_id", sku=product.sku
            )
        unit = line.unit or (before.unit if before else product.unit)
        source = self._source(place, line, before, product, unit)
        taxes = self._taxes(place, line, before, product)
        if source is None or taxes is None:
            return None
        base = source.price_base_quantity
        return LineItem(
            id=line.id or LineItemId(self._ids.new()),
            product_id=product.id,
            sku=_given(line.sku, before.sku if before else product.sku),
            description=_given(line.description, before.description if before else product.name),
            unit=unit,
            price_source=source,
            taxes_typed=taxes[1],
            pricing=LinePricing(
                quantity=line.quantity,
                unit_price=source.unit_price,
                price_base_quantity=base,
                discounts=line.discounts,
                charges=line.charges,
                taxes=taxes[0],
                optional=line.optional,
                chosen=line.chosen,
                unit_cost=self._cost(line, before, product, base),
                section=line.section,
            ),
        )

    def done(self) -> None:
        """Raises what was wrong with the lines."""
        if self._unpriced is not None and len(self._wrong) == 1:
            raise PriceNotFound(self._unpriced.message, fields=tuple(self._wrong), **self._unpriced.details)
        if self._wrong:
            raise Invalid("Some lines are not valid.", fields=tuple(self._wrong))

    def _before(self, place: str, line: LineInput) -> LineItem | None:
        """The line as it was, when it is still about the same product."""
        if line.id is None:
            return None
        if line.id not in self._known or line.id in self._seen:
            self._wrong.append(FieldError(f"{place}.id", "This is no line of the quote, or stands here twice."))
            return None
        self._seen.add(line.id)
        before = self._known[line.id]
        return before if before.product_id == line.product_id else None

    def _typed(self, place: str, line: LineInput) -> LineItem | None:
        """A line without a product."""
        if line.unit_price is None:
            self._wrong.append(FieldError(f"{place}.unit_price", "A line without a product needs a unit price."))
            return None
        if not (line.description or "").strip():
            self._wrong.append(FieldError(f"{place}.description", "A line without a product needs a description."))
            return None
        return LineItem(
            id=line.id or LineItemId(self._ids.new()),
            sku=line.sku or "",
            description=line.description or "",
            unit=_given(line.unit, "C62"),
            pricing=LinePricing(
                quantity=line.quantity,
                unit_price=line.unit_price,
                price_base_quantity=_base(line),
                discounts=line.discounts,
                charges=line.charges,
                taxes=line.taxes or (),
                optional=line.optional,
                chosen=line.chosen,
                unit_cost=line.unit_cost,
                section=line.section,
            ),
        )

    def _source(
        self, place: str, line: LineInput, before: LineItem | None, product: Product, unit: str
    ) -> PriceSource | None:
        kept = before.price_source if before else None
        if kept is not None and before is not None and _says_nothing_else(line, before.pricing):
            return replace(kept, reason=line.price_reason) if line.price_reason and _is_typed(kept) else kept
        found = self._ask(place, line, product, unit)
        unit_price = found.unit_price if line.unit_price is None and found is not None else line.unit_price
        if unit_price is None:
            return None
        base = _base(line, found)
        if found is not None and (unit_price, base) == (found.unit_price, found.price_base_quantity):
            return found
        if not line.price_reason.strip():
            said = (
                "has no price"
                if found is None
                else f"is {found.unit_price:f} {found.currency}{_per(found.price_base_quantity)}"
            )
            told = (
                f"In the catalogue {product.sku} {said}: say in price_reason why it is {unit_price:f}{_per(base)} here."
            )
            self._wrong.append(FieldError(f"{place}.price_reason", told))
            return None
        return PriceSource(
            kind=PriceKind.OVERRIDE,
            source_type="typed",
            source_id="",
            name="",
            version=product.version,
            list_price=None,
            discount_percent=None,
            unit_price=unit_price,
            price_base_quantity=base,
            min_quantity=Decimal(0),
            currency=self._terms.currency.code,
            pricing_date=self._terms.day,
            quantity=line.quantity,
            customer_id="" if self._pricebook.buyer.customer_id is None else str(self._pricebook.buyer.customer_id),
            reason=line.price_reason.strip(),
            catalog_price=None if found is None else found.unit_price / found.price_base_quantity,
        )

    def _ask(self, place: str, line: LineInput, product: Product, unit: str) -> PriceSource | None:
        try:
            return self._pricebook.price(
                product.id,
                quantity=line.quantity,
                unit=unit,
                currency=self._terms.currency,
                day=self._terms.day,
            )
        except PriceNotFound as error:
            if line.unit_price is None:
                self._unpriced = error
                self._wrong.append(FieldError(f"{place}.unit_price", error.message))
            return None

    def _taxes(
        self, place: str, line: LineInput, before: LineItem | None, product: Product
    ) -> tuple[tuple[Tax, ...], bool] | None:
        """The taxes, and whether somebody typed them."""
        if before is not None and line.taxes in {None, before.pricing.taxes}:
            return before.pricing.taxes, before.taxes_typed
        if line.taxes is not None:
            return line.taxes, True
        try:
            return (product_tax(self._pricebook, product, self._terms.day),), False
        except TaxRateMissing as error:
            self._wrong.append(FieldError(f"{place}.taxes", error.message))
            return None

    def _cost(self, line: LineInput, before: LineItem | None, product: Product, base: Decimal) -> Decimal | None:
        if line.unit_cost is not None:
            return line.unit_cost
        if before is not None:
            return before.pricing.unit_cost
        return product_cost(product, self._terms.currency, base)


def product_tax(pricebook: Pricebook, product: Product, day: date) -> Tax:
    """The tax of *product* on *day*. Raises TaxRateMissing."""
    rate = pricebook.tax_rate(product.id)
    if rate is None:
        return Tax(category=product.tax_category, rate_percent=product.tax_rate_percent)
    percent = rate.on(day).rate_percent
    return Tax(
        category=rate.category,
        rate_percent=percent,
        code="" if percent is not None else rate.exemption_code,
        surcharge_percent=rate.surcharge_percent,
        retained=rate.retained,
    )


def product_cost(product: Product, currency: Currency, price_base_quantity: Decimal) -> Decimal | None:
    """The cost of *price_base_quantity* units; None when it is not known in *currency* to six decimals."""
    if product.cost is None or product.currency != currency:
        return None
    cost = product.cost * price_base_quantity
    return cost if cost.quantize(Decimal("0.000001")) == cost else None


def _is_typed(source: PriceSource) -> bool:
    return source.kind is PriceKind.OVERRIDE


def _given(value: str | None, otherwise: str) -> str:
    return otherwise if value is None else value


def _base(line: LineInput, found: PriceSource | None = None) -> Decimal:
    """For how many units the price is: as typed, else as in the catalogue."""
    if line.price_base_quantity is not None:
        return line.price_base_quantity
    return Decimal(1) if found is None or line.unit_price is not None else found.price_base_quantity


def _says_nothing_else(line: LineInput, before: LinePricing) -> bool:
    """Whether price and base quantity are those that the line has, or left out."""
    return line.unit_price in {None, before.unit_price} and line.price_base_quantity in {
        None,
        before.price_base_quantity,
    }


def _per(base: Decimal) -> str:
    return "" if base == 1 else f" per {base:f}"
