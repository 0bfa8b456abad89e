"""``proffer quote price``: a request for quotation in, what it comes to out. It needs no database."""

import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from src.domain.quoting.calculation import Calculation
from src.domain.quoting.explaining import explain as explain_pricing
from src.domain.quoting.pricing import Tax
from src.domain.shared.canonical import decimal_text
from src.entrypoints.cli.failures import INVALID, USAGE, fail
from src.entrypoints.cli.output import print_json
from src.entrypoints.cli.waterfall import print_waterfall
from src.entrypoints.pricing_document import PricingDocument, read_pricing
from src.entrypoints.schemas.explanation import ExplanationSchema
from src.entrypoints.schemas.pricing import CalculationSchema, amount_text
from src.entrypoints.strict_json import printable


def price(
    file: Annotated[str, Parameter(help="A JSON file, or - for standard input.", allow_leading_hyphen=True)],
    *,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
    explain: Annotated[bool, Parameter(help="Show how every amount came about.", negative="")] = False,
    line: Annotated[int | None, Parameter(help="With --explain: this line only, counted from 1.")] = None,
) -> int:
    """Price a request for quotation.

    Exit code 3 for a file that cannot be priced; each wrong field is named on standard error.

    Example: proffer quote price examples/office-fitout-eur.json --explain --line 1

    Example: cat request.json | proffer quote price - --json
    """
    if file.startswith("-") and file != "-":  # Allowed to begin so for the sake of the lone hyphen.
        return fail(f"{file} is no option of this command.", USAGE)
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        return fail(f"{file} cannot be read: {error.strerror}.", INVALID)
    document = read_pricing(data)
    if line is not None and not 1 <= line <= len(document.lines):
        return fail(f"There are lines 1 to {len(document.lines)}.", USAGE)
    calculation, explanation = explain_pricing(document.pricing())
    if json:
        told = msgspec.to_builtins(CalculationSchema.of(calculation))
        if explain:
            told["explanation"] = msgspec.to_builtins(ExplanationSchema.of(explanation))
        print_json(told)
    elif explain or line is not None:
        titles = [one.description or one.sku for one in document.lines]
        print_waterfall(_console(), calculation, explanation, titles, line)
    else:
        _show(document, calculation)
    return 0


def _console() -> Console:
    console = Console()
    if not console.is_terminal:
        console.width = 110  # A pipe has no width; the usual 80 would break every description.
    return console


def _show(document: PricingDocument, calculation: Calculation) -> None:
    console = _console()
    for text, style in ((document.title, "bold"), (document.buyer, "")):
        if text:
            console.print(_plain(text, style))
    console.print(_lines(document, calculation))
    console.print(_totals(document, calculation))


def _lines(document: PricingDocument, calculation: Calculation) -> Table:
    digits = calculation.minor_digits
    table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for title in ("", "Description"):
        table.add_column(title)
    for title in ("Quantity", "Unit price", "Discount", "Charge", "Tax", f"Net {calculation.currency}"):
        table.add_column(title, justify="right", no_wrap=True)
    section = ""
    for number, (line, amounts) in enumerate(zip(document.lines, calculation.lines, strict=True), start=1):
        if line.section != section:
            section = line.section
            table.add_row("", _plain(section, "bold"))
        option = "" if not line.optional else " (option, chosen)" if line.chosen else " (option, not counted)"
        base = "" if line.price_base_quantity == "1" else f" / {line.price_base_quantity}"
        table.add_row(
            str(number),
            _plain(" ".join(text for text in (line.sku, line.description) if text) + option),
            _plain(f"{line.quantity} {line.unit}"),
            f"{line.unit_price}{base}",
            _amount_or_nothing(-sum(amounts.discounts, Decimal(0)), digits),
            _amount_or_nothing(sum(amounts.charges, Decimal(0)), digits),
            ", ".join(_rate(tax.tax()) for tax in line.taxes),
            amount_text(amounts.net, digits),
        )
    return table


def _totals(document: PricingDocument, calculation: Calculation) -> Table:
    digits = calculation.minor_digits
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("what", min_width=40)
    table.add_column("amount", justify="right", no_wrap=True)

    def row(what: str, amount: Decimal, style: str = "") -> None:
        table.add_row(_plain(what, style), _plain(f"{amount_text(amount, digits)} {calculation.currency}", style))

    inclusive = " (prices include tax)" if document.prices_include_tax else ""
    for subtotal_of in calculation.sections:
        row(f"  {subtotal_of.title}", subtotal_of.net)
    row(f"Sum of the lines{inclusive}", calculation.line_net_total)
    for discount, amount in zip(document.discounts, calculation.discounts, strict=True):
        row(f"Discount {discount.reason}".strip(), -amount)
    for charge, amount in zip(document.charges, calculation.charges, strict=True):
        row(f"Charge {charge.reason}".strip(), amount)
    row("Total without tax", calculation.total_without_tax)
    for subtotal in calculation.taxes:
        base = amount_text(subtotal.base, digits)
        row(f"{subtotal.tax.category} {_rate(subtotal.tax)} of {base}", subtotal.amount + subtotal.surcharge_amount)
    row("Total with tax", calculation.total_with_tax)
    for what, amount in (
        ("Retained by the buyer", -calculation.retained_total),
        ("Prepaid", -calculation.prepaid),
        ("Rounding", calculation.rounding),
    ):
        if amount:
            row(what, amount)
    row("Payable", calculation.payable, "bold")
    _payment(document, calculation, row)
    return table


def _payment(document: PricingDocument, calculation: Calculation, row: Callable[[str, Decimal], None]) -> None:
    """How it is paid, and what is left of it."""
    if calculation.deposit:
        row("Deposit", calculation.deposit)
        row("Balance", calculation.balance)
    for number, (instalment, amount) in enumerate(
        zip(document.instalments, calculation.instalments, strict=True), start=1
    ):
        row(f"  {instalment.label or f'Instalment {number}'}", amount)
    if calculation.margin is not None:
        percent = calculation.margin_percent
        row("Margin" if percent is None else f"Margin ({decimal_text(percent)} %)", calculation.margin)


def _plain(text: str, style: str = "") -> Text:
    """Others' text as it may go to a terminal: no markup, no control characters."""
    return Text(printable(text, longest=2000), style=style)


def _amount_or_nothing(amount: Decimal, digits: int) -> str:
    return amount_text(amount, digits) if amount else ""


def _rate(tax: Tax) -> str:
    return "exempt" if tax.rate_percent is None else f"{decimal_text(tax.rate_percent)} %"
