"""Files that people bring: what is read, and what is refused with a sentence and its place."""

import struct
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
import xlsxwriter

from src.adapters.tabular import FileTabularReader, xlsx_table
from src.application.ports.tabular import FileRefused, TabularRow

READER = FileTabularReader()
HEADER = "sku,name\n"


def read(content: bytes, name: str = "file.csv") -> list[TabularRow]:
    with READER.open(content, name) as table:
        return list(table)


def refused(content: bytes, name: str = "file.csv") -> FileRefused:
    with pytest.raises(FileRefused) as error:
        read(content, name)
    return error.value


def a_workbook(*rows: tuple[object, ...], formula: str = "") -> bytes:
    """An XLSX file with these rows; *formula* stands in D4."""
    stream = BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        days = workbook.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, days)
                else:
                    sheet.write(number, column, value)
        if formula:
            sheet.write_formula("D4", formula, value="7")
    return stream.getvalue()


ROWS = (
    ("sku", "name", "price", "day", "yes"),
    ("A-1", "Łóżko 책상", 0.1, date(2026, 11, 21), True),
    ("A-2", "b", 1250, "", ""),
)
PLAIN = [
    {"sku": "A-1", "name": "Łóżko 책상", "price": "0.1", "day": "2026-11-21", "yes": "true"},
    {"sku": "A-2", "name": "b", "price": "1250", "day": "", "yes": ""},
]


def test_csv_and_xlsx_of_the_same_rows_are_read_alike() -> None:
    csv = "sku,name,price,day,yes\nA-1,Łóżko 책상,0.1,2026-11-21,true\nA-2,b,1250,,\n".encode()
    assert [row.cells for row in read(csv)] == PLAIN
    assert [row.cells for row in read(a_workbook(*ROWS), "file.xlsx")] == PLAIN


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_delimiter_is_told_from_the_header(mark: str) -> None:
    assert read(f"sku{mark}name\n1{mark}«x»\n".encode())[0].cells == {"sku": "1", "name": "«x»"}


def test_rows_are_numbered_as_a_spreadsheet_shows_them_and_empty_ones_left_out() -> None:
    rows = read(b'sku,name\n\n1,"two\nlines"\n,\n2\n')
    assert [(row.number, row.cells) for row in rows] == [
        (3, {"sku": "1", "name": "two\nlines"}),
        (5, {"sku": "2", "name": ""}),
    ]


def test_a_byte_order_mark_and_titles_in_any_writing_are_taken() -> None:
    with READER.open("\ufeffSKU, List Price \n1,2\n".encode(), "x.csv") as table:
        assert table.header == ("sku", "list_price")


def test_negative_numbers_and_ordinary_text_are_no_formulas() -> None:
    assert read(b"sku,name\n-5,+49 40 1\n")[0].cells == {"sku": "-5", "name": "+49 40 1"}


