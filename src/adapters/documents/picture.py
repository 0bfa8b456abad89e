"""How large a picture is, told by its head: a small file can unfold into more pixels than there is memory."""

from typing import Final

MOST_PIXELS: Final = 4_000_000  # Printed 46 mm wide, that is far more than any printer shows.
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8"
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # Markers of JPEG without a length.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def is_printable_picture(content: bytes) -> bool:
    """Whether it is a PNG or a JPEG of a size that may be unfolded. What is behind its head is not looked at."""
    size = _size_of(content)
    return size is not None and 0 < size[0] * size[1] <= MOST_PIXELS


def _size_of(content: bytes) -> tuple[int, int] | None:
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and len(content) >= 24:
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    return _size_of_jpeg(content) if content.startswith(_JPEG) else None


def _size_of_jpeg(content: bytes) -> tuple[int, int] | None:
    """From its frame header, found by going from marker to marker."""
    place = 2
    while place + 9 <= len(content) and content[place] == 0xFF:
        marker = content[place + 1]
        if marker in _FRAMES:
            return int.from_bytes(content[place + 7 : place + 9]), int.from_bytes(content[place + 5 : place + 7])
        if marker == 0xFF:  # Filling.
            place += 1
        elif marker in _ALONE:
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4])
    return None
