"""Writes ``src/domain/shared/iso4217.py`` anew from the *iso4217* package: ``python scripts/write_iso4217.py``."""

from pathlib import Path

from iso4217 import Currency

TARGET = Path(__file__).parents[1] / "src" / "domain" / "shared" / "iso4217.py"

_HEAD = '''"""Minor digits of ISO 4217, written by ``scripts/write_iso4217.py`` from the *iso4217* package; do not edit."""

from collections.abc import Mapping
from types import MappingProxyType

MINOR_DIGITS: Mapping[str, int] = MappingProxyType(
    {
'''
_TAIL = """    }
)
"""


def minor_digits() -> dict[str, int]:
    """Every currency that has minor digits. Funds, metals and test codes have none and price no offer."""
    digits = {currency.code: currency.exponent for currency in Currency}
    return {code: exponent for code, exponent in sorted(digits.items()) if exponent is not None}


def module_text() -> str:
    rows = "".join(f'        "{code}": {digits},\n' for code, digits in minor_digits().items())
    return f"{_HEAD}{rows}{_TAIL}"


if __name__ == "__main__":
    TARGET.write_text(module_text(), encoding="utf-8")
    print(f"{len(minor_digits())} currencies written to {TARGET.name}.")
