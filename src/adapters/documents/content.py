"""What the template prints: an offer turned into ready texts, so that the template decides about looks alone."""

import re
from collections.abc import Callable
from decimal import Decimal
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, Final

from src.adapters.documents.labels import LABELS, Labels
from src.application.ports.documents import DocumentLine, QuoteDocument
from src.domain.documents import Notation, notation_for
from src.domain.quoting.calculation import Calculation, LineAmounts, TaxSubtotal
from src.domain.quoting.pricing import Tax
from src.domain.shared.party import Party
from src.domain.shared.uncl import EXEMPT, tax_code

# Such as exempt-education or VATEX-EU-132: words that are joined, without a space.
_CODE: Final = re.compile(r"[A-Za-z0-9]+(?:[-_+:][A-Za-z0-9]+)+")
# Reasons of the code list VATEX that are categories of UNCL 5305 as well.
_REASONS: Final = MappingProxyType({"VATEX-EU-AE": "AE", "VATEX-EU-IC": "K", "VATEX-EU-G": "G", "VATEX-EU-O": "O"})
LONGEST_UNBROKEN_WORD = 24
BREAK_HERE = "\N{ZERO WIDTH SPACE}"


def content_of(document: QuoteDocument, printable: Callable[[str], str]) -> dict[str, Any]:
    """JSON values: texts and lists. *printable* sees every text that a person wrote."""
    writer = _Writer(document, printable)
    return {
        "language": writer.notation.language,
        "issued_on": [document.issued_on.year, document.issued_on.month, document.issued_on.day],
        "heading": writer.labels.offer,
        "title": writer.text(document.title),
        "name": writer.text(f"{writer.labels.offer} {document.number}"),
        "logo": [*document.logo],
        "seller": writer.party(document.seller),
        "buyer_label": writer.labels.buyer,
        "buyer": writer.party(document.buyer),
        "contact": writer.text(document.contact_name),
        "facts": writer.facts(),
        "columns": writer.columns(),
        "lines": [*map(writer.line, document.lines, document.calculation.lines, range(1, len(document.lines) + 1))],
        "totals": writer.totals(),
        "taxes": [*map(writer.tax, document.calculation.taxes)],
        "tax_columns": [writer.labels.tax, writer.labels.tax_base, writer.labels.tax_amount],
        "payable": writer.payable(),
        "notes": writer.notes(),
        "terms_label": writer.labels.terms,
        "terms": writer.text(document.terms),
        "reference": writer.text(f"{document.number} · {writer.labels.revision} {document.revision}"),
        "digest": writer.text(writer.labels.digest.format(document.content_digest)),
        "page": writer.labels.page.split("{}"),
    }


