"""Codes of the tax categories that EN 16931 takes from UNCL 5305."""

from decimal import Decimal
from typing import NamedTuple

EXEMPT = "E"
TAX_CATEGORIES = frozenset({"S", "Z", "E", "AE", "K", "G", "O", "L", "M"})


class TaxCode(NamedTuple):
    """The *category* of UNCL 5305, and the *scheme* (``VAT``, ``GST``) that it belongs to."""

    category: str
    scheme: str


def tax_code(category: str, rate_percent: Decimal | None) -> TaxCode:
    """The code of a tax that we know by such a code already, or by its scheme: then the rate decides."""
    if category in TAX_CATEGORIES:
        return TaxCode(category, "VAT")
    if rate_percent is None:
        return TaxCode(EXEMPT, category)
    return TaxCode("S" if rate_percent else "Z", category)
