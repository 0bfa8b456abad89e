"""From what somebody types to the content of a draft: products are looked up, gaps are filled, parties are copied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from src.application.ports.clock import IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.catalog.product import Product, ProductNotFound
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.identity.organization import Organization
from src.domain.quoting.content import LineItem, QuoteContent, Recipient
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, LinePricing, Tax
from src.domain.shared.currency import Currency
from src.domain.shared.errors import FieldError, Invalid, invalid_field
from src.domain.shared.ids import ContactId, LineItemId, ProductId

DAYS_OF_VALIDITY = 30


class PriceNotFound(Invalid):
    """A product has no price in the quote's currency."""

    code = "price_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """One line as typed. With *product_id*, whatever is None comes from the product; without, *description* and
    *unit_price* are needed. *id* keeps the identity of a line that is edited.
    """

    quantity: Decimal
    id: LineItemId | None = None
    product_id: ProductId | None = None
    sku: str | None = None
    description: str | None = None
    unit: str | None = None
    unit_price: Decimal | None = None
    price_base_quantity: Decimal = Decimal(1)
    discounts: tuple[Discount, ...] = ()
    charges: tuple[Charge, ...] = ()
    taxes: tuple[Tax, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """An offer as typed; None keeps what there is, or takes the default of customer and organisation."""

    title: str | None = None
    contact_id: ContactId | None = None
    valid_until: date | None = None
    currency: Currency | None = None
    prices_include_tax: str | None = None  # A tax category, or "" for prices without tax.
    locale: str | None = None
    terms: str | None = None
    lines: tuple[LineInput, ...] | None = None
    discounts: tuple[DocumentDiscount, ...] | None = None
    charges: tuple[DocumentCharge, ...] | None = None


async def new_content(
    uow: UnitOfWork, ids: IdFactory, customer: Customer | None, salesperson: str, draft: DraftInput, now: datetime
) -> QuoteContent:
    """The content of a new draft. Raises ContactNotFound, and Invalid naming every wrong line."""
    organization = await uow.organizations.current()
    currency = draft.currency or (customer.currency if customer else organization.default_currency)
    blank = _blank(organization, customer, currency, salesperson, now)
    return await edited_content(uow, ids, customer, blank, replace(draft, lines=draft.lines or ()))


async def edited_content(
    uow: UnitOfWork, ids: IdFactory, customer: Customer | None, content: QuoteContent, draft: DraftInput
) -> QuoteContent:
    """*content* with what *draft* changes. Copies of parties and settings stay as they were taken."""
    currency = draft.currency or content.currency
    if currency != content.currency and draft.lines is None and content.lines:
        raise invalid_field("currency", "Prices do not convert by themselves: give the lines anew with the currency.")
    if currency != content.currency and _has_amounts(content, draft):
        raise invalid_field("currency", "Amounts do not convert by themselves: give discounts and charges anew.")
    lines = content.lines
    if draft.lines is not None:
        lines = await _resolve(uow, ids, draft.lines, currency, known=frozenset(line.id for line in content.lines))
    recipient = content.recipient
    if draft.contact_id is not None:
        recipient = _recipient(await uow.contacts.get(draft.contact_id), customer)
    return replace(
        content,
        title=_given(draft.title, content.title),
        recipient=recipient,
        valid_until=draft.valid_until or content.valid_until,
        currency=currency,
        prices_include_tax=_given(draft.prices_include_tax, content.prices_include_tax or "") or None,
        locale=_given(draft.locale, content.locale),
        terms=_given(draft.terms, content.terms),
        lines=lines,
        discounts=content.discounts if draft.discounts is None else draft.discounts,
        charges=content.charges if draft.charges is None else draft.charges,
    )


def _blank(
    organization: Organization, customer: Customer | None, currency: Currency, salesperson: str, now: datetime
) -> QuoteContent:
    today = now.astimezone(ZoneInfo(organization.time_zone)).date()
    return QuoteContent(
        title="",
        seller=organization.party,
        buyer=customer.party if customer else organization.party,
        recipient=None,
        salesperson=salesperson,
        valid_until=today + timedelta(days=DAYS_OF_VALIDITY),
        time_zone=organization.time_zone,
        locale=customer.locale if customer else organization.locale,
        currency=currency,
        settings=organization.settings,
        prices_include_tax=organization.prices_include_tax,
        lines=(),
    )


def _has_amounts(content: QuoteContent, draft: DraftInput) -> bool:
    """Whether discounts or charges in the old currency would stay."""
    kept: list[Discount | Charge] = []
    if draft.discounts is None:
        kept.extend(content.discounts)
    if draft.charges is None:
        kept.extend(content.charges)
    return any(entry.amount is not None or entry.base is not None for entry in kept)


def _given(value: str | None, otherwise: str) -> str:
    return otherwise if value is None else value


def _recipient(contact: Contact, customer: Customer | None) -> Recipient:
    if customer is not None and contact.customer_id != customer.id:
        raise invalid_field("contact_id", "This contact belongs to another customer.")
    return Recipient(contact_id=contact.id, name=contact.name, email=contact.email)


async def _resolve(
    uow: UnitOfWork, ids: IdFactory, inputs: Sequence[LineInput], currency: Currency, known: frozenset[LineItemId]
) -> tuple[LineItem, ...]:
    wanted = [line.product_id for line in inputs if line.product_id is not None]
    products = await uow.products.find(wanted) if wanted else {}
    resolved: list[LineItem] = []
    wrong: list[FieldError] = []
    unpriced = False
    seen: set[LineItemId] = set()
    for position, line in enumerate(inputs):
        product = _product(line, products)
        if line.id is not None and (line.id not in known or line.id in seen):
            wrong.append(FieldError(f"lines[{position}].id", "This is no line of the quote, or stands here twice."))
        if line.id is not None:
            seen.add(line.id)
        price = _price(line, product, currency)
        if price is None:
            unpriced = unpriced or product is not None
            wrong.append(FieldError(f"lines[{position}].unit_price", _why_unpriced(product, currency)))
        elif product is None and not (line.description or "").strip():
            wrong.append(FieldError(f"lines[{position}].description", "A line without a product needs a description."))
        else:
            resolved.append(_line(line, product, price, line.id or LineItemId(ids.new())))
    if wrong:
        kind = PriceNotFound if unpriced and len(wrong) == 1 else Invalid
        raise kind("Some lines are not valid.", fields=tuple(wrong))
    return tuple(resolved)


def _product(line: LineInput, products: Mapping[ProductId, Product]) -> Product | None:
    if line.product_id is None:
        return None
    product = products.get(line.product_id)
    if product is None:
        raise ProductNotFound("There is no such product.", product_id=str(line.product_id))
    return product


def _price(line: LineInput, product: Product | None, currency: Currency) -> Decimal | None:
    if line.unit_price is not None:
        return line.unit_price
    if product is not None and product.currency == currency:
        return product.list_price
    return None


def _why_unpriced(product: Product | None, currency: Currency) -> str:
    if product is None:
        return "A line without a product needs a unit price."
    return f"{product.sku} has its list price in {product.currency}; give a unit price in {currency}."


def _line(line: LineInput, product: Product | None, unit_price: Decimal, line_id: LineItemId) -> LineItem:
    taxes = line.taxes
    if taxes is None:
        taxes = (Tax(category=product.tax_category, rate_percent=product.tax_rate_percent),) if product else ()
    return LineItem(
        id=line_id,
        product_id=line.product_id,
        sku=_given(line.sku, product.sku if product else ""),
        description=_given(line.description, product.name if product else ""),
        unit=_given(line.unit, product.unit if product else "C62"),
        pricing=LinePricing(
            quantity=line.quantity,
            unit_price=unit_price,
            price_base_quantity=line.price_base_quantity,
            discounts=line.discounts,
            charges=line.charges,
            taxes=taxes,
        ),
    )
