"""What the tables of the exports look like: columns, rows, and the totals below them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from src.application.ports.documents import Cell, Column, ColumnKind
from src.application.ports.quoting import QuoteLine, QuoteSummary
from src.domain.catalog.product import Product
from src.domain.customers.customer import Customer
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import CustomField, FieldKind, Values
from src.domain.shared.ids import UserId

Row = tuple[Cell, ...]
_KINDS: Final = {
    FieldKind.TEXT: ColumnKind.TEXT,
    FieldKind.CHOICE: ColumnKind.TEXT,
    FieldKind.NUMBER: ColumnKind.AMOUNT,
    FieldKind.DATE: ColumnKind.DATE,
}

QUOTES: Final = (
    Column("Number", ColumnKind.TEXT, 16),
    Column("Revision", ColumnKind.INTEGER, 9),
    Column("Status", ColumnKind.TEXT, 17),
    Column("Customer", ColumnKind.TEXT, 32),
    Column("Title", ColumnKind.TEXT, 40),
    Column("Currency", ColumnKind.TEXT, 9),
    Column("Total without tax", ColumnKind.AMOUNT, 18),
    Column("Tax", ColumnKind.AMOUNT, 14, "tax_total"),
    Column("Payable", ColumnKind.AMOUNT, 16),
    Column("Valid until", ColumnKind.DATE, 12),
    Column("Created at (UTC)", ColumnKind.INSTANT, 20, "created_at"),
    Column("Owner", ColumnKind.TEXT, 24),
)
LINES: Final = (
    Column("Number", ColumnKind.TEXT, 16),
    Column("Revision", ColumnKind.INTEGER, 9),
    Column("Status", ColumnKind.TEXT, 17),
    Column("Customer", ColumnKind.TEXT, 32),
    Column("Position", ColumnKind.INTEGER, 9),
    Column("Section", ColumnKind.TEXT, 20),
    Column("SKU", ColumnKind.TEXT, 18),
    Column("Description", ColumnKind.TEXT, 48),
    Column("Quantity", ColumnKind.AMOUNT, 12),
    Column("Unit", ColumnKind.TEXT, 7),
    Column("Unit price", ColumnKind.AMOUNT, 14),
    Column("Per", ColumnKind.AMOUNT, 8, "price_base_quantity"),
    Column("Net", ColumnKind.AMOUNT, 16),
    Column("Currency", ColumnKind.TEXT, 9),
    Column("Counts", ColumnKind.FLAG, 10),
)
CUSTOMERS: Final = (
    Column("Reference", ColumnKind.TEXT, 14),
    Column("Name", ColumnKind.TEXT, 36),
    Column("Status", ColumnKind.TEXT, 12),
    Column("VAT number", ColumnKind.TEXT, 18),
    Column("Registration number", ColumnKind.TEXT, 20),
    Column("Street", ColumnKind.TEXT, 30),
    Column("Postal code", ColumnKind.TEXT, 12),
    Column("City", ColumnKind.TEXT, 20),
    Column("Region", ColumnKind.TEXT, 16),
    Column("Country", ColumnKind.TEXT, 8),
    Column("Currency", ColumnKind.TEXT, 9),
    Column("Language", ColumnKind.TEXT, 9),
    Column("Payment days", ColumnKind.INTEGER, 13),
    Column("Payment terms", ColumnKind.TEXT, 30),
    Column("Credit limit", ColumnKind.AMOUNT, 16),
    Column("Tags", ColumnKind.TEXT, 24),
    Column("Created at (UTC)", ColumnKind.INSTANT, 20, "created_at"),
)
PRODUCTS: Final = (
    Column("SKU", ColumnKind.TEXT, 18),
    Column("Name", ColumnKind.TEXT, 36),
    Column("Description", ColumnKind.TEXT, 48),
    Column("Category", ColumnKind.TEXT, 20),
    Column("Unit", ColumnKind.TEXT, 7),
    Column("List price", ColumnKind.AMOUNT, 14),
    Column("Currency", ColumnKind.TEXT, 9),
    Column("Tax category", ColumnKind.TEXT, 13),
    Column("Tax percent", ColumnKind.AMOUNT, 12),
    Column("Archived", ColumnKind.FLAG, 10),
    Column("Created at (UTC)", ColumnKind.INSTANT, 20, "created_at"),
)
UNIT_COST: Final = Column("Unit cost", ColumnKind.AMOUNT, 14)
COST: Final = Column("Cost", ColumnKind.AMOUNT, 14)


def quote_row(quote: QuoteSummary, owners: Mapping[UserId, str]) -> Row:
    return (
        quote.number,
        quote.revision,
        quote.status.value,
        quote.customer_name,
        quote.title,
        quote.currency.code,
        quote.total_without_tax,
        quote.tax_total,
        quote.payable,
        quote.valid_until,
        quote.created_at,
        owners.get(quote.owner_id, ""),
    )


def line_row(line: QuoteLine) -> Row:
    quote = line.quote
    return (
        quote.number,
        quote.revision,
        quote.status.value,
        quote.customer_name,
        line.position,
        line.section,
        line.sku,
        line.description,
        line.quantity,
        line.unit,
        line.unit_price,
        line.price_base_quantity,
        line.net,
        quote.currency.code,
        counts(line),
    )


def counts(line: QuoteLine) -> bool:
    """Whether it is in the totals of its quote."""
    return line.chosen or not line.optional


def customer_row(customer: Customer) -> Row:
    party, address = customer.party, customer.party.address
    return (
        customer.reference,
        party.name,
        customer.status.value,
        party.vat_number,
        party.registration_number,
        address.street,
        address.postal_code,
        address.city,
        address.region,
        address.country,
        customer.currency.code,
        customer.locale,
        customer.payment_days,
        customer.payment_terms,
        customer.credit_limit,
        ", ".join(customer.tags),
        customer.created_at,
    )


def product_row(product: Product, category: str) -> Row:
    return (
        product.sku,
        product.name,
        product.description,
        category,
        product.unit,
        product.list_price,
        product.currency.code,
        product.tax_category,
        product.tax_rate_percent,
        product.archived,
        product.created_at,
    )


class CustomColumns:
    """The organisation's own fields as further columns, in their order."""

    def __init__(self, fields: Sequence[CustomField]) -> None:
        self._fields = [(field.key, field.kind) for field in fields]
        self.columns = tuple(Column(field.label, _KINDS[field.kind], 18, f"custom.{field.key}") for field in fields)

    def cells(self, values: Values) -> Row:
        if not self._fields:
            return ()
        known = dict(values)
        return tuple(_cell_of(kind, known.get(key)) for key, kind in self._fields)


