"""Names of files that others gave: kept, but harmless to whoever saves or reads them."""

import re
import unicodedata
from typing import Final

from src.domain.shared.errors import invalid_field

LONGEST_NAME: Final = 200  # Characters; with room for the 255 bytes of a file system in most scripts.
_SEPARATORS: Final = re.compile(r"[/\\]")
# Windows takes them for drives, streams, wildcards and pipes.
_SPECIAL: Final = re.compile(r'[<>:"|?*]')
_SPACES: Final = re.compile(r"\s+")
# Names of devices on Windows, whatever their extension.
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
# Marks that turn the direction of what follows (Unicode TR 36 §2.5), so that «gpj.exe» would read «exe.jpg», or hide.
_TURNING: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u200b\u2060"
)
_INVISIBLE: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean_file_name(name: str) -> str:
    """The last part of a path, in Unicode's form NFC, without what is invisible, turns directions, or means something to
    a file system; the extension stays when it must be cut. Raises Invalid when nothing is left.
    """
    last = _SEPARATORS.split(unicodedata.normalize("NFC", name))[-1]
    kept = "".join(
        one for one in last if one.isspace() or not (one in _TURNING or unicodedata.category(one) in _INVISIBLE)
    )
    kept = _SPACES.sub(" ", _SPECIAL.sub("_", kept)).strip(" .")
    if not kept:
        raise invalid_field("file_name", "Give the file a name.")
    if _DEVICES.match(kept):
        kept = f"_{kept}"
    stem, extension = kept[: -len(extension_of(kept)) or None], extension_of(kept)
    return stem[: LONGEST_NAME - len(extension)].rstrip(" .") + extension


def extension_of(name: str) -> str:
    """With its point, as it is written; empty when there is none or it is too long to be one."""
    stem, point, extension = name.rpartition(".")
    return f".{extension}" if point and stem and 0 < len(extension) <= 10 else ""
