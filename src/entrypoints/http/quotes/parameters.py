"""Query parameters and headers of the quotes' routes."""

import re
from typing import Annotated, Final
from uuid import UUID

from litestar.params import HeaderParameter, PathParameter, QueryParameter

from src.domain.quoting.states import QuoteStatus
from src.domain.shared.errors import invalid_field

Statuses = Annotated[
    list[QuoteStatus] | None,
    QueryParameter(name="status", description="Only these states; may be given several times."),
]
CustomerParameter = Annotated[UUID | None, QueryParameter(name="customer_id")]
OwnerParameter = Annotated[UUID | None, QueryParameter(name="owner_id")]
Explain = Annotated[bool, QueryParameter(name="explain", description="Say how every amount came about.")]
RevisionNumber = Annotated[int, PathParameter(ge=1, le=1_000_000)]
IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The ETag that you read; the answer is 412 when somebody has changed the quote since.",
    ),
]

_TAG: Final = re.compile(r'"(\d{1,9})"', re.ASCII)


def etag(version: int) -> str:
    """A strong ETag: the version in quotes."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that an ``If-Match`` header names. Raises Invalid for what no ETag of ours looks like."""
    if if_match is None:
        return None
    match = _TAG.fullmatch(if_match.strip())
    if match is None:
        raise invalid_field("If-Match", 'An ETag such as "3" is needed; weak tags and * are not taken.')
    return int(match[1])
