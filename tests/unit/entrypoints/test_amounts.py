"""Amounts on the wire: what formatting gives, by the shorter way too."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from src.domain.shared.canonical import decimal_text
from src.entrypoints.schemas.pricing import amount_text

FIGURES = st.decimals(allow_nan=False, allow_infinity=False) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**6), 10**6), st.integers(-12, 12)
)


@given(amount=FIGURES, digits=st.integers(0, 4))
@example(amount=Decimal("-0.00"), digits=2)
@example(amount=Decimal("1.2E+5"), digits=4)
@example(amount=Decimal("0E-8"), digits=2)
@example(amount=Decimal("12.5"), digits=2)
def test_an_amount_has_the_digits_of_its_currency(amount: Decimal, digits: int) -> None:
    assert amount_text(amount, digits) == f"{amount:.{digits}f}"


@given(value=FIGURES)
@example(value=Decimal("1E+3"))
@example(value=Decimal("1E-9"))
@example(value=Decimal("-0.00"))
def test_a_decimal_as_text_is_the_same_number_in_its_shortest_plain_form(value: Decimal) -> None:
    text = decimal_text(value)

    assert Decimal(text) == value
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))
    assert text != "-0"
