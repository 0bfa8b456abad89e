"""``Content-Disposition``: one header, one name, whatever is in it."""

from email.message import EmailMessage
from email.policy import HTTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.entrypoints.http.downloads.answers import content_disposition

HOSTILE = (
    'a"; filename="b.exe',
    "a\r\nSet-Cookie: x=1",
    "a\\b",
    "ä ö 100%.pdf",
    "; filename*=UTF-8''x",
    "\u202egpj.exe",
    "한국어.pdf",
    "",
)


def _read(value: str) -> tuple[str, dict[str, str]]:
    """As a strict reader does it."""
    assert value.isascii()
    assert value.isprintable()
    message = EmailMessage(policy=HTTP)
    message["Content-Disposition"] = value
    header = message["Content-Disposition"]
    assert not header.defects
    return str(header.content_disposition), dict(header.params)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    kind, told = _read(content_disposition(name).rpartition("; filename*=")[0])

    assert kind == "attachment"
    assert set(told) == {"filename"}


@given(name=st.text(min_size=1, max_size=200).filter(lambda name: not any("\ud800" <= one <= "\udfff" for one in name)))
def test_every_name_comes_back_as_it_was(name: str) -> None:
    kind, told = _read("attachment; " + content_disposition(name).rpartition("; ")[2])

    assert kind == "attachment"
    assert told == {"filename": name}
