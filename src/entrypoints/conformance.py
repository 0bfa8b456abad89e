"""Runs a file of published calculations against the calculator: ``python -m src.entrypoints.conformance FILE``.

A line of the file is one case, a JSON object; ``tests/conformance/README.md`` describes its keys. The last line of
the output counts the cases that passed, failed or ask for something unsupported. The exit code is 1 when one failed.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

from src.domain.quoting.arithmetic import ZERO, Scale, exact_arithmetic
from src.domain.quoting.calculation import Calculation, TaxSubtotal
from src.domain.quoting.calculator import calculate
from src.domain.quoting.pricing import (
    Charge,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    LinePricing,
    QuotePricing,
    Tax,
)
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Invalid
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxRounding
from src.entrypoints.strict_json import check_json

Json = Mapping[str, Any]  # Cases are others' JSON; what is missing or strange is reported as a failure.


class Result(Enum):
    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case. *reasons* is empty when it passed."""

    case_id: str
    result: Result
    reasons: tuple[str, ...] = ()


class Unsupported(Exception):
    """The case asks for something that the calculator does not have."""


_CASE_KEYS = {
    *("id", "source", "currency", "minor_digits", "rounding", "tax_rounding", "prices_include_tax", "lines"),
    *("discounts", "charges", "prepaid", "rounding_amount", "cash_rounding", "expect"),
}
_LINE_KEYS = {"quantity", "unit_price", "price_base_quantity", "discounts", "charges", "taxes"}
_ADJUSTMENT_KEYS = {"percent", "base", "amount", "taxes"}
_TAX_KEYS = {"category", "code", "rate_percent", "exempt", "surcharge_percent", "retained"}


def run(text: bytes, number: int) -> Outcome:
    """The outcome of the case in line *number* of a file. Raises nothing."""
    case_id = f"line {number}"
    try:
        check_json(text)
        case = json.loads(text)
        case_id = str(case["id"])
        reasons = tuple(differences(case))
    except Unsupported as error:
        return Outcome(case_id, Result.UNSUPPORTED, (str(error),))
    except Invalid as error:
        told = [f"{field.field}: {field.message}" for field in error.fields]
        return Outcome(case_id, Result.FAILED, tuple(told) or (error.message,))
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        return Outcome(case_id, Result.FAILED, (f"malformed case: {type(error).__name__} {error}",))
    return Outcome(case_id, Result.FAILED if reasons else Result.PASSED, reasons)


def differences(case: Json) -> Iterator[str]:
    """Each published figure that comes out otherwise; also when the cash rounding is to be found."""
    pricing = pricing_of(case)
    yield from _compare(case["expect"], pricing, calculate(pricing))
    if "cash_rounding" in case:
        step = Decimal(case["cash_rounding"])
        found = calculate(replace(pricing, rounding_amount=ZERO, cash_rounding=step))
        yield from _compare(case["expect"], pricing, found)
        if "rounding_amount" in case and found.rounding != pricing.rounding_amount:
            yield f"rounding_amount: {found.rounding} instead of {pricing.rounding_amount}"


def pricing_of(case: Json) -> QuotePricing:
    """The case in the calculator's terms. Raises Unsupported, and the errors of a malformed case."""
    _only(case, _CASE_KEYS, "the case")
    return QuotePricing(
        currency=Currency.of(case["currency"]),
        lines=tuple(_line(line) for line in case["lines"]),
        settings=RoundingSettings(
            rounding=_choice(Rounding, case["rounding"], "rounding"),
            tax_rounding=_choice(TaxRounding, case.get("tax_rounding", "per_group"), "tax_rounding"),
            inclusive_tax=InclusiveTax.FROM_NET,
        ),
        prices_include_tax=case["prices_include_tax"],
        discounts=tuple(
            DocumentDiscount(**_adjustment(item), taxes=_taxes(item)) for item in case.get("discounts", ())
        ),
        charges=tuple(DocumentCharge(**_adjustment(item), taxes=_taxes(item)) for item in case.get("charges", ())),
        prepaid=Decimal(case.get("prepaid", "0")),
        rounding_amount=Decimal(case.get("rounding_amount", "0")),
        minor_digits=int(case["minor_digits"]) if "minor_digits" in case else None,
        discounts_may_exceed_total=True,  # Final invoices deduct what was invoiced before.
    )


def _line(line: Json) -> LinePricing:
    _only(line, _LINE_KEYS, "a line")
    return LinePricing(
        quantity=Decimal(line["quantity"]),
        unit_price=Decimal(line["unit_price"]),
        price_base_quantity=Decimal(line.get("price_base_quantity", "1")),
        discounts=tuple(Discount(**_adjustment(item)) for item in line.get("discounts", ())),
        charges=tuple(Charge(**_adjustment(item)) for item in line.get("charges", ())),
        taxes=_taxes(line),
    )


