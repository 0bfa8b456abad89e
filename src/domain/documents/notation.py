"""How figures and days are written for a reader of some language. Exact: digits are never rounded away."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MINUS = "\N{MINUS SIGN}"
_ENGLISH_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_GERMAN_MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """The habits of one language. *day_pattern* knows ``{day}``, ``{month}`` (a number), ``{name}`` and ``{year}``."""

    language: str
    decimal_mark: str
    group_mark: str
    percent_sign: str
    day_pattern: str
    money_pattern: str
    months: tuple[str, ...]

    def amount(self, value: Decimal, minor_digits: int) -> str:
        """``1,234.50``: as many decimals as the currency has, more only where *value* has them (unit prices)."""
        digits = max(minor_digits, _decimals(value))
        return self._localized(f"{abs(value):,.{digits}f}", negative=value < 0)

    def money(self, value: Decimal, currency: str, minor_digits: int) -> str:
        """An amount with its currency: ``EUR 1,234.50``, ``1.234,50 EUR``."""
        return self.money_pattern.format(amount=self.amount(value, minor_digits), currency=currency)

    def number(self, value: Decimal) -> str:
        """``1,500.25``: without trailing zeros."""
        return self._localized(f"{abs(value):,.{_decimals(value)}f}", negative=value < 0)

    def percent(self, value: Decimal) -> str:
        return f"{self.number(value)}{self.percent_sign}"

    def day(self, value: date) -> str:
        name = self.months[value.month - 1]
        return self.day_pattern.format(day=value.day, month=value.month, name=name, year=value.year)

    def _localized(self, text: str, *, negative: bool) -> str:
        swapped = text.translate({ord(","): self.group_mark, ord("."): self.decimal_mark})
        return f"{MINUS}{swapped}" if negative else swapped


def _decimals(value: Decimal) -> int:
    """How many decimals *value* needs, trailing zeros aside."""
    fraction = f"{value:f}".partition(".")[2]
    return len(fraction.rstrip("0"))


ENGLISH = Notation(
    language="en",
    decimal_mark=".",
    group_mark=",",
    percent_sign="%",
    day_pattern="{day} {name} {year}",
    money_pattern="{currency}\N{NO-BREAK SPACE}{amount}",
    months=_ENGLISH_MONTHS,
)
GERMAN = Notation(
    language="de",
    decimal_mark=",",
    group_mark=".",
    percent_sign="\N{NO-BREAK SPACE}%",
    day_pattern="{day}. {name} {year}",
    money_pattern="{amount}\N{NO-BREAK SPACE}{currency}",
    months=_GERMAN_MONTHS,
)
KOREAN = Notation(
    language="ko",
    decimal_mark=".",
    group_mark=",",
    percent_sign="%",
    day_pattern="{year}년 {month}월 {day}일",
    money_pattern="{currency}\N{NO-BREAK SPACE}{amount}",
    months=_ENGLISH_MONTHS,
)
_BY_LANGUAGE = {notation.language: notation for notation in (ENGLISH, GERMAN, KOREAN)}


def notation_for(locale: str) -> Notation:
    """The notation for a BCP 47 tag: by its language alone (``de-CH`` is German), English when we do not know it."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return _BY_LANGUAGE.get(language, ENGLISH)
