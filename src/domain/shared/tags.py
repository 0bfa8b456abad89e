"""Tags: short words that things are found by."""

import re
from typing import Final

from src.domain.shared.text import TextChecks

MOST_TAGS: Final = 50
_TAG: Final = re.compile(r"[^\s,;\"\\](?:[^,;\"\\\r\n\t]{0,38}[^\s,;\"\\])?")


def check_tags(checks: TextChecks, tags: tuple[str, ...]) -> None:
    """Tell *checks* what is wrong: at most MOST_TAGS, each in small letters and only once."""
    if len(tags) > MOST_TAGS:
        checks.refuse("tags", f"At most {MOST_TAGS} tags are kept.")
    for position, tag in enumerate(tags[:MOST_TAGS]):
        checks.line(f"tags[{position}]", tag, required=True, longest=40)
        if not _TAG.fullmatch(tag):
            checks.refuse(f"tags[{position}]", "A tag has 1 to 40 characters, no comma, semicolon, quote or backslash.")
    if len(set(tags)) != len(tags):
        checks.refuse("tags", "Each tag once.")


def normal_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """In small letters, sorted, each once."""
    return tuple(sorted({tag.strip().casefold() for tag in tags}))