def _cell_of(kind: FieldKind, value: str | None) -> Cell:
    if value is None:
        return None
    match kind:
        case FieldKind.NUMBER:
            return Decimal(value)
        case FieldKind.DATE:
            return date.fromisoformat(value)
        case _:
            return value


class Totals:
    """Sums of some columns, for each currency: amounts of two currencies have no sum."""

    def __init__(self, columns: Sequence[Column], *summed: str) -> None:
        names = [column.name for column in columns]
        self._width, self._currency = len(columns), names.index("currency")
        self._places = [names.index(name) for name in summed]
        self._sums: dict[Currency, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(summed))
        self._counts: dict[Currency, int] = defaultdict(int)

    def add(self, currency: Currency, *amounts: Decimal) -> None:
        sums = self._sums[currency]
        for place, amount in enumerate(amounts):
            sums[place] += amount
        self._counts[currency] += 1

    def rows(self) -> tuple[Row, ...]:
        """One for each currency, by its code; the first cell says of how many rows."""
        closing: list[Row] = []
        for currency in sorted(self._sums, key=lambda one: one.code):
            row: list[Cell] = [None] * self._width
            row[0], row[self._currency] = f"Total ({self._counts[currency]})", currency.code
            for place, amount in zip(self._places, self._sums[currency], strict=True):
                row[place] = amount
            closing.append(tuple(row))
        return tuple(closing)
