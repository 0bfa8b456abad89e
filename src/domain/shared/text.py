"""Rules for texts that people type."""

import re
import unicodedata

from src.domain.shared.errors import FieldError, Invalid

NAME_LENGTH = 200
LONG_TEXT_LENGTH = 10_000
EMAIL_LENGTH = 254

# Deliberately modest: one @, no white space, a dot in the domain. Whether it exists, only a mail can tell.
_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\.]+(\.[^\s@<>,;:\"()\[\]\\.]+)+", re.ASCII)
_ALLOWED_CONTROLS = frozenset("\n\t")


class TextChecks:
    """Collects what is wrong with several texts, so that one answer names all of it.

    What Python calls printable has nothing in it that is refused; only other texts are looked at character by character.
    *places* fill the braces of *field*, which is put together only where something is wrong.
    """

    def __init__(self) -> None:
        self._wrong: list[FieldError] = []

    def line(self, field: str, value: str, *places: int, required: bool = False, longest: int = NAME_LENGTH) -> None:
        """A text of one line: no control characters, at most *longest* characters."""
        if required and not value.strip():
            self.refuse(field, "This must not be empty.", *places)
        elif len(value) > longest:
            self.refuse(field, f"At most {longest} characters are allowed.", *places)
        elif not value.isprintable() and any(
            unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in value
        ):
            self.refuse(field, "Control characters and line breaks are not allowed.", *places)

    def paragraphs(self, field: str, value: str, *places: int, longest: int = LONG_TEXT_LENGTH) -> None:
        """A text of several lines: of the control characters only line feed and tab."""
        if len(value) > longest:
            self.refuse(field, f"At most {longest} characters are allowed.", *places)
        elif not value.isprintable() and any(
            unicodedata.category(character) in {"Cc", "Cs"} and character not in _ALLOWED_CONTROLS
            for character in value
        ):
            self.refuse(field, "Control characters are not allowed.", *places)

    def email(self, field: str, value: str) -> None:
        """An address such as ``ann@example.com``."""
        if len(value) > EMAIL_LENGTH or not _EMAIL.fullmatch(value):
            self.refuse(field, "This is not an e-mail address.")

    def refuse(self, field: str, message: str, *places: int) -> None:
        self._wrong.append(FieldError(field.format(*places) if places else field, message))

    def done(self) -> None:
        """Raises Invalid when anything was wrong."""
        if self._wrong:
            raise Invalid("Some fields are not valid.", fields=tuple(self._wrong))


def storable(text: str) -> str:
    """*text* as PostgreSQL and JSON can keep it: no zeros, no halves of surrogate pairs. For what others say, such as
    errors and answers of servers, which must not be lost for one character.
    """
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
