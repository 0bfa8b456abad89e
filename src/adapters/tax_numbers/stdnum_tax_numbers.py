"""The rules of each country's numbers, from python-stdnum; what it leaves out is added here."""

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from stdnum import get_cc_module
from stdnum.exceptions import InvalidChecksum, ValidationError
from stdnum.kr import brn

from src.application.ports.tax_numbers import TaxNumbers
from src.domain.shared.party import Party
from src.domain.shared.text import TextChecks

_KOREA: Final = "KR"
_GREECE: Final = MappingProxyType({"EL": "GR"})  # The one country whose VAT prefix is not its ISO code.
_PREFIXED: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "EL",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "XI",
    ]
)
# Business registers whose numbers check themselves, where python-stdnum knows them under no common name.
_REGISTERS: Final = MappingProxyType({"FR": "siren", "DK": "cvr", "NO": "orgnr", "SE": "orgnr", "FI": "ytunnus"})
_BRN_WEIGHTS: Final = (1, 3, 7, 1, 3, 7, 1, 3, 5)


class StdnumTaxNumbers(TaxNumbers):
    """A number of a country without rules here is kept as it was typed."""

    def normal(self, party: Party) -> Party:
        checks = TextChecks()
        country = party.address.country
        vat = _normal(checks, "vat_number", party.vat_number, _vat_rule(country, party.vat_number))
        registration = _normal(checks, "registration_number", party.registration_number, _registration_rule(country))
        checks.done()
        return replace(party, vat_number=vat, registration_number=registration)


def _normal(checks: TextChecks, field: str, number: str, rule: "Callable[[str], str] | None") -> str:
    if not number.strip() or rule is None:
        return number.strip()
    try:
        return rule(number)
    except ValidationError as error:
        reason = {"InvalidLength": "its length is not right", "InvalidChecksum": "its check digit is wrong"}.get(
            type(error).__name__, "its form is not right"
        )
        checks.refuse(field, f"This is no number of that country: {reason}.")
        return number


def _vat_rule(country: str, number: str) -> "Callable[[str], str] | None":
    """By the number's own prefix, else by the country of the address."""
    prefix = number.strip().upper()[:2]
    of = prefix if prefix in _PREFIXED else country
    if of == _KOREA:
        return _korean
    module = get_cc_module(_GREECE.get(of, of).lower(), "vat") if of else None
    if module is None:
        return None
    lead = of if of in _PREFIXED else ""
    return lambda told: lead + str(module.validate(told)).removeprefix(lead)


def _registration_rule(country: str) -> "Callable[[str], str] | None":
    if country == _KOREA:
        return _korean
    name = _REGISTERS.get(country)
    module: Any = get_cc_module(country.lower(), name) if name else None
    return None if module is None else lambda told: str(module.validate(told))


def _korean(number: str) -> str:
    """A business registration number, with its check digit, which python-stdnum does not look at."""
    digits = brn.validate(number)
    values = [int(digit) for digit in digits]
    total = sum(weight * value for weight, value in zip(_BRN_WEIGHTS, values[:9], strict=True)) + values[8] * 5 // 10
    if (10 - total % 10) % 10 != values[9]:
        raise InvalidChecksum
    return str(brn.format(digits))
