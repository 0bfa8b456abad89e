"""Splitting by the largest remainder."""

import pytest

from src.domain.quoting.apportion import apportion
from tests.pricings import D, texts

CENT = D("0.01")


@pytest.mark.parametrize(
    ("total", "bases", "parts"),
    [
        ("10.00", ["33.33", "33.33", "33.34"], ["3.33", "3.33", "3.34"]),
        ("0.02", ["1", "1", "1"], ["0.01", "0.01", "0.00"]),
        ("-0.02", ["1", "1", "1"], ["-0.01", "-0.01", "0.00"]),
        ("10.00", ["0", "0"], ["5.00", "5.00"]),
        ("10.00", ["5", "-5"], ["5.00", "5.00"]),
        ("10.00", ["20", "-10"], ["20.00", "-10.00"]),
        ("0.00", ["1", "2"], ["0.00", "0.00"]),
        ("10.00", ["0", "1"], ["0.00", "10.00"]),
        ("43.00", ["-1", "2", "128"], ["-0.33", "0.67", "42.66"]),
        ("10.00", [], []),
    ],
)
def test_v21_parts_follow_the_bases_and_ties_go_to_the_earlier(total: str, bases: list[str], parts: list[str]) -> None:
    assert texts(apportion(D(total), [D(base) for base in bases], CENT)) == parts


def test_what_is_finer_than_the_unit_cannot_be_split() -> None:
    with pytest.raises(ValueError, match=r"0\.005"):
        apportion(D("0.005"), [D(1)], CENT)
