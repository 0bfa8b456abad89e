"""Which reader a file needs, told by its content and its name together."""

from collections.abc import Iterator
from contextlib import contextmanager

from src.adapters.tabular.csv_table import open_csv
from src.adapters.tabular.xlsx_table import open_xlsx
from src.application.ports.tabular import LARGEST_FILE, FileRefused, TabularFile, TabularReader

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class FileTabularReader(TabularReader):
    @contextmanager
    def open(self, content: bytes, name: str) -> Iterator[TabularFile]:
        if len(content) > LARGEST_FILE:
            limit = f"{LARGEST_FILE // 1024 // 1024} MB"
            raise FileRefused(f"{name} is larger than {limit}; split it.", reason="too_large")
        if content.startswith(_OLE):
            raise FileRefused(f"{name} is an old or an encrypted Excel file; save it as .xlsx.", reason="not_xlsx")
        if content.startswith(_ZIP):
            with open_xlsx(content, name) as table:
                yield table
        elif name.lower().endswith(".xlsx"):
            raise FileRefused(f"{name} is no XLSX file, whatever its name says.", reason="not_xlsx")
        else:
            yield open_csv(content, name)
