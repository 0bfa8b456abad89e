"""Both formats: what is written can be read back by a program that is not ours."""

import csv
import json
import os
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from src.adapters.spreadsheets import FileSpreadsheets
from src.application.ports.documents import Cell, Column, ColumnKind, SpreadsheetFormat, TooManyRows

COLUMNS = (
    Column("Number", ColumnKind.TEXT, 20),
    Column("Lines", ColumnKind.INTEGER),
    Column("Payable", ColumnKind.AMOUNT),
    Column("Valid until", ColumnKind.DATE),
    Column("Sent at", ColumnKind.INSTANT),
)
NOON = datetime(2026, 11, 20, 12, 30, 15, tzinfo=UTC)
FORMATS = [SpreadsheetFormat.XLSX, SpreadsheetFormat.CSV]
TOTALS = (("Total (2)", None, Decimal("3.50"), None, None),)
DANGEROUS = [
    *(f"{sign}1+1" for sign in "=+-@\t\r\n＝＋－＠|"),
    *('=HYPERLINK("http://x.example","y")', "{=1+1}", "  =1+1", "'=1+1", "\u200b=1+1", "a;=1+1", "a\t=1+1", "a\n=1+1"),
    *('a";=1+1', "@SUM(A1)", "-2+3+cmd|' /C calc'!A0", "=cmd|' /C calc'!A0", "http://x.example", "mailto:a@x.example"),
]


async def each(rows: Sequence[Sequence[Cell]]) -> AsyncIterator[Sequence[Cell]]:
    for row in rows:
        yield row


async def written(path: Path, file_format: SpreadsheetFormat, rows: Sequence[Sequence[Cell]]) -> int:
    return await FileSpreadsheets().write(path, file_format, COLUMNS, each(rows), "Quotes")


