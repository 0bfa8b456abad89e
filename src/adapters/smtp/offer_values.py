"""What the mail of an offer can name, of an offer and of samples; ``TEMPLATE_VALUES`` in the domain says what each is."""

from datetime import date
from decimal import Decimal
from typing import Final

from src.adapters.smtp.restricted import MOST_REPEATS
from src.application.ports.documents import QuoteDocument
from src.domain.documents import notation_for

MOST_LINES: Final = MOST_REPEATS


def offer_values(document: QuoteDocument, note: str) -> dict[str, object]:
    """The values of *document*, figures and days as its language writes them."""
    notation, sums = notation_for(document.locale), document.calculation

    def money(amount: Decimal) -> str:
        return notation.money(amount, sums.currency.code, sums.minor_digits)

    lines = [
        {
            "position": str(position),
            "sku": line.sku,
            "description": line.description,
            "quantity": notation.number(line.quantity),
            "amount": money(amounts.net),
        }
        for position, (line, amounts) in enumerate(zip(document.lines, sums.lines, strict=True), start=1)
        if position <= MOST_LINES
    ]
    return {
        "number": document.number,
        "revision": document.revision,
        "title": document.title,
        "seller": document.seller.name,
        "salesperson": document.salesperson,
        "customer": document.buyer.name,
        "contact": document.contact_name,
        "note": note.strip(),
        "total_without_tax": money(sums.total_without_tax),
        "tax_total": money(sums.tax_total),
        "payable": money(sums.payable),
        "issued_on": notation.day(document.issued_on),
        "valid_until": notation.day(document.valid_until),
        "lines": lines,
        "more_lines": max(0, len(document.lines) - MOST_LINES),
    }


def offer_sample(language: str) -> dict[str, object]:
    """An offer with everything, and with as many lines as are shown."""
    notation = notation_for(language)

    def money(amount: str) -> str:
        return notation.money(Decimal(amount), "EUR", 2)

    line = {"sku": "DESK-180", "description": "Desk 180 cm", "quantity": notation.number(Decimal("2.5"))}
    return {
        "number": "Q-2026-000123",
        "revision": 2,
        "title": "Fit-out of the new office",
        "seller": "Nordlicht & Söhne GmbH",
        "salesperson": "Jonas Weber",
        "customer": "Atelier Brandt KG",
        "contact": "Katrin Brandt",
        "note": "As we discussed.\nThe desks could come earlier.",
        "total_without_tax": money("2500.00"),
        "tax_total": money("475.00"),
        "payable": money("2975.00"),
        "issued_on": notation.day(date(2026, 11, 20)),
        "valid_until": notation.day(date(2026, 12, 20)),
        "lines": [
            line | {"position": str(position), "amount": money("25.00")} for position in range(1, MOST_LINES + 1)
        ],
        "more_lines": 3,
    }


def sparse_offer_sample(language: str) -> dict[str, object]:
    """An offer with as little as there can be."""
    empty = dict.fromkeys(("title", "salesperson", "contact", "note"), "")
    return offer_sample(language) | empty | {"lines": [], "more_lines": 0}
