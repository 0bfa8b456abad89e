"""What can go wrong, in the language of the business: a stable code, a sentence, details. No transport is known here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field. *field* is a path such as ``lines[1].quantity``."""

    field: str
    message: str


class DomainError(Exception):
    """Base of everything that the core refuses. *details* hold JSON values only: texts, whole numbers, lists."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, object] = details


class NotFound(DomainError):
    """It is not there, or not for this organisation: the two are never told apart."""

    code: ClassVar[str] = "not_found"


class Unauthenticated(DomainError):
    """Who is asking could not be established."""

    code: ClassVar[str] = "unauthenticated"


class Forbidden(DomainError):
    """The actor may not do this."""

    code: ClassVar[str] = "forbidden"


class Conflict(DomainError):
    """The thing is in a state in which this cannot be done."""

    code: ClassVar[str] = "conflict"


class Stale(DomainError):
    """The actor looked at an earlier version than the one that is stored."""

    code: ClassVar[str] = "stale_version"


class TooMany(DomainError):
    """Too often in too short a time. *retry_after* is in whole seconds."""

    code: ClassVar[str] = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after


class Invalid(DomainError):
    """The values make no sense; *fields* say which."""

    code: ClassVar[str] = "validation_failed"

    def __init__(self, message: str, *, fields: tuple[FieldError, ...] = (), **details: object) -> None:
        super().__init__(message, **details)
        self.fields = fields


def invalid_field(field: str, message: str) -> Invalid:
    """An Invalid about one field."""
    return Invalid(message, fields=(FieldError(field, message),))
