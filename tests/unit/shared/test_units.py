"""The stored table of units is that of the standard."""

from scripts.write_units import TARGET, module_text, units
from src.domain.shared.units import UNITS


def test_the_stored_table_is_the_packages() -> None:
    assert sorted(UNITS) == units()


def test_the_stored_module_is_what_the_script_writes() -> None:
    assert TARGET.read_text(encoding="utf-8") == module_text()


def test_units_that_everyone_uses_are_there() -> None:
    assert {"C62", "HUR", "DAY", "KGM", "MTR", "MTK", "LTR", "MON", "SET", "XPX"} <= UNITS
    assert "pcs" not in UNITS
