"""Names that others gave come out harmless, and otherwise as they were."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.documents.file_names import LONGEST_NAME, clean_file_name
from src.domain.shared.errors import Invalid


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("offer.pdf", "offer.pdf"),
        ("Größe 2026 (final).pdf", "Größe 2026 (final).pdf"),
        ("Gro\u0308\u00dfe.pdf", "Größe.pdf"),
        ("견적서.docx", "견적서.docx"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..%2f..%2fa.txt", "%2f..%2fa.txt"),
        ("C:\\Users\\ann\\a.pdf", "a.pdf"),
        ("a\0b\x07\x1b.pdf", "ab.pdf"),
        ("a\r\nb.pdf", "a b.pdf"),
        ("a\u2028b.pdf", "a b.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("a\ufeff\u200b\u2066.txt", "a.txt"),
        ("a\ud800.txt", "a.txt"),
        ('a<b>:"c|d?*.txt', "a_b___c_d__.txt"),
        ("CON.txt", "_CON.txt"),
        ("com1", "_com1"),
        ("lpt9.tar.gz", "_lpt9.tar.gz"),
        ("console.txt", "console.txt"),
        (".htaccess", "htaccess"),
        ("a.txt. . ", "a.txt"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("a." + "b" * 300, "a." + "b" * 198),
    ],
)
def test_a_name_is_cleaned(given_name: str, kept: str) -> None:
    assert clean_file_name(given_name) == kept


@pytest.mark.parametrize("name", ["", " ", "...", "a/", "\u202e", "\0"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        clean_file_name(name)


@given(name=st.text(max_size=400))
def test_every_name_comes_out_harmless_and_stays_so(name: str) -> None:
    try:
        kept = clean_file_name(name)
    except Invalid:
        return

    assert 0 < len(kept) <= LONGEST_NAME + 1
    assert not set(kept) & set('/\\<>:"|?*\u202e\u2066')
    assert not any(unicodedata.category(one) in {"Cc", "Cs"} for one in kept)
    assert not kept.startswith(".")
    assert not kept.endswith((".", " "))
    assert clean_file_name(kept) == kept
