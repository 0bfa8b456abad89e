"""Offers to print. Figures are plausible, not calculated: the calculator has tests of its own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from src.application.ports.documents import DocumentLine, QuoteDocument
from src.domain.quoting.calculation import Calculation, LineAmounts, TaxSubtotal
from src.domain.quoting.pricing import Tax
from src.domain.shared.currency import Currency
from src.domain.shared.party import Address, Party

SELLER = Party(
    name="Nordwerk Automation GmbH",
    address=Address(street="Industriestraße 12", postal_code="20457", city="Hamburg", country="DE"),
    registration_number="HRB 123456",
    vat_number="DE123456789",
)
BUYER = Party(
    name="Kowalski & Synowie Sp. z o.o.",
    address=Address(street="ul. Żółkiewskiego 7", postal_code="61-001", city="Poznań", country="PL"),
    vat_number="PL5260001246",
)
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def a_line(description: str = "Control cabinet, 800 × 600 mm", **changes: Any) -> DocumentLine:
    line = DocumentLine(
        sku="CC-8060",
        description=description,
        quantity=Decimal(2),
        unit="pcs",
        unit_price=Decimal("1250.00"),
        price_base_quantity=Decimal(1),
        taxes=(Tax(category="S", rate_percent=Decimal(19)),),
    )
    return replace(line, **changes)


def a_calculation(
    currency: str,
    lines: Sequence[DocumentLine],
    *,
    line_discounts: Sequence[str] = (),
    line_charges: Sequence[str] = (),
    discounts: Sequence[str] = (),
    charges: Sequence[str] = (),
    prepaid: str = "0",
    rounding: str = "0",
) -> Calculation:
    """One tax group of 19 %; *line_discounts* and *line_charges* are those of the first line."""
    money = Currency.of(currency)
    unit = Decimal(1).scaleb(-money.minor_digits)
    amounts = []
    for index, line in enumerate(lines):
        gross = (line.quantity * line.unit_price / line.price_base_quantity).quantize(unit)
        off = tuple(map(Decimal, line_discounts)) if index == 0 else ()
        on = tuple(map(Decimal, line_charges)) if index == 0 else ()
        amounts.append(LineAmounts(gross=gross, discounts=off, charges=on, net=gross - sum(off) + sum(on)))
    total = sum((line.net for line in amounts), Decimal(0))
    document_discounts, document_charges = tuple(map(Decimal, discounts)), tuple(map(Decimal, charges))
    base = total - sum(document_discounts) + sum(document_charges)
    tax = (base * Decimal("0.19")).quantize(unit)
    return Calculation(
        currency=money,
        minor_digits=money.minor_digits,
        lines=tuple(amounts),
        line_net_total=total,
        discounts=document_discounts,
        charges=document_charges,
        discount_total=sum(document_discounts, Decimal(0)),
        charge_total=sum(document_charges, Decimal(0)),
        total_without_tax=base,
        taxes=(
            TaxSubtotal(
                tax=Tax(category="S", rate_percent=Decimal(19)), base=base, amount=tax, surcharge_amount=Decimal(0)
            ),
        ),
        tax_total=tax,
        total_with_tax=base + tax,
        retained_total=Decimal(0),
        prepaid=Decimal(prepaid),
        rounding=Decimal(rounding),
        payable=base + tax + Decimal(rounding) - Decimal(prepaid),
        en16931_exact=True,
    )


def a_quote_document(**changes: Any) -> QuoteDocument:
    """An offer over one line; without a ``calculation`` of its own, it gets one in euros that fits its lines."""
    lines = changes.get("lines", (a_line(),))
    document = QuoteDocument(
        number="Q-2026-000123",
        revision=2,
        title="Control cabinets for the packing line",
        locale="en",
        issued_on=date(2026, 11, 20),
        valid_until=date(2026, 12, 20),
        seller=SELLER,
        buyer=BUYER,
        contact_name="Łucja Kowalska",
        salesperson="Jana Petersen",
        lines=lines,
        discount_reasons=(),
        charge_reasons=(),
        prices_include_tax=False,
        calculation=a_calculation("EUR", lines),
        terms="Payment within 30 days net. Delivery ex works, Incoterms 2020.",
        content_digest=DIGEST,
    )
    return replace(document, **changes)


def a_full_quote_document() -> QuoteDocument:
    """One page with everything on it: the picture in the documentation."""
    lines = (
        a_line("Control cabinet, 800 × 600 × 300 mm\nSheet steel, powder-coated RAL 7035, IP 66"),
        a_line(
            "Installation cable NYM-J 5 × 2.5 mm²",
            sku="CAB-525",
            quantity=Decimal("1250.5"),
            unit="m",
            unit_price=Decimal("187.5"),
            price_base_quantity=Decimal(100),
        ),
        a_line(
            "Inbetriebnahme vor Ort · Uruchomienie na miejscu · Пусконаладочные работы · 현장 시운전",
            sku="SRV-START",
            quantity=Decimal("1.5"),
            unit="days",
            unit_price=Decimal("1120.00"),
        ),
        a_line("Terminal block, 4 mm², grey", sku="TB-4", quantity=Decimal(480), unit_price=Decimal("0.385")),
    )
    return a_quote_document(
        lines=lines,
        calculation=a_calculation(
            "EUR",
            lines,
            line_discounts=("125.00",),
            line_charges=("40.00",),
            discounts=("211.06",),
            charges=("85.00",),
            prepaid="500.00",
        ),
        discount_reasons=("framework agreement 2026",),
        charge_reasons=("freight",),
        terms="Payment within 30 days net, 2% discount within 10 days.\n"
        "Delivery ex works Hamburg (EXW, Incoterms 2020), about four weeks after your order.\n"
        "Our general terms of sale of 1 March 2026 apply.",
    )
