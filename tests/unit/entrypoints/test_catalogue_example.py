"""The catalogue under ``examples/`` is what its script writes, and can be read."""

from pathlib import Path

import pytest

from scripts.write_catalogue import FILES, TARGET, prices, products, write
from src.adapters.tabular import FileTabularReader
from src.application.catalog.import_rows import check_columns
from src.domain.documents.catalog_import import ImportKind


def test_the_files_are_what_the_script_writes(tmp_path: Path) -> None:
    write(tmp_path)
    assert {name: (TARGET / name).read_bytes() for name in FILES} == {
        name: (tmp_path / name).read_bytes() for name in FILES
    }


def test_it_has_two_hundred_products_and_two_lists() -> None:
    assert len({product["sku"] for product in products()}) == 200
    assert {price["price_list"] for price in prices()} == {"Volume", "Resellers"}


@pytest.mark.parametrize("kind", ImportKind)
def test_the_importer_knows_its_columns(kind: ImportKind) -> None:
    with FileTabularReader().open((TARGET / f"{kind.value}.csv").read_bytes(), kind.value) as table:
        check_columns(kind, table.header)
        assert len(list(table)) > 5
