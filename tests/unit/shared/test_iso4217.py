"""The stored table of currencies is that of the standard."""

from scripts.write_iso4217 import TARGET, minor_digits, module_text
from src.domain.shared.iso4217 import MINOR_DIGITS


def test_the_stored_table_is_the_packages() -> None:
    assert dict(MINOR_DIGITS) == minor_digits()


def test_the_stored_module_is_what_the_script_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == module_text()


def test_currencies_have_the_digits_that_everyone_knows() -> None:
    assert [MINOR_DIGITS[code] for code in ("KRW", "EUR", "OMR", "UYW")] == [0, 2, 3, 4]
