"""What a file says it is, it is, or it is not taken."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.documents.file_types import (
    FILE_TYPES,
    TAIL,
    Content,
    ContentCheck,
    FileTooLarge,
    FileTypeRefused,
    type_of,
)
from src.domain.shared.errors import Invalid
from tests.builders.files import FALSE_FILES, PDF, TRUE_FILES, a_zip

LARGEST = 25 * 1024 * 1024


def _checked(name: str, content: bytes, *, piece: int = 700, largest: int = LARGEST, declared: str = "") -> Content:
    check = ContentCheck(type_of(name, declared), largest)
    for start in range(0, len(content), piece):
        check.feed(content[start : start + piece])
    return check.done()


@pytest.mark.parametrize("piece", [1, 700, 1 << 20])
@pytest.mark.parametrize("name", TRUE_FILES)
def test_a_true_file_is_taken_however_it_comes(name: str, piece: int) -> None:
    content = TRUE_FILES[name]

    assert _checked(name, content, piece=piece) == Content(len(content), sha256(content).hexdigest())


def test_every_type_is_tried() -> None:
    assert {type_of(name, "") for name in TRUE_FILES} == set(FILE_TYPES)


@pytest.mark.parametrize("piece", [1, 700, 1 << 20])
@pytest.mark.parametrize("name", FALSE_FILES)
def test_a_false_file_is_refused_however_it_comes(name: str, piece: int) -> None:
    with pytest.raises(FileTypeRefused):
        _checked(name, FALSE_FILES[name], piece=piece)


@pytest.mark.parametrize(
    "name", ["a", "a.exe", "a.html", "a.svg", "a.zip", "a.docm", "a.pdf.js", ".pdf", "pdf", "a.xlsb", "a.pdf "]
)
def test_what_is_not_on_the_list_is_refused(name: str) -> None:
    with pytest.raises(FileTypeRefused):
        type_of(name, "")


@pytest.mark.parametrize(
    ("declared", "taken"),
    [
        ("", True),
        ("application/octet-stream", True),
        ("Application/PDF; charset=binary", True),
        ("text/html", False),
        ("image/png", False),
        ("application/pdfx", False),
    ],
)
def test_the_senders_type_agrees_with_the_name(declared: str, taken: bool) -> None:
    if taken:
        assert type_of("a.pdf", declared).media_type == "application/pdf"
    else:
        with pytest.raises(FileTypeRefused):
            type_of("a.pdf", declared)


@pytest.mark.parametrize(
    ("name", "declared", "content", "found", "allowed"),
    [
        ("a.exe", "", b"", ".exe", ".docx"),
        ("a", "", b"", "", ".pdf"),
        ("a.pdf", "Text/HTML; charset=utf-8", b"", "text/html", "application/pdf"),
        ("a.pdf", "", TRUE_FILES["a.png"], "image/png", ".pdf"),
        ("a.pdf", "", b"something", "application/octet-stream", ".pdf"),
        ("a.txt", "", PDF + b"\xff", "application/pdf", ".txt"),
    ],
)
def test_a_refusal_says_what_was_found_and_what_is_taken(
    name: str, declared: str, content: bytes, found: str, allowed: str
) -> None:
    with pytest.raises(FileTypeRefused) as refused:
        _checked(name, content, declared=declared)

    taken = refused.value.details["allowed"]
    assert refused.value.details["found"] == found
    assert isinstance(taken, list)
    assert allowed in taken
    assert allowed in refused.value.message
    assert found in refused.value.message or found == "application/octet-stream"


def test_a_false_beginning_is_seen_before_the_rest_comes() -> None:
    check = ContentCheck(type_of("a.pdf", ""), LARGEST)

    with pytest.raises(FileTypeRefused):
        check.feed(bytes(5000))


def test_one_byte_too_many_is_seen_at_once() -> None:
    assert _checked("a.pdf", PDF, largest=len(PDF)).size == len(PDF)
    with pytest.raises(FileTooLarge) as refused:
        _checked("a.pdf", PDF + b"\n", largest=len(PDF))
    assert refused.value.details == {"limit": len(PDF)}


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        _checked("a.txt", b"")
    assert [one.field for one in refused.value.fields] == ["body"]


def test_a_large_office_file_is_known_by_its_end() -> None:
    random = bytes(TAIL) + sha256(b"x").digest() * 40_000
    parts = {"[Content_Types].xml": b"<t/>", "word/document.xml": b"<x/>"}
    large = a_zip(parts, first=("word/media/image1.bin", random))
    many = a_zip(parts | {f"word/media/{'x' * 200}{number}.png": b"" for number in range(1500)})

    assert _checked("a.docx", large, piece=1 << 16).size > 1_000_000
    with pytest.raises(FileTypeRefused):  # Its directory alone is longer than what is kept.
        _checked("a.docx", many, piece=1 << 16)


@given(content=st.binary(max_size=300), name=st.sampled_from(sorted(TRUE_FILES)))
def test_nothing_breaks_on_any_bytes(content: bytes, name: str) -> None:
    for tried in (content, TRUE_FILES[name][:60] + content, content + TRUE_FILES[name][-60:]):
        try:
            found = _checked(name, tried)
        except Invalid:
            continue
        assert found.sha256 == sha256(tried).hexdigest()
