"""Versions on the wire: an ETag on what is shown, ``If-Match`` on what is changed (RFC 9110 §13.1.1)."""

import re
from typing import Annotated, Final, Protocol, TypeVar

from litestar import Response
from litestar.params import HeaderParameter
from litestar.status_codes import HTTP_200_OK

from src.domain.shared.errors import DomainError, invalid_field

IfMatch = Annotated[
    str | None,
    HeaderParameter(
        name="If-Match",
        description="The ETag that you read; the answer is 412 when somebody has changed it since.",
    ),
]

_TAG: Final = re.compile(r'"(\d{1,9})"', re.ASCII)


def etag(version: int) -> str:
    """A strong ETag: the version in quotes."""
    return f'"{version}"'


class VersionRequired(DomainError):
    """An update must say which version it was made from (RFC 6585 §3)."""

    code = "if_match_required"


def required_version(if_match: str | None) -> int:
    """As ``expected_version``, where nothing is overwritten unseen. Raises VersionRequired, Invalid."""
    version = expected_version(if_match)
    if version is None:
        raise VersionRequired("Send If-Match with the ETag that you read, so that nobody's change is lost.")
    return version


def expected_version(if_match: str | None) -> int | None:
    """The version that an ``If-Match`` header names. Raises Invalid for what no ETag of ours looks like."""
    if if_match is None:
        return None
    match = _TAG.fullmatch(if_match.strip())
    if match is None:
        raise invalid_field("If-Match", 'An ETag such as "3" is needed; weak tags and * are not taken.')
    return int(match[1])


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


Body = TypeVar("Body", bound=Versioned)


def tagged(body: Body) -> Response[Body]:
    """*body* with its version as a strong ETag."""
    return Response(body, status_code=HTTP_200_OK, headers={"ETag": etag(body.version)})
