"""The way from a price to what is paid, as a salesperson reads it."""

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from src.domain.quoting.calculation import Calculation
from src.domain.quoting.explanation import Explanation, Step, StepKind
from src.domain.quoting.pricing import Tax
from src.domain.shared.canonical import decimal_text
from src.entrypoints.schemas.pricing import amount_text
from src.entrypoints.strict_json import printable

_LOWERS = {StepKind.LINE_DISCOUNT, StepKind.DOCUMENT_DISCOUNT, StepKind.COUPON, StepKind.DEPOSIT}
_NAMES = {
    StepKind.LIST: "List price",
    StepKind.CONTRACT: "Contract price",
    StepKind.TIER: "Tier price",
    StepKind.GROUP: "Group price",
    StepKind.OVERRIDE: "Price as given",
    StepKind.GROSS: "Gross",
    StepKind.LINE_DISCOUNT: "Discount",
    StepKind.CHARGE: "Charge",
    StepKind.LINES: "Sum of the lines",
    StepKind.DOCUMENT_DISCOUNT: "Discount",
    StepKind.COUPON: "Coupon",
    StepKind.DOCUMENT_CHARGE: "Charge",
    StepKind.DOCUMENT_DISCOUNT_SHARE: "Share of discount",
    StepKind.COUPON_SHARE: "Share of coupon",
    StepKind.DOCUMENT_CHARGE_SHARE: "Share of charge",
    StepKind.TAX_BASE: "Base",
    StepKind.INCLUSIVE_EXTRACTION: "Tax inside",
    StepKind.TAX: "Tax",
    StepKind.SURCHARGE: "Surcharge",
    StepKind.INCLUDED_TAX: "Tax inside",
    StepKind.TAXES: "Taxes",
    StepKind.RETAINED: "Retained by the buyer",
    StepKind.PREPAID: "Prepaid",
    StepKind.CASH_ROUNDING: "Rounding",
    StepKind.PAYABLE: "Payable",
    StepKind.DEPOSIT: "Deposit",
    StepKind.INSTALMENT: "Instalment",
    StepKind.COST: "Cost",
}
_PRICES = {StepKind.LIST, StepKind.CONTRACT, StepKind.TIER, StepKind.GROUP, StepKind.OVERRIDE}
_STANDING = {*_PRICES, StepKind.GROSS, StepKind.LINES, StepKind.PAYABLE}
# A zero in these says nothing.
_SILENT_AT_ZERO = {StepKind.RETAINED, StepKind.PREPAID, StepKind.CASH_ROUNDING, StepKind.INCLUDED_TAX}


def print_waterfall(
    console: Console, calculation: Calculation, explanation: Explanation, titles: list[str], only: int | None
) -> None:
    """Every line (or only the one with this number, from 1), then the document. Titles are the lines' descriptions."""
    digits = calculation.minor_digits
    for number, line in enumerate(explanation.lines, start=1):
        if only not in {None, number}:
            continue
        title = f"{number}  {titles[number - 1]}" + ("" if line.counts else "  (an option, not counted)")
        _print(console, title, [*line.steps, *line.shares], digits)
    if only is not None:
        return
    _print(console, f"The offer in {calculation.currency}", explanation.document, digits)
    for tax in explanation.taxes:
        _print(console, _tax_title(tax.tax), _condensed(tax.steps), digits)
    shown = [step for step in explanation.totals if step.rounded or step.kind not in _SILENT_AT_ZERO]
    _print(console, "To pay", shown, digits)


def _print(console: Console, title: str, steps: "list[Step] | tuple[Step, ...]", digits: int) -> None:
    console.print(Text(printable(title, longest=200), style="bold"))
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column("what", min_width=36)
    table.add_column("how", min_width=30)
    table.add_column("amount", justify="right", min_width=12, no_wrap=True)
    table.add_column("result", justify="right", min_width=12, no_wrap=True)
    for step in steps:
        name = _NAMES[step.kind] + (f" «{printable(step.note, longest=60)}»" if step.note else "")
        table.add_row(
            Text(f"  {name}"), Text(_how(step, digits)), Text(_amount(step, digits)), Text(_result(step, digits))
        )
    console.print(table)
    console.print()


def _how(step: Step, digits: int) -> str:
    """The sum in words of arithmetic."""
    base = None if step.base is None else _money(step.base, digits)
    rate = None if step.rate is None else decimal_text(step.rate)
    if step.kind is StepKind.GROSS:
        per = "" if step.amount is None else f" ÷ {decimal_text(step.amount)}"
        return f"{rate} × {decimal_text(step.base or Decimal(0))}{per}"
    if step.kind is StepKind.INCLUSIVE_EXTRACTION:
        return f"{rate} % inside {base}"
    if step.kind is StepKind.TAX_BASE:
        return "" if rate is None else f"{base} ÷ (1 + {rate} %)"
    if step.kind in {StepKind.DOCUMENT_DISCOUNT_SHARE, StepKind.COUPON_SHARE, StepKind.DOCUMENT_CHARGE_SHARE}:
        return f"{_money(step.rate or Decimal(0), digits)} of {_money(step.amount or Decimal(0), digits)}"
    if step.kind is StepKind.INSTALMENT:
        return f"{rate} of {decimal_text(step.amount or Decimal(0))} parts"
    return f"{rate} % of {base}" if rate is not None and base is not None else ""


def _amount(step: Step, digits: int) -> str:
    """What the step adds or takes; nothing where the result says it already."""
    if step.kind in _STANDING or (step.kind is StepKind.TAX_BASE and step.rounded == step.result):
        return ""
    return _money(-step.rounded if step.kind in _LOWERS else step.rounded, digits)


def _result(step: Step, digits: int) -> str:
    if step.kind in _PRICES:
        return decimal_text(step.result)
    return _money(step.result, digits)


def _money(value: Decimal, digits: int) -> str:
    exponent = value.normalize().as_tuple().exponent
    fine = isinstance(exponent, int) and -exponent > digits
    return f"{value:.{digits + 6}f}…" if fine else amount_text(value, digits)


def _condensed(steps: tuple[Step, ...]) -> list[Step]:
    """Of many equal kinds the last, which has the sum: a tax may be taken of thousands of lines."""
    return list(_last_of_each(steps))


def _last_of_each(steps: tuple[Step, ...]) -> Iterator[Step]:
    for index, step in enumerate(steps):
        if index + 1 == len(steps) or steps[index + 1].kind is not step.kind:
            yield step


def _tax_title(tax: Tax) -> str:
    rate = "exempt" if tax.rate_percent is None else f"{decimal_text(tax.rate_percent)} %"
    return f"{tax.category} {rate}" + (" (retained)" if tax.retained else "")