def read_back(path: Path, file_format: SpreadsheetFormat) -> list[list[Any]]:
    if file_format is SpreadsheetFormat.XLSX:
        return CalamineWorkbook.from_path(path).get_sheet_by_name("Quotes").to_python()
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [*csv.reader(file)]


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", FORMATS)
async def test_rows_come_back_with_their_types(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    east = timezone(timedelta(hours=9))
    rows = [
        ("Q-1", 3, Decimal("1250.50"), date(2026, 12, 20), NOON),
        ("제어반, ü", None, Decimal("-0.05"), None, NOON.astimezone(east)),
    ]

    assert await written(tmp_path / "quotes", file_format, rows) == 2
    head, first, second = read_back(tmp_path / "quotes", file_format)

    assert head == ["Number", "Lines", "Payable", "Valid until", "Sent at"]
    if file_format is SpreadsheetFormat.XLSX:
        assert first == ["Q-1", 3.0, 1250.5, date(2026, 12, 20), NOON.replace(tzinfo=None)]
        assert second == ["제어반, ü", "", -0.05, "", NOON.replace(tzinfo=None)]
    else:
        assert first == ["Q-1", "3", "1250.50", "2026-12-20", "2026-11-20T12:30:15Z"]
        assert second == ["제어반, ü", "", "-0.05", "", "2026-11-20T12:30:15Z"]


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", FORMATS)
async def test_amounts_beyond_a_double_lose_no_digit(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    exact, too_long = Decimal("9999999999999.99"), Decimal("99999999999999.99")

    await written(
        tmp_path / "quotes", file_format, [("a", 10**16 + 1, exact, None, None), ("b", 1, too_long, None, None)]
    )
    _, first, second = read_back(tmp_path / "quotes", file_format)

    assert first[1] == str(10**16 + 1)
    assert Decimal(str(first[2])) == exact
    assert second[2] == str(too_long)


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", FORMATS)
async def test_thousands_of_rows_come_back_in_order(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    rows = [(f"Q-{i}", i, Decimal(i), None, None) for i in range(1, 1702)]

    assert await written(tmp_path / "quotes", file_format, rows) == 1701
    back = read_back(tmp_path / "quotes", file_format)

    assert [row[0] for row in back[1:]] == [row[0] for row in rows]


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", FORMATS)
async def test_no_rows_give_a_header(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    assert await written(tmp_path / "quotes", file_format, []) == 0
    assert len(read_back(tmp_path / "quotes", file_format)) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", FORMATS)
async def test_a_failing_source_leaves_no_half_file(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    async def failing() -> AsyncIterator[Sequence[Cell]]:
        for _ in range(600):
            yield ("Q-1", 1, None, None, None)
        raise ConnectionError("The database went away.")

    with pytest.raises(ConnectionError):
        await FileSpreadsheets().write(tmp_path / "quotes", file_format, COLUMNS, failing(), "Quotes")
    assert os.listdir(tmp_path) == []  # noqa: PTH208 — A short look at a small folder.


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", FORMATS)
async def test_an_instant_without_a_zone_is_refused(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        await written(tmp_path / "quotes", file_format, [("Q", 1, None, None, NOON.replace(tzinfo=None))])


@pytest.mark.asyncio
@pytest.mark.parametrize("text", DANGEROUS)
async def test_in_xlsx_dangerous_text_is_the_same_text_and_no_formula(tmp_path: Path, text: str) -> None:
    await written(tmp_path / "quotes", SpreadsheetFormat.XLSX, [(text, 1, None, None, None)])
    sheet = CalamineWorkbook.from_path(tmp_path / "quotes").get_sheet_by_name("Quotes")

    assert str(sheet.to_python()[1][0]).replace("\r", "\n") == text.replace("\r", "\n")
    assert b"<f>" not in xml_of(tmp_path / "quotes")
    assert b"<hyperlink" not in xml_of(tmp_path / "quotes")


@pytest.mark.asyncio
@pytest.mark.parametrize("text", DANGEROUS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_in_csv_no_field_of_any_dialect_begins_a_formula(tmp_path: Path, text: str, delimiter: str) -> None:
    await written(tmp_path / "quotes", SpreadsheetFormat.CSV, [(text, 1, None, None, None)])

    with (tmp_path / "quotes").open(encoding="utf-8-sig", newline="") as file:
        fields = [field for row in csv.reader(file, delimiter=delimiter) for field in row]
    for field in fields:
        assert not field.strip(' "\u200b\t\r\n').startswith(tuple("=+-@＝＋－＠|")), field
        assert not field.startswith(("\t", "\r", "\n", "{="))


@pytest.mark.asyncio
async def test_in_csv_harmless_text_stays_as_it_is(tmp_path: Path) -> None:
    texts = ['He said "yes", twice', "a-b=c", "10 % off", "two\nlines", "a@b.example", "O'Neill", " indented"]

    await written(tmp_path / "quotes", SpreadsheetFormat.CSV, [(text, 1, None, None, None) for text in texts])

    assert [row[0] for row in read_back(tmp_path / "quotes", SpreadsheetFormat.CSV)[1:]] == texts


@pytest.mark.asyncio
async def test_csv_has_a_byte_order_mark_and_ends_lines_as_the_standard_says(tmp_path: Path) -> None:
    await written(tmp_path / "quotes", SpreadsheetFormat.CSV, [("a", 1, None, None, None)])

    assert (tmp_path / "quotes").read_bytes().startswith(b'\xef\xbb\xbf"Number","Lines"')
    assert (tmp_path / "quotes").read_bytes().endswith(b'"a","1","","",""\r\n')


@pytest.mark.asyncio
@pytest.mark.parametrize("text", ["nul \x00", "bell \x07", "half \ud83d", "_x0041_", "x" * 40_000, "￾"])
async def test_odd_characters_give_a_file_that_can_be_read(tmp_path: Path, text: str) -> None:
    for file_format in FORMATS:
        await written(tmp_path / file_format, file_format, [(text, 1, None, None, None), ("next", 2, None, None, None)])

        assert [
            len(read_back(tmp_path / file_format, file_format)),
            read_back(tmp_path / file_format, file_format)[2][0],
        ] == [3, "next"]


@pytest.mark.asyncio
@pytest.mark.parametrize("sheet", ["a/b:c", "x" * 50, "", "'quoted'", "History"])
async def test_any_sheet_name_can_be_used(tmp_path: Path, sheet: str) -> None:
    await FileSpreadsheets().write(tmp_path / "quotes", SpreadsheetFormat.XLSX, COLUMNS, each([]), sheet)

    assert len(CalamineWorkbook.from_path(tmp_path / "quotes").sheet_names) == 1


@pytest.mark.asyncio
async def test_totals_close_a_sheet_in_bold_outside_of_its_filter(tmp_path: Path) -> None:
    rows = [("Q-1", 1, Decimal("1.25"), None, None), ("Q-2", 1, Decimal("2.25"), None, None)]

    count = await FileSpreadsheets().write(
        tmp_path / "quotes", SpreadsheetFormat.XLSX, COLUMNS, each(rows), "Quotes", lambda: TOTALS
    )

    assert count == 2
    assert read_back(tmp_path / "quotes", SpreadsheetFormat.XLSX)[3] == ["Total (2)", "", 3.5, "", ""]
    assert b'<autoFilter ref="A1:E3"/>' in xml_of(tmp_path / "quotes")
    assert b"<f>" not in xml_of(tmp_path / "quotes")
    styles = re.findall(rb'<c r="[AC]4" s="(\d+)"', xml_of(tmp_path / "quotes"))
    assert len(styles) == 2
    assert styles != re.findall(rb'<c r="[AC]3" s="(\d+)"', xml_of(tmp_path / "quotes"))


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", [SpreadsheetFormat.CSV, SpreadsheetFormat.JSON_LINES])
async def test_files_for_programs_have_no_totals(tmp_path: Path, file_format: SpreadsheetFormat) -> None:
    plain, summed = tmp_path / "plain", tmp_path / "summed"
    rows = [("Q-1", 1, Decimal(1), None, None)]

    await FileSpreadsheets().write(plain, file_format, COLUMNS, each(rows), "Quotes")
    await FileSpreadsheets().write(summed, file_format, COLUMNS, each(rows), "Quotes", lambda: TOTALS)

    assert plain.read_bytes() == summed.read_bytes()


@pytest.mark.asyncio
async def test_json_lines_keep_every_digit_and_every_character(tmp_path: Path) -> None:
    texts = [*DANGEROUS, "제어반\u2028", "nul \x00", '"quoted"']
    amount = Decimal("99999999999999999.990")
    rows = [(text, 10**16 + 1, amount, date(2026, 12, 20), NOON) for text in texts]
    columns = (*COLUMNS[:-1], Column("Größe", ColumnKind.INSTANT, key="custom.size"))

    await FileSpreadsheets().write(tmp_path / "rows", SpreadsheetFormat.JSON_LINES, columns, each(rows), "Quotes")
    read = [json.loads(line) for line in (tmp_path / "rows").read_text("utf-8").split("\n") if line]

    assert [row["number"] for row in read] == texts
    assert read[0] == {
        "number": texts[0],
        "lines": 10**16 + 1,
        "payable": "99999999999999999.990",
        "valid_until": "2026-12-20",
        "custom.size": "2026-11-20T12:30:15Z",
    }


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", SpreadsheetFormat)
async def test_flags_are_words_for_people_and_booleans_for_programs(
    tmp_path: Path, file_format: SpreadsheetFormat
) -> None:
    columns, path = (Column("Name", ColumnKind.TEXT), Column("Archived", ColumnKind.FLAG)), tmp_path / "rows"

    await FileSpreadsheets().write(path, file_format, columns, each([("A", True), ("B", False)]), "Quotes")

    if file_format is SpreadsheetFormat.JSON_LINES:
        assert path.read_text("utf-8") == '{"name":"A","archived":true}\n{"name":"B","archived":false}\n'
    else:
        assert read_back(path, file_format)[1:] == [["A", "yes"], ["B", "no"]]


@pytest.mark.asyncio
async def test_more_rows_than_a_sheet_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.adapters.spreadsheets.xlsx_file.MOST_ROWS", 3)
    rows = [("Q", 1, None, None, None)] * 4

    with pytest.raises(TooManyRows):
        await written(tmp_path / "quotes", SpreadsheetFormat.XLSX, rows)
    assert not (tmp_path / "quotes").exists()


def xml_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return archive.read("xl/worksheets/sheet1.xml")
