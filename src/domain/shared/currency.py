"""Currencies of ISO 4217 with their minor digits."""

from dataclasses import dataclass
from typing import Final

from src.domain.shared.errors import invalid_field
from src.domain.shared.iso4217 import MINOR_DIGITS


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency of ISO 4217. *minor_digits*: 0 for KRW and JPY, 2 for EUR, 3 for OMR, 4 for UYW."""

    code: str
    minor_digits: int

    @classmethod
    def of(cls, code: str) -> "Currency":
        """The currency with this code. Raises Invalid (field ``currency``) for anything that ISO 4217 does not list."""
        currency = _LISTED.get(code)
        if currency is None:
            raise invalid_field("currency", f"{code!r} is not a currency code of ISO 4217.")
        return currency

    def __str__(self) -> str:
        return self.code


_LISTED: Final = {code: Currency(code, digits) for code, digits in MINOR_DIGITS.items()}
