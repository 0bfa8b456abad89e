"""Pictures made of nothing, so that no binary file lies about."""

import struct
import zlib
from collections.abc import Callable

Colour = tuple[int, int, int, int]


def a_png(
    width: int, height: int, colour_at: Callable[[int, int], Colour] = lambda _x, _y: (31, 78, 121, 255)
) -> bytes:
    """RGBA, eight bits each."""
    rows = b"".join(b"\0" + b"".join(bytes(colour_at(x, y)) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, data) for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def a_logo() -> bytes:
    """A ring beside three bars, on nothing."""

    def colour_at(x: int, y: int) -> Colour:
        distance = ((x - 60) ** 2 + (y - 60) ** 2) ** 0.5
        if 34 <= distance <= 56:
            return (31, 78, 121, 255)
        if any(130 + 46 * bar <= x < 162 + 46 * bar and y >= 84 - 34 * bar and y < 116 for bar in range(3)):
            return (232, 119, 34, 255)
        return (255, 255, 255, 0)

    return a_png(300, 120, colour_at)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
