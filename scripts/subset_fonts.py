"""Cut the fonts of printed offers down to the scripts that we promise, and write down what they cover.

    python scripts/subset_fonts.py NotoSans-Regular.ttf NotoSans-Bold.ttf NotoSansKR-Regular.ttf NotoSansKR-Bold.ttf \
        --into src/adapters/documents/fonts

The full files are in the npm packages ``@expo-google-fonts/noto-sans`` and ``@expo-google-fonts/noto-sans-kr``.
Needs fonttools, which only developers have. Give files with more glyphs and wider ranges to print more scripts.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

EUROPEAN = (
    (0x0020, 0x007E),
    (0x00A0, 0x024F),  # Latin-1, Latin Extended-A and -B.
    (0x0259, 0x0259),  # Azerbaijani.
    (0x02B0, 0x036F),  # Spacing modifiers, combining marks.
    (0x0370, 0x03FF),  # Greek.
    (0x0400, 0x052F),  # Cyrillic and its supplement.
    (0x1E00, 0x1FFF),  # Latin Extended Additional (Vietnamese, ẞ), polytonic Greek.
    (0x2000, 0x209F),  # Punctuation, superscripts.
    (0x20A0, 0x20CF),  # Currencies.
    (0x2100, 0x22FF),  # Letterlike, fractions, arrows, operators.
    (0x2300, 0x23FF),
    (0x2500, 0x27BF),  # Boxes, shapes, ticks.
    (0xFFFD, 0xFFFD),
)
KOREAN = (
    (0x0020, 0x007E),
    (0x00A0, 0x00FF),
    (0x2000, 0x206F),
    (0x20A9, 0x20A9),
    (0x2100, 0x27BF),
    (0x3000, 0x303F),  # Punctuation.
    (0x3130, 0x318F),  # Single letters.
    (0x3200, 0x32FF),  # Enclosed: ㈜.
    (0x3380, 0x33DF),  # Units: ㎡, ㎏.
    (0xAC00, 0xD7A3),  # All 11,172 syllables.
    (0xFF00, 0xFFEF),  # Full-width forms.
)
HALF_WIDTH_KANA = range(0xFF61, 0xFFA0)  # No promise of Japanese.
FILES = (
    ("NotoSans-Regular.ttf", EUROPEAN),
    ("NotoSans-Bold.ttf", EUROPEAN),
    ("NotoSansKR-Regular.ttf", KOREAN),
    ("NotoSansKR-Bold.ttf", KOREAN),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fonts", nargs=4, type=Path, help="Noto Sans regular, bold; Noto Sans KR regular, bold")
    parser.add_argument("--into", type=Path, required=True)
    arguments = parser.parse_args()

    covered = []
    for source, (name, ranges) in zip(arguments.fonts, FILES, strict=True):
        covered.append(cut(source, arguments.into / name, ranges))
        print(f"{name}: {len(covered[-1])} characters, {(arguments.into / name).stat().st_size} bytes")
    european, korean = covered[0] & covered[1], covered[2] & covered[3]
    (arguments.into / "coverage.txt").write_text("\n".join(as_ranges(european | korean)) + "\n", encoding="ascii")


def cut(source: Path, target: Path, ranges: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Write the subset and return the characters that are in it."""
    options = subset.Options(layout_features=["*"], hinting=False, notdef_outline=True, recalc_timestamp=False)
    font = subset.load_font(str(source), options)
    wanted = {code for first, last in ranges for code in range(first, last + 1)} - set(HALF_WIDTH_KANA)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
    subsetter.subset(font)
    subset.save_font(font, str(target), options)
    with TTFont(target) as written:
        return frozenset(written.getBestCmap())


def as_ranges(codes: Iterable[int]) -> Iterator[str]:
    """``0041-005A`` per run of neighbours."""
    ordered = sorted(codes)
    start = previous = ordered[0]
    for code in [*ordered[1:], -1]:
        if code != previous + 1:
            yield f"{start:04X}-{previous:04X}"
            start = code
        previous = code


if __name__ == "__main__":
    main()
