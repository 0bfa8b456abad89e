"""Which reader a file needs, told by its content and its name together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from src.adapters.tabular.csv_table import open_csv
from src.adapters.tabular.xlsx_table import open_xlsx
from src.application.ports.tabular import LARGEST_FILE, FileRefused, TabularFile, TabularReader

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class FileTabularReader(TabularReader):
    @contextmanager
    def open(self, path: Path, name: str) -> Iterator[TabularFile]:
        """As the port says. The file stays where it is and is never written to."""
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                start = file.read(4096)
        except OSError as error:
            raise FileRefused(f"{name} cannot be read: {error.strerror}.") from None
        if size > LARGEST_FILE:
            limit = f"{LARGEST_FILE // 1024 // 1024} MB"
            raise FileRefused(f"{name} is larger than {limit}; split it.", reason="too_large")
        if start.startswith(_OLE):
            raise FileRefused(f"{name} is an old or an encrypted Excel file; save it as .xlsx.", reason="not_xlsx")
        if start.startswith(_ZIP):
            with open_xlsx(path, name) as table:
                yield table
        elif name.lower().endswith(".xlsx"):
            raise FileRefused(f"{name} is no XLSX file, whatever its name says.", reason="not_xlsx")
        else:
            with open_csv(path, name, start) as table:
                yield table
