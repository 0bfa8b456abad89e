"""Answers with an ETag: the version of what they show."""

from typing import Protocol, TypeVar

from litestar import Response
from litestar.status_codes import HTTP_200_OK

from src.entrypoints.http.quotes.parameters import etag


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


Body = TypeVar("Body", bound=Versioned)


def tagged(body: Body) -> Response[Body]:
    """*body* with its version as a strong ETag."""
    return Response(body, status_code=HTTP_200_OK, headers={"ETag": etag(body.version)})