def _adjustment(item: Json) -> dict[str, Any]:
    _only(item, _ADJUSTMENT_KEYS, "a discount or charge")
    return {key: Decimal(item[key]) for key in ("percent", "base", "amount") if key in item}


def _taxes(carrier: Json) -> tuple[Tax, ...]:
    return tuple(_tax(tax) for tax in carrier.get("taxes", ()))


def _tax(tax: Json) -> Tax:
    _only(tax, _TAX_KEYS, "a tax")
    rate, surcharge = tax["rate_percent"], tax.get("surcharge_percent")
    if tax["exempt"] is not (rate is None):
        raise ValueError("a tax is exempt if and only if it has no rate")
    return Tax(
        category=tax["category"],
        code=tax.get("code", ""),
        rate_percent=None if rate is None else Decimal(rate),
        surcharge_percent=None if surcharge is None else Decimal(surcharge),
        retained=tax.get("retained", False),
    )


def _only(value: Json, known: set[str], what: str) -> None:
    if unknown := sorted(value.keys() - known):
        raise Unsupported(f"{what} has {', '.join(unknown)}")


def _choice(kind: Any, value: str, what: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise Unsupported(f"{what} {value!r}") from None


_FIGURES = {
    "sum": "line_net_total",
    "discount": "discount_total",
    "charge": "charge_total",
    "tax_exclusive": "total_without_tax",
    "tax": "tax_total",
    "tax_inclusive": "total_with_tax",
    "retained": "retained_total",
    "payable": "payable",
}


def _compare(expect: Json, pricing: QuotePricing, found: Calculation) -> Iterator[str]:
    """Compares by value, in minor units, whatever was published."""
    money = Scale.of(pricing).money
    with exact_arithmetic():
        for key, value in expect.items():
            if key == "line_totals":
                yield from _unequal(key, [money(Decimal(v)) for v in value], [line.net for line in found.lines])
            elif key == "taxes":
                published = {_group_key(_expected_tax(tax)): _expected_amounts(tax, money) for tax in value}
                yield from _unequal(key, _without_empty(published), _without_empty(_found_groups(found.taxes)))
            elif key in _FIGURES:
                yield from _unequal(key, money(Decimal(value)), getattr(found, _FIGURES[key]))
            else:
                raise Unsupported(f"expected figure {key}")


def _unequal(key: str, published: object, found: object) -> Iterator[str]:
    if published != found:
        yield f"{key}: {_told(found)} instead of {_told(published)}"


def _told(figures: object) -> str:
    if isinstance(figures, Mapping):
        return "; ".join(f"{' '.join(map(str, key))} {_told(value)}" for key, value in figures.items()) or "nothing"
    return " ".join(map(str, figures)) if isinstance(figures, Sequence) else str(figures)


def _expected_tax(tax: Json) -> Tax:
    shown = {key: value for key, value in tax.items() if key in _TAX_KEYS}
    return _tax({**shown, "exempt": tax["rate_percent"] is None})


def _expected_amounts(tax: Json, money: Any) -> tuple[Decimal, ...]:
    return tuple(money(Decimal(tax.get(key, "0"))) for key in ("base", "amount", "surcharge_amount"))


def _found_groups(groups: Sequence[TaxSubtotal]) -> dict[tuple[object, ...], tuple[Decimal, ...]]:
    return {_group_key(group.tax): (group.base, group.amount, group.surcharge_amount) for group in groups}


def _group_key(tax: Tax) -> tuple[object, ...]:
    return (tax.category, tax.code, tax.rate_percent, tax.surcharge_percent, tax.retained)


def _without_empty(groups: Mapping[tuple[object, ...], tuple[Decimal, ...]]) -> dict[object, tuple[Decimal, ...]]:
    return {key: amounts for key, amounts in groups.items() if any(amounts)}


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0, 1 when a case failed, 2 for a wrong call, 3 when the file cannot be read."""
    if len(arguments) != 1:
        _say("Usage: python -m src.entrypoints.conformance FILE", sys.stderr)
        return 2
    try:
        content = Path(arguments[0]).read_bytes()
    except OSError as error:
        _say(f"{arguments[0]}: {error.strerror}", sys.stderr)
        return 3
    outcomes = [run(text, number) for number, text in enumerate(content.split(b"\n"), 1) if text.strip()]
    for outcome in outcomes:
        for reason in outcome.reasons:
            _say(f"{outcome.case_id}: {outcome.result.value}: {reason}")
    counts = {result: sum(outcome.result is result for outcome in outcomes) for result in Result}
    _say(", ".join(f"{count} {result.value}" for result, count in counts.items()))
    return 1 if counts[Result.FAILED] else 0


def _say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
