"""What is taken out of logs, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.entrypoints.logging import redact

CANARY = "canary-5f3a"


_AROUND = st.text("abc =:/\u00e9\u2026", max_size=20)


# Among them letters that a pattern without regard to case takes for an s, a k and an i.
@pytest.mark.parametrize(
    "told",
    [
        f"Bearer {CANARY}",
        f"bAsIc {CANARY}",
        f"PassWord={CANARY}",
        f"refresh_token: {CANARY}",
        f"SECRET='{CANARY}'",
        f"client_secret={CANARY}",
        f"PROFFER_SECRET_KEY={CANARY}",
        f"db_password={CANARY}",
        f"{{'client_secret': '{CANARY}'}}",
        f"passwd: {CANARY}",
        f"api-key={CANARY}",
        f"API_KEY={CANARY}",
        f"postgresql://proffer:{CANARY}@host",
        f"eyJhbGciOiJ.{CANARY}.x",
        f"ba\u017fic {CANARY}",
        f"to\u212aen={CANARY}",
        f"bas\u0130c {CANARY}",
        f"bas\u0131c {CANARY}",
    ],
)
@given(around=_AROUND)
def test_what_follows_a_word_for_a_secret_is_not_logged(told: str, around: str) -> None:
    logged = redact(None, "info", {"event": f"{around} {told} {around}"})

    assert CANARY not in str(logged)


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]).filter(str.isprintable), max_size=60))
def test_a_text_without_such_a_word_is_logged_as_it_is(text: str) -> None:
    words = ("bearer", "basic", "eyj", "://", "password", "passwd", "token", "secret", "api")
    if text.isascii() and not any(word in text.casefold() for word in words):
        assert redact(None, "info", {"event": text})["event"] == text
