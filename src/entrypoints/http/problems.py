"""One shape for every error, and which error becomes which status."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from litestar.exceptions import HTTPException, ValidationException
from litestar.exceptions.http_exceptions import MethodNotAllowedException
from litestar.serialization import encode_json
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_401_UNAUTHORIZED,
    HTTP_403_FORBIDDEN,
    HTTP_404_NOT_FOUND,
    HTTP_405_METHOD_NOT_ALLOWED,
    HTTP_409_CONFLICT,
    HTTP_412_PRECONDITION_FAILED,
    HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    HTTP_422_UNPROCESSABLE_ENTITY,
    HTTP_428_PRECONDITION_REQUIRED,
    HTTP_429_TOO_MANY_REQUESTS,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from src.application.ports.storage import ObjectMissing, StorageUnavailable
from src.domain.documents.file_types import FileTooLarge, FileTypeRefused
from src.domain.shared.errors import (
    Conflict,
    DomainError,
    FieldError,
    Forbidden,
    Invalid,
    NotFound,
    Stale,
    TooMany,
    Unauthenticated,
)
from src.domain.shared.once import IdempotencyKeyRequired, KeyInProgress
from src.entrypoints.http.expected import Expected
from src.entrypoints.http.versions import VersionRequired
from src.entrypoints.schemas.complaints import plain_words
from src.entrypoints.strict_json import MalformedJson

_KINDS: Final[tuple[tuple[type[DomainError], int], ...]] = (
    (MalformedJson, HTTP_400_BAD_REQUEST),
    (IdempotencyKeyRequired, HTTP_400_BAD_REQUEST),
    (NotFound, HTTP_404_NOT_FOUND),
    (Unauthenticated, HTTP_401_UNAUTHORIZED),
    (Forbidden, HTTP_403_FORBIDDEN),
    (Conflict, HTTP_409_CONFLICT),
    (Stale, HTTP_412_PRECONDITION_FAILED),
    (VersionRequired, HTTP_428_PRECONDITION_REQUIRED),
    (TooMany, HTTP_429_TOO_MANY_REQUESTS),
    (FileTooLarge, HTTP_413_REQUEST_ENTITY_TOO_LARGE),
    (FileTypeRefused, HTTP_415_UNSUPPORTED_MEDIA_TYPE),
    (Invalid, HTTP_422_UNPROCESSABLE_ENTITY),
)
_BY_STATUS: Final[Mapping[int, tuple[str, str]]] = {
    HTTP_404_NOT_FOUND: ("not_found", "There is nothing here."),
    HTTP_405_METHOD_NOT_ALLOWED: ("method_not_allowed", "This address does not take this method."),
    HTTP_413_REQUEST_ENTITY_TOO_LARGE: ("body_too_large", "The body is too large."),
    HTTP_415_UNSUPPORTED_MEDIA_TYPE: ("unsupported_media_type", "Send JSON, as «Content-Type: application/json»."),
}
_UNKNOWN_FIELD: Final = re.compile(r"unknown field `(?P<name>[^`]*)`")
_MISSING_PARAMETER: Final = re.compile(r"Missing required \w+ parameter '(?P<name>[^']*)'")
_MISSING_FIELD: Final = re.compile(r"missing required field `(?P<name>[^`]*)`")
_NO_CONNECTION: Final = ("08", "53", "57")
_SENDERS_FAULT: Final = ("22", "23", "54")
# serialization_failure, deadlock_detected, lock_not_available: the server has undone the transaction already.
_IN_EACH_OTHERS_WAY: Final = frozenset({"40001", "40P01", "55P03"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What an error is for the client. *unexpected* ones are logged with their stack and reveal nothing."""

    status: int
    code: str
    message: str
    details: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    unexpected: bool = False

    def body(self, trace_id: str) -> bytes:
        return encode_json(
            {"error_code": self.code, "message": self.message, "details": self.details, "trace_id": trace_id}
        )


def body_too_large(limit: int) -> Problem:
    """*limit* in bytes."""
    return Problem(
        status=HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        code="body_too_large",
        message=f"The body is too large: at most {limit} bytes are taken here.",
        details={"limit": limit},
    )


