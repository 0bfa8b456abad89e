"""Which characters the shipped fonts can print, and what becomes of the others."""

import unicodedata
from functools import cache
from importlib.resources import files

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_LINE_BREAKS = {
    "\r": "\n",
    "\v": "\n",
    "\f": "\n",
    "\x85": "\n",
    "\N{LINE SEPARATOR}": "\n",
    "\N{PARAGRAPH SEPARATOR}": "\n",
}
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


@cache
def covered_characters() -> frozenset[str]:
    """What every shipped weight has; ``fonts/coverage.txt`` is written together with the fonts."""
    lines = (files("src.adapters.documents") / "fonts" / "coverage.txt").read_text(encoding="ascii").split()
    ranges = [[int(end, 16) for end in line.split("-")] for line in lines]
    return frozenset(chr(code) for first, last in ranges for code in range(first, last + 1))


class Printable:
    """Makes texts printable and remembers in *replaced* what it could not keep, in order, each once.

    Letters are composed (NFC), so that Hangul typed on a Mac prints. Characters that nobody sees, such as zero-width
    joiners, direction marks and control characters, are left out and not reported. *marks* False replaces combining
    marks too: a letter of one font with a mark of the other has no glyph although both are covered.
    """

    def __init__(self, *, marks: bool = True) -> None:
        self._marks = marks
        self._replaced: dict[str, None] = {}

    @property
    def replaced(self) -> str:
        return "".join(self._replaced)

    def __call__(self, text: str) -> str:
        return "".join(map(self._print, unicodedata.normalize("NFC", text.replace("\r\n", "\n"))))

    def _print(self, character: str) -> str:
        character = _LINE_BREAKS.get(character, character)
        if character == "\n":
            return character
        if character == "\t":
            return " "
        category = unicodedata.category(character)
        if category in {"Cc", "Cf"} or ord(character) in _VARIATION_SELECTORS:
            return ""
        if character in covered_characters() and (self._marks or not category.startswith("M")):
            return character
        self._replaced[character] = None
        return REPLACEMENT
