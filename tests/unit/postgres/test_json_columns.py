"""What was stored before a field was there can still be read."""

import json
from typing import Any

from src.adapters.postgres.json_columns import from_json, to_json
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.calculator import calculate
from src.domain.quoting.content import QuoteContent
from tests.builders.quotes import a_content
from tests.pricings import a_line, a_pricing, vat

# Added when options, sections, payment, coupons and exchange rates came.
NEW_IN_CONTENT = (*("pricing_date", "coupons", "cash_rounding", "prepaid", "deposit", "instalments", "exchange_rate"),)
NEW_IN_CALCULATION = ("sections", "deposit", "balance", "instalments", "cost_total", "margin", "margin_percent")
NEW_IN_LINES = ("document_share", "cost", "margin", "optional", "counts")


def _without(stored: str, *names: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(stored)
    for name in names:
        del told[name]
    return told


def test_a_content_of_before_is_read() -> None:
    content = a_content(lines=(), pricing_date=None)

    old = _without(to_json(content), *NEW_IN_CONTENT)

    assert from_json(QuoteContent, json.dumps(old)) == content


def test_a_calculation_of_before_is_read_with_its_figures() -> None:
    calculation = calculate(a_pricing(a_line("2", "50", vat("19"))))

    old = _without(to_json(calculation), *NEW_IN_CALCULATION)
    old["lines"] = [_without(json.dumps(line), *NEW_IN_LINES) for line in old["lines"]]
    read = from_json(Calculation, json.dumps(old))

    assert (read.payable, read.taxes, read.lines) == (calculation.payable, calculation.taxes, calculation.lines)
