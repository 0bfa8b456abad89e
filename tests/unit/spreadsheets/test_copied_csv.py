"""Rows that were copied out of a database become the CSV that the writer makes of the same rows."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.adapters.spreadsheets.copied_csv import CopiedCsv
from src.adapters.spreadsheets.csv_file import CsvFile, harmless
from src.application.ports.documents import Column, ColumnKind

COLUMNS = (
    Column("Text", ColumnKind.TEXT),
    Column("Amount", ColumnKind.INTEGER),
    Column("Another", ColumnKind.TEXT),
)
# As PostgreSQL's documentation of COPY has it.
ESCAPES = str.maketrans({"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})

characters = st.one_of(
    st.sampled_from([*"=+-@|;,\t\r\n\v\f\b'\" {a1é\\ntb", *"\u00a0\u3000\u200b\ufeff\u2003\x85\x1c＝＋－＠\x07"]),
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
)
texts = st.text(characters, max_size=10)
rows = st.lists(st.tuples(texts, st.one_of(st.none(), st.integers(-99, 99)), texts), max_size=20)
Row = tuple[str, int | None, str]


def copied(some: Sequence[Row]) -> bytes:
    """*some* as COPY writes them."""
    fields = (("" if cell is None else str(cell)).translate(ESCAPES) for row in some for cell in row)
    return b"".join(field.encode() + end for field, end in zip(fields, [b"\t", b"\t", b"\n"] * len(some), strict=True))


def written(some: Sequence[Row]) -> bytes:
    """What the writer makes of them, without the head."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        CsvFile(path, COLUMNS).close()
        head = path.stat().st_size
        file = CsvFile(path, COLUMNS)
        file.write(some)
        file.close()
        return path.read_bytes()[head:]


@given(some=rows, cuts=st.lists(st.integers(1, 40), max_size=6))
def test_any_rows_are_what_the_writer_makes_of_them_however_they_come(some: list[Row], cuts: list[int]) -> None:
    csv, rest, pieces = CopiedCsv(COLUMNS), copied(some), []
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]

    assert b"".join(map(csv.rows_in, [*pieces, rest])) == written(some)


@pytest.mark.parametrize("form", ["{}=1", "{}1", "a;{}=1", "={}", " '{}-1"])
def test_no_character_hides_a_formula(form: str) -> None:
    """Every one of the plane where all blanks are."""
    plane = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
    some: list[Row] = [(form.format(one), 1, "next") for one in plane]

    assert CopiedCsv(COLUMNS).rows_in(copied(some)) == written(some)


def test_beyond_that_plane_there_is_no_blank_and_no_sign() -> None:
    beyond = "".join(map(chr, range(0x10000, 0x110000)))

    assert re.search(r"\s", beyond) is None
    assert all(harmless(one + "=1") == one + "=1" for one in beyond[::64])


def test_a_formula_at_the_beginning_of_a_later_row_is_found() -> None:
    some: list[Row] = [("a", 1, "b"), ("=1", 2, "c")]

    assert CopiedCsv(COLUMNS).rows_in(copied(some)) == b'"a","1","b"\r\n"\'=1","2","c"\r\n'


def test_negative_numbers_stay_numbers_beside_texts_that_are_guarded() -> None:
    some: list[Row] = [("-5", -5, "=1"), ("5", None, "two\nlines")]

    assert CopiedCsv(COLUMNS).rows_in(copied(some)) == b'"\'-5","-5","\'=1"\r\n"5","","two\nlines"\r\n'


def test_what_was_not_ended_is_kept_until_it_is() -> None:
    csv = CopiedCsv(COLUMNS)

    assert [csv.rows_in(piece) for piece in (b"a\t1", b"\tb", b"\nc\t2\td\ne")] == [
        b"",
        b"",
        b'"a","1","b"\r\n"c","2","d"\r\n',
    ]