@pytest.mark.parametrize(
    ("content", "reason", "row"),
    [
        (b"", "empty", 1),
        (b"\n\n", "empty", 1),
        ((HEADER + "a,b\n").encode("utf-16"), "wrong_encoding", None),
        ("sku,name\n1,Tür\n".encode("latin-1"), "wrong_encoding", 1),
        (b"sku,name\n1,\0\n", "not_a_table", None),
        (b"sku,sku\n", "header", 1),
        (b"sku,,name\n", "header", 1),
        (b'sku,name\n1,"open\n2,b\n', "unreadable", 2),
        (b'sku,name\n1,"a"b\n', "unreadable", 2),
        (b"sku,name\n1,2,3\n", "ragged", 2),
        (b"sku,name\n1,=1+1\n", "formula", 2),
        (b"sku,name\n1,@SUM(A1)\n", "formula", 2),
        (HEADER.encode() + b'"' * 30_001 + b"\n", "unreadable", 2),
        (HEADER.encode() + b"1," + b"x" * 40_000, "too_large", 2),
        (b"sku,name\n" + b"x" * (10 * 1024 * 1024), "too_large", None),
        (",".join(f"c{n}" for n in range(201)).encode(), "too_large", 1),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not_xlsx", None),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_csv_file_that_cannot_be_trusted_is_refused(content: bytes, reason: str, row: int | None) -> None:
    error = refused(content)
    assert error.details["reason"] == reason
    assert row is None or error.details["row"] == row


def test_more_rows_than_allowed_are_refused() -> None:
    assert refused(b"sku\n" + b"1\n" * 100_001).details["reason"] == "too_large"


def test_a_formula_in_a_workbook_is_refused_with_its_cell() -> None:
    error = refused(a_workbook(*ROWS, ("A-3", "c", 1), formula="=1+1"), "file.xlsx")
    assert (error.details["reason"], error.details["row"], error.details["column"]) == ("formula", 4, "D")


def _repacked(change: Callable[[dict[str, bytes]], None], method: int = ZIP_DEFLATED) -> bytes:
    """A good workbook with other parts."""
    with ZipFile(BytesIO(a_workbook(*ROWS))) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    change(parts)
    stream = BytesIO()
    with ZipFile(stream, "w", method) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return stream.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda parts: parts.pop("xl/workbook.xml"), "not_xlsx"),
        (lambda parts: parts.update({"xl/vbaProject.bin": b"x"}), "macros"),
        (lambda parts: parts.update({"xl/externalLinks/externalLink1.xml": b"<x/>"}), "external_links"),
        (lambda parts: parts.update({"inner.zip": b"x"}), "not_xlsx"),
        (lambda parts: parts.update({"xl/media/image1.png": b"PK\x03\x04rest"}), "not_xlsx"),
        (lambda parts: parts.update({SHEET: b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'}), "not_xlsx"),
        (lambda parts: parts.update({SHEET: b"\0" * (101 * 1024 * 1024)}), "too_large"),
        (lambda parts: parts.update({SHEET: b" " * (9 * 1024 * 1024)}), "too_large"),
        (lambda parts: parts.update({f"xl/{n}.xml": b"" for n in range(2001)}), "too_large"),
    ],
    ids=["no workbook", "macros", "links", "nested", "hidden archive", "doctype", "101 MB", "ratio", "entries"],
)
def test_a_workbook_that_cannot_be_trusted_is_refused(change: Callable[[dict[str, bytes]], None], reason: str) -> None:
    assert refused(_repacked(change), "file.xlsx").details["reason"] == reason


def test_a_workbook_whose_sheet_is_broken_is_refused() -> None:
    content = _repacked(lambda parts: parts.update({SHEET: b"<worksheet><sheetData><row"}))
    assert refused(content, "file.xlsx").details["reason"] == "damaged"


@pytest.mark.parametrize("cut", [100, 1000, -30])
def test_a_truncated_workbook_is_refused(cut: int) -> None:
    assert refused(a_workbook(*ROWS)[:cut], "file.xlsx").details["reason"] == "damaged"


def test_a_file_that_lies_about_its_size_is_counted_and_refused() -> None:
    """Its directory says ten bytes; what it unpacks to is a megabyte."""
    content = _repacked(lambda parts: parts.update({"xl/big.bin": b"z" * 1_000_000}))
    place = content.rindex(b"xl/big.bin") - 46
    assert content[place : place + 4] == b"PK\x01\x02"
    lying = content[: place + 24] + struct.pack("<I", 10) + content[place + 28 :]
    assert refused(lying, "file.xlsx").details["reason"] == "damaged"


def test_parts_that_overlap_are_refused() -> None:
    content = _repacked(lambda parts: parts.update({"a.bin": b"a" * 100, "b.bin": b"a" * 100}), ZIP_STORED)
    directory = content.rindex(b"PK\x01\x02", 0, content.rindex(b"b.bin"))
    offset = struct.unpack("<I", content[directory + 42 : directory + 46])[0]
    overlapping = content[: directory + 42] + struct.pack("<I", offset - 20) + content[directory + 46 :]
    assert refused(overlapping, "file.xlsx").details["reason"] == "damaged"


def test_two_parts_in_the_same_place_are_refused() -> None:
    """Both can be read, so that only their places tell: the way of bombs that unpack the same bytes again and again."""
    content = _repacked(lambda parts: parts.update({"a.bin": b"a" * 100, "b.bin": b"a" * 100}), ZIP_STORED)
    first = content.rindex(b"a.bin") - 46
    second = content.rindex(b"b.bin") - 46
    twice = content[: second + 42] + content[first + 42 : first + 46] + content[second + 46 :]
    assert refused(twice, "file.xlsx").details["reason"] == "damaged"


@pytest.mark.parametrize("content", [b"<html></html>", b"sku,name\n1,2\n", zlib.compress(b"x")])
def test_what_is_called_xlsx_and_is_none_is_refused(content: bytes) -> None:
    assert refused(content, "file.xlsx").details["reason"] == "not_xlsx"


def test_a_workbook_is_read_without_any_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a temporary folder when a worker is killed would lie there for ever."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    monkeypatch.setenv("TMPDIR", "/nowhere")

    assert [row.cells["sku"] for row in read(a_workbook(("sku",), ("A-1",)), "file.xlsx")] == ["A-1"]


def test_the_process_that_reads_ends_with_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen):  # type: ignore[type-arg]  # Its argument is bytes either way.
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]  # Passed on as they come.
            begun.append(self)

    monkeypatch.setattr(xlsx_table, "Popen", Watched)
    with READER.open(a_workbook(*ROWS), "file.xlsx") as table:
        next(iter(table))
        assert begun[0].poll() is None or begun[0].poll() == 0
    assert [process.poll() is not None for process in begun] == [True]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1e-7, "0.0000001"), (1250.0, "1250"), (1e22, "10000000000000000000000"), (-3, "-3")],
)
def test_numbers_of_a_workbook_have_no_exponent_and_no_dust(value: float, text: str) -> None:
    (row,) = read(a_workbook(("sku",), (value,)), "file.xlsx")
    assert row.cells["sku"] == text
    assert Decimal(text) == Decimal(repr(value))
