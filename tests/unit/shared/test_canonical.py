"""Canonical JSON: the same bytes as a library of RFC 8785, for everything that we let in."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from src.domain.shared.canonical import canonical_text, decimal_text, digest_of

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES)
def test_the_text_is_that_of_the_rfc(value: Any) -> None:
    assert canonical_text(value).encode() == rfc8785.dumps(value)


@given(value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=8))
def test_decimals_have_one_text_and_keep_their_value(value: Decimal) -> None:
    text = decimal_text(value)

    assert Decimal(text) == value
    assert text == decimal_text(value * Decimal("1.00"))
    assert "E" not in text
    assert text not in {"-0", ""}


@pytest.mark.parametrize("value", [1.5, 2**53, {1: "a"}, {"ä": 1}, object(), Decimal("NaN")])
def test_what_has_no_single_form_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical_text(value)


def test_instants_are_utc_with_six_digits() -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    same = noon.astimezone(timezone(timedelta(hours=9)))

    assert canonical_text(noon) == canonical_text(same) == '"2026-03-02T12:00:00.000000Z"'
    assert canonical_text(date(2026, 3, 2)) == '"2026-03-02"'


def test_a_digest_is_64_hexadecimal_digits() -> None:
    assert digest_of({"b": 1, "a": Decimal("1.50")}) == digest_of({"a": Decimal("1.5"), "b": 1})
    assert len(digest_of(None)) == 64


def test_a_field_that_came_later_says_nothing_while_it_is_empty() -> None:
    @dataclass(frozen=True)
    class Grown:
        first: int
        later: tuple[str, ...] = field(default=(), metadata={"omit_empty": True})

    assert canonical_text(Grown(1)) == '{"first":1}'
    assert canonical_text(Grown(1, ("x",))) == '{"first":1,"later":["x"]}'
