"""From a row of text to what it says: one parser for each kind of file, each field with its own complaint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from src.application.ports.tabular import FileRefused
from src.domain.documents.catalog_import import ImportKind
from src.domain.shared.currency import Currency
from src.domain.shared.errors import DomainError

_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", re.ASCII)
_YES, _NO = frozenset({"true", "yes", "1", "x"}), frozenset({"false", "no", "0", ""})

CUSTOM: Final = "custom."  # Before the key of one of the organisation's own fields.
WITH_CUSTOM: Final = frozenset({ImportKind.PRODUCTS, ImportKind.CUSTOMERS})
COLUMNS: Final[Mapping[ImportKind, tuple[frozenset[str], frozenset[str]]]] = {
    ImportKind.PRODUCTS: (
        frozenset({"sku", "name", "list_price"}),
        frozenset(
            {
                *("description", "unit", "currency", "cost", "category", "tax_rate", "tax_category"),
                *("tax_rate_percent", "archived"),
            }
        ),
    ),
    ImportKind.PRICES: (
        frozenset({"price_list"}),
        frozenset(
            {
                *("sku", "category", "min_quantity", "below", "unit_price", "discount_percent"),
                *("price_base_quantity", "unit"),
            }
        ),
    ),
    ImportKind.EXCHANGE_RATES: (frozenset({"base", "target", "rate", "as_of"}), frozenset({"source"})),
    ImportKind.CUSTOMERS: (
        frozenset({"name"}),
        frozenset(
            {
                *("reference", "registration_number", "vat_number", "street", "postal_code", "city", "region"),
                *("country", "currency", "locale", "group", "payment_days", "payment_terms", "credit_limit"),
                *("tags", "notes"),
            }
        ),
    ),
    ImportKind.CONTACTS: (
        frozenset({"customer", "name", "email"}),
        frozenset({"phone", "job_title", "language", "birthday", "tags"}),
    ),
}


class RowRefused(Exception):
    """One thing that is wrong with a row."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column, self.message = column, message


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a row by column, read as what they must be. Every method raises RowRefused."""

    cells: Mapping[str, str]

    def text(self, column: str, default: str = "") -> str:
        return self.cells.get(column, "") or default

    def has(self, column: str) -> bool:
        return bool(self.cells.get(column, ""))

    def needed(self, column: str) -> str:
        value = self.cells.get(column, "")
        if not value:
            raise RowRefused(column, "This must not be empty.")
        return value

    def decimal(self, column: str) -> Decimal | None:
        value = self.cells.get(column, "")
        if not value:
            return None
        if not _DECIMAL.fullmatch(value):
            raise RowRefused(column, f"{value[:40]!r} is no plain decimal such as 1250.00.")
        return Decimal(value)

    def needed_decimal(self, column: str) -> Decimal:
        self.needed(column)
        return self.decimal(column) or Decimal(0)

    def day(self, column: str) -> date:
        try:
            return date.fromisoformat(self.needed(column))
        except ValueError:
            raise RowRefused(column, f"{self.text(column)[:40]!r} is no day such as 2026-11-21.") from None

    def custom(self) -> Mapping[str, str]:
        """The values of custom fields by key, but for the empty ones."""
        return {
            name.removeprefix(CUSTOM): value for name, value in self.cells.items() if value and name.startswith(CUSTOM)
        }

    def yes(self, column: str) -> bool:
        value = self.cells.get(column, "").casefold()
        if value not in _YES | _NO:
            raise RowRefused(column, f"{value[:40]!r} is neither yes nor no.")
        return value in _YES

    def currency(self, column: str) -> Currency | None:
        if not self.has(column):
            return None
        try:
            return Currency.of(self.text(column).upper())
        except DomainError as error:
            raise RowRefused(column, error.message) from None


def check_columns(kind: ImportKind, header: tuple[str, ...]) -> None:
    """Raises FileRefused for a column that is missing or that nobody knows."""
    needed, more = COLUMNS[kind]
    own = {column for column in header if kind in WITH_CUSTOM and column.startswith(CUSTOM)}
    missing, unknown = sorted(needed - set(header)), sorted(set(header) - needed - more - own)
    if missing:
        raise FileRefused(f"The column {missing[0]!r} is missing.", row=1, column=missing[0], reason="header")
    if unknown:
        known = ", ".join([*sorted(needed | more), *([f"{CUSTOM}KEY"] if kind in WITH_CUSTOM else [])])
        raise FileRefused(
            f"The column {unknown[0][:60]!r} is not known; these are: {known}.",
            row=1,
            column=unknown[0][:60],
            reason="header",
        )
