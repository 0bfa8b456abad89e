"""The requests for quotation under ``examples/`` come to what their README says."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from src.domain.quoting.calculation import Calculation
from src.domain.quoting.calculator import calculate
from src.entrypoints.pricing_document import read_pricing

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*.json"))


class Golden(NamedTuple):
    """Totals, and base and tax of each group. The oracle in fractions agrees with all of them."""

    line_nets: list[str]
    discounts: list[str]
    charges: list[str]
    without_tax: str
    groups: list[tuple[str, str]]
    payable: str


GOLDEN = {
    "machine-options-chf.json": Golden(
        ["45825.00", "6240.80", "2890.00", "9450.00", "1980.00"],
        ["2603.29"],
        [],
        "54332.51",
        [("54332.51", "4400.93")],
        "58733.45",
    ),
    "office-fitout-eur.json": Golden(
        ["11409.84", "6978.75", "219.31", "232.20", "480.00"],
        ["579.60"],
        ["195.00"],
        "18935.50",
        [("18244.67", "3466.49"), ("225.23", "15.77"), ("465.60", "0.00")],
        "22417.76",
    ),
    "sensor-kits-krw.json": Golden(
        ["4162500", "43208", "367992"], [], ["35000"], "4608700", [("4608700", "460870")], "5069570"
    ),
    "retail-displays-gross-eur.json": Golden(
        ["2449.93", "971.46", "298.00"],
        ["50.00"],
        [],
        "3024.22",
        [("2744.23", "631.17"), ("279.99", "14.00")],
        "3669.39",
    ),
}


def calculation_of(name: str) -> Calculation:
    return calculate(read_pricing((EXAMPLES / name).read_bytes()).pricing())


def test_every_example_has_its_golden_figures() -> None:
    assert sorted(GOLDEN) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_example_comes_to_its_golden_figures(name: str) -> None:
    c = calculation_of(name)

    assert GOLDEN[name] == Golden(
        [str(line.net) for line in c.lines],
        [str(amount) for amount in c.discounts],
        [str(amount) for amount in c.charges],
        str(c.total_without_tax),
        [(str(group.base), str(group.amount)) for group in c.taxes],
        str(c.payable),
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_its_payable(name: str) -> None:
    row = re.search(rf"`{re.escape(name)}`.*\| ([0-9,.]+) ([A-Z]{{3}}) \|", (EXAMPLES / "README.md").read_text("utf-8"))
    c = calculation_of(name)

    assert row is not None
    assert (row[1].replace(",", ""), row[2]) == (str(c.payable), str(c.currency))
