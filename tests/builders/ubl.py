"""The published schema of UBL 2.1 quotations (see ``tests/conformance/README.md``)."""

from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from lxml import etree

_SCHEMAS = Path(__file__).parents[1] / "conformance" / "ubl-2.1.zip"


def faults_of(quotation: Any) -> list[str]:
    """What the schema would not take in the element *quotation*, with its line."""
    schema = _quotation_schema()
    # Written and read again: elements that were put together have no lines.
    schema.validate(etree.fromstring(etree.tostring(quotation, pretty_print=True)))
    return [f"line {fault.line}: {fault.message}" for fault in schema.error_log]


@cache
def _quotation_schema() -> etree.XMLSchema:
    with ZipFile(_SCHEMAS) as archive:
        parts = {Path(name).name: archive.read(name) for name in archive.namelist()}

    class Parts(etree.Resolver):  # type: ignore[misc]  # lxml has no types.
        def resolve(self, system_url: str, _: str, context: Any) -> Any:
            return self.resolve_string(parts[system_url.rpartition("/")[2]], context)

    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(Parts())
    return etree.XMLSchema(etree.fromstring(parts["UBL-Quotation-2.1.xsd"], parser))