class _Writer:
    """One document in the words and figures of its language."""

    def __init__(self, document: QuoteDocument, printable: Callable[[str], str]) -> None:
        self.document = document
        self.notation: Notation = notation_for(document.locale)
        self.labels: Labels = LABELS[self.notation.language]
        self._calculation: Calculation = document.calculation
        self._printable = printable
        self._section = ""
        self._has_line_charges = any(line.charges for line in document.calculation.lines)
        self._has_line_discounts = any(line.discounts for line in document.calculation.lines)

    def text(self, text: str) -> str:
        """Printable, and breakable where a word is longer than a column."""
        return "\n".join(
            " ".join(map(_breakable, line.split(" "))) for line in self._printable(text).strip().split("\n")
        )

    def amount(self, value: Decimal) -> str:
        return self.notation.amount(value, self._calculation.minor_digits)

    def party(self, party: Party) -> dict[str, Any]:
        address = party.address
        town = ", ".join(part for part in (f"{address.postal_code} {address.city}".strip(), address.country) if part)
        lines = [address.street, address.region, town]
        of_registers = (
            self.labels.korean_registration_number if address.country == "KR" else self.labels.registration_number
        )
        numbers = [
            label.format(number)
            for label, number in (
                (of_registers, party.registration_number),
                (self.labels.vat_number, party.vat_number),
            )
            if number
        ]
        return {
            "name": self.text(party.name),
            "address": [self.text(line) for line in lines if line.strip()],
            "numbers": [*map(self.text, numbers)],
        }

    def facts(self) -> list[list[str]]:
        document = self.document
        facts = [
            (self.labels.number, document.number),
            (self.labels.revision, str(document.revision)),
            (self.labels.issued_on, self.notation.day(document.issued_on)),
            (self.labels.valid_until, self.notation.day(document.valid_until)),
            (self.labels.salesperson, document.salesperson),
        ]
        return [[label, self.text(value)] for label, value in facts if value]

    def columns(self) -> dict[str, str]:
        labels = self.labels
        adjustment = labels.discount_and_charge if self._has_line_charges else labels.discount
        return {
            "position": labels.position,
            "description": labels.description,
            "quantity": labels.quantity,
            "unit_price": labels.unit_price,
            "adjustment": adjustment if self._has_line_charges or self._has_line_discounts else "",
            "net": labels.net,
        }

    def line(self, line: DocumentLine, amounts: LineAmounts, position: int) -> dict[str, Any]:
        unit = self.text(self.labels.units.get(line.unit, line.unit))
        base = line.price_base_quantity
        return {
            "position": str(position),
            "sku": self.text(line.sku),
            "description": self.text(line.description),
            "tax": self.text(", ".join(map(self._rate, line.taxes))),
            "quantity": self.notation.number(line.quantity),
            "unit": unit,
            "unit_price": self.amount(line.unit_price),
            "price_base": "" if base == 1 else f"/ {self.notation.number(base)} {unit}".strip(),
            "adjustments": [
                *(self.amount(-discount) for discount in amounts.discounts if discount),
                *(f"+{self.amount(charge)}" for charge in amounts.charges if charge),
            ],
            "net": self.amount(amounts.net),
            "section": self._begun(line.section),
            "option": self._option(amounts),
            "counts": amounts.counts,
        }

    def _begun(self, section: str) -> str:
        """The title of a section above its first line."""
        before, self._section = self._section, section
        return self.text(section) if section != before else ""

    def _option(self, amounts: LineAmounts) -> str:
        if not amounts.optional:
            return ""
        return self.labels.option_chosen if amounts.counts else self.labels.option

    def totals(self) -> list[list[str]]:
        """Label and amount, from the sum of the lines to what leads to the payable amount; zeros are left out."""
        labels, sums = self.labels, self._calculation
        rows = [(section.title, section.net, True) for section in sums.sections]
        rows.append((labels.subtotal, sums.line_net_total, True))
        for amount, reason in zip_longest(
            sums.discounts, self.document.discount_reasons[: len(sums.discounts)], fillvalue=""
        ):
            rows.append((_with_reason(labels.document_discount, str(reason)), -Decimal(amount), True))
        for amount, reason in zip_longest(
            sums.charges, self.document.charge_reasons[: len(sums.charges)], fillvalue=""
        ):
            rows.append((_with_reason(labels.document_charge, str(reason)), Decimal(amount), True))
        rows += [
            (labels.total_without_tax, sums.total_without_tax, bool(sums.discounts or sums.charges or sums.tax_total)),
            (labels.tax, sums.tax_total, bool(sums.taxes)),
            (labels.total_with_tax, sums.total_with_tax, True),
            (labels.retained, -sums.retained_total, bool(sums.retained_total)),
            (labels.rounding, sums.rounding, bool(sums.rounding)),
            (labels.prepaid, -sums.prepaid, bool(sums.prepaid)),
        ]
        return [[self.text(label), self.amount(amount)] for label, amount, shown in rows if shown]

    def tax(self, subtotal: TaxSubtotal) -> list[str]:
        """Name, base and amount of one tax group."""
        tax, labels = subtotal.tax, self.labels
        parts = [labels.tax_categories.get("S" if tax.category == "VAT" else tax.category, tax.category)]
        if tax.rate_percent is None:
            why = self._rate(tax)
            if tax.category not in labels.tax_categories or why not in (*parts, labels.exempt):
                parts.append(f"({why})")
        elif tax.rate_percent or tax.category == "S":
            parts.append(self.notation.percent(tax.rate_percent))
        if tax.retained:
            parts.append(f"({labels.withheld})")
        if tax.surcharge_percent is not None:
            surcharge = f"{self.notation.percent(tax.surcharge_percent)}: {self.amount(subtotal.surcharge_amount)}"
            parts.append(f"({labels.surcharge.format(surcharge)})")
        amount = -subtotal.amount if tax.retained else subtotal.amount
        return [self.text(" ".join(parts)), self.amount(subtotal.base), self.amount(amount)]

    def _rate(self, tax: Tax) -> str:
        """A rate, or why there is none: in the seller's words, or, where these are a code that buyers do not know, in ours."""
        if tax.rate_percent is not None:
            return self.notation.percent(tax.rate_percent)
        if tax.code and not _CODE.fullmatch(tax.code):
            return tax.code
        category = tax_code(tax.category, None).category
        if category == EXEMPT:
            category = _REASONS.get(tax.code.upper(), EXEMPT)
        return (
            self.labels.exempt if category == EXEMPT else self.labels.tax_categories.get(category, self.labels.exempt)
        )

    def payable(self) -> list[str]:
        sums = self._calculation
        return [self.labels.payable, self.notation.money(sums.payable, sums.currency.code, sums.minor_digits)]

    def notes(self) -> list[str]:
        notes = [self.labels.amounts_in.format(self._calculation.currency.code)]
        if self.document.prices_include_tax:
            notes.append(self.labels.prices_include_tax)
        sums, labels = self._calculation, self.labels
        if sums.deposit:
            notes.append(
                f"{labels.deposit}: {self.amount(sums.deposit)} · {labels.balance}: {self.amount(sums.balance)}"
            )
        for number, (part, amount) in enumerate(zip(self.document.instalments, sums.instalments, strict=True), start=1):
            name = self.text(part.label) or f"{labels.instalment} {number}"
            notes.append(
                f"{name}: {self.amount(amount)}" + (f" ({labels.days.format(part.days)})" if part.days else "")
            )
        return notes


def _with_reason(label: str, reason: str) -> str:
    return f"{label}: {reason}" if reason else label


def _breakable(word: str) -> str:
    """Long article numbers and addresses of pages would otherwise run out of their column."""
    if len(word) <= LONGEST_UNBROKEN_WORD:
        return word
    return BREAK_HERE.join(word[i : i + 8] for i in range(0, len(word), 8))