NOT_JSON: Final = Problem(
    status=HTTP_415_UNSUPPORTED_MEDIA_TYPE,
    code="unsupported_media_type",
    message="Send JSON, as «Content-Type: application/json».",
)
INTERNAL_ERROR: Final = Problem(
    status=HTTP_500_INTERNAL_SERVER_ERROR,
    code="internal_error",
    message="Something went wrong on our side. Tell us the trace id and we can find it.",
    unexpected=True,
)
STORAGE_UNAVAILABLE: Final = Problem(
    status=HTTP_503_SERVICE_UNAVAILABLE,
    code="storage_unavailable",
    message="Files cannot be kept or fetched right now; try again shortly.",
    headers={"Retry-After": "5"},
    unexpected=True,
)
# Known to the database, and not in the storage: for the operator to look into.
FILE_MISSING: Final = Problem(
    status=HTTP_404_NOT_FOUND,
    code="file_missing",
    message="This file is not where it should be. Tell us the trace id and we can look for it.",
    unexpected=True,
)
DATABASE_UNAVAILABLE: Final = Problem(
    status=HTTP_503_SERVICE_UNAVAILABLE,
    code="database_unavailable",
    message="The database cannot be reached right now; try again shortly.",
    headers={"Retry-After": "2"},
)
DATABASE_BUSY: Final = Problem(
    status=HTTP_503_SERVICE_UNAVAILABLE,
    code="database_busy",
    message="Others were changing the same things at that moment. Nothing was changed: send it again.",
    headers={"Retry-After": "1"},
    unexpected=True,  # Locks are taken in one order: worth a look.
)
TOOK_TOO_LONG: Final = Problem(
    status=HTTP_503_SERVICE_UNAVAILABLE,
    code="took_too_long",
    message="This took longer than a request may; try again, or ask for less.",
    headers={"Retry-After": "5"},
    unexpected=True,
)
_OUTSIDE: Final[tuple[tuple[type[Exception], Problem], ...]] = (
    (StorageUnavailable, STORAGE_UNAVAILABLE),
    (ObjectMissing, FILE_MISSING),
    (TimeoutError, TOOK_TOO_LONG),
)


def problem_of(error: BaseException, expected: Expected | None = None) -> Problem:
    """What *error* is for the client; *expected* by the route, where it is known."""
    if isinstance(error, DomainError):
        return _of_domain(error)
    if isinstance(error, ValidationException):
        fields = tuple(_field_errors(error, expected or Expected()))
        message = "Some fields are not valid."
        return Problem(
            status=HTTP_422_UNPROCESSABLE_ENTITY,
            code="validation_failed",
            message=message,
            details=_told(fields),
        )
    if isinstance(error, HTTPException):
        return _of_framework(error)
    for kind, problem in _OUTSIDE:
        if isinstance(error, kind):
            return problem
    return _of_database(error) or INTERNAL_ERROR


def _of_domain(error: DomainError) -> Problem:
    status = next(status for kind, status in _KINDS if isinstance(error, kind))
    details: object = dict(error.details)
    if isinstance(error, Invalid) and error.fields:
        details = _told(error.fields)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTP_401_UNAUTHORIZED else {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, KeyInProgress):
        headers["Retry-After"] = "1"
    return Problem(status=status, code=error.code, message=error.message, details=details, headers=headers)


def _told(fields: tuple[FieldError, ...]) -> list[dict[str, str]]:
    return [{"field": one.field, "message": one.message} for one in fields]


def _of_framework(error: HTTPException) -> Problem:
    if error.status_code in _BY_STATUS:
        code, message = _BY_STATUS[error.status_code]
        headers = (
            error.headers or {} if isinstance(error, MethodNotAllowedException) else {}
        )  # Allow (RFC 9110 §15.5.6).
        return Problem(status=error.status_code, code=code, message=message, headers=headers)
    if error.status_code == HTTP_400_BAD_REQUEST:  # What our own check lets through and msgspec does not.
        return Problem(status=HTTP_400_BAD_REQUEST, code="malformed_json", message="The body is no JSON.")
    return INTERNAL_ERROR


def _field_errors(error: ValidationException, expected: Expected) -> Iterator[FieldError]:
    if missing := _MISSING_PARAMETER.match(error.detail):
        yield FieldError(missing["name"], "This parameter is needed.")
    entries = error.extra if isinstance(error.extra, list) else []
    for entry in entries:
        key, message = str(entry.get("key", "")), str(entry.get("message", ""))
        in_body = entry.get("source") == "body"
        path = key.removeprefix("data").removeprefix(".") if in_body else expected.name_of(key)
        named = _UNKNOWN_FIELD.search(message) or _MISSING_FIELD.search(message)
        if message == "'data'":  # No body where one is needed.
            yield FieldError("body", "A JSON body is needed.")
        elif named is not None:
            what = "This field is not known." if "unknown" in message else "This field is needed."
            yield FieldError(f"{path}.{named['name']}" if path else named["name"], what)
        else:
            yield FieldError(path or "body", plain_words(message, *expected.type_at(key, in_body=in_body)))


def _of_database(error: BaseException) -> Problem | None:
    if isinstance(error, PoolTimeout | ConnectionError):
        return DATABASE_UNAVAILABLE
    if not isinstance(error, DBAPIError):
        return None
    state = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or state.startswith(_NO_CONNECTION):
        return DATABASE_UNAVAILABLE
    if state in _IN_EACH_OTHERS_WAY:
        return DATABASE_BUSY
    if state.startswith(_SENDERS_FAULT):
        return Problem(
            status=HTTP_422_UNPROCESSABLE_ENTITY,
            code="validation_failed",
            message="A value cannot be stored.",
            unexpected=True,  # The domain should have refused it: worth a look.
        )
    return None
