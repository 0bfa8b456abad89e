"""Exports: files of what an organisation keeps, made by a job for the person who asked, and kept for a day."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self
from uuid import UUID

from src.domain.identity.actor import ActorKind, Permission
from src.domain.shared.calendar import FIRST_YEAR, LAST_YEAR, instant_text
from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, Invalid, NotFound, invalid_field
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ApiKeyId, CustomerId, ExportId, UserId

KEPT_FOR: Final = timedelta(hours=24)
LISTED_FOR: Final = timedelta(days=90)  # Since it ended; the audit tells of it for longer.
LINK_LIVES: Final = timedelta(minutes=15)
MOST_PREPARING: Final = 5  # Of one person at once.
_LONGEST_FILTER: Final = 60  # Characters.
_TRACE: Final = re.compile(r"[0-9a-f]{32}")


class ExportNotFound(NotFound):
    code = "export_not_found"


class ExportStateConflict(Conflict):
    """The export's state does not allow this; details: ``state``."""

    code = "export_state_conflict"


class TooManyExports(Conflict):
    """As many of the person's exports as may be are being prepared; details: ``limit``."""

    code = "too_many_exports"


class ExportTooLarge(Invalid):
    """More rows than are exported at once; details: ``most_rows``."""

    code = "export_too_large"


class ExportKind(StrEnum):
    QUOTES = "quotes"
    QUOTE_LINES = "quote-lines"
    CUSTOMERS = "customers"
    PRODUCTS = "products"
    AUDIT = "audit"
    SUMMARY = "summary"


class ExportFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    JSON_LINES = "jsonl"
    PDF = "pdf"


class ExportState(StrEnum):
    """*preparing* until its job has ended; *empty*: nothing met the conditions; *expired*: the file is gone."""

    PREPARING = "preparing"
    READY = "ready"
    EMPTY = "empty"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# What each needs. Entries of the audit tell costs, and what is hashed cannot be told in part.
NEEDED: Final[Mapping[ExportKind, tuple[Permission, ...]]] = MappingProxyType(
    {
        ExportKind.QUOTES: (Permission.EXPORT_QUOTES,),
        ExportKind.QUOTE_LINES: (Permission.EXPORT_QUOTES,),
        ExportKind.CUSTOMERS: (Permission.EXPORT_CUSTOMERS,),
        ExportKind.PRODUCTS: (Permission.EXPORT_PRODUCTS,),
        ExportKind.AUDIT: (Permission.VIEW_AUDIT, Permission.VIEW_COSTS),
        ExportKind.SUMMARY: (Permission.EXPORT_QUOTES, Permission.VIEW_REPORTS),
    }
)
_SPREADSHEETS: Final = frozenset({ExportFormat.XLSX, ExportFormat.CSV, ExportFormat.JSON_LINES})
FORMATS: Final[Mapping[ExportKind, frozenset[ExportFormat]]] = MappingProxyType(
    dict.fromkeys(ExportKind, _SPREADSHEETS) | {ExportKind.SUMMARY: frozenset({ExportFormat.PDF})}
)
_OF_QUOTES: Final = frozenset({"start", "end", "statuses", "customer_id", "owner_id"})
_FITTING: Final[Mapping[ExportKind, frozenset[str]]] = MappingProxyType(
    {
        ExportKind.QUOTES: _OF_QUOTES,
        ExportKind.QUOTE_LINES: _OF_QUOTES,
        ExportKind.SUMMARY: _OF_QUOTES,
        ExportKind.CUSTOMERS: frozenset({"start", "end", "statuses"}),
        ExportKind.PRODUCTS: frozenset({"start", "end", "archived"}),
        ExportKind.AUDIT: frozenset(
            {
                *("start", "end", "action", "resource_type", "resource_id", "user_id", "actor_kind", "trace_id"),
                *("since", "before"),
            }
        ),
    }
)
_SPOKEN: Final = {"start": "start_date", "end": "end_date", "statuses": "status"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFilters:
    """Conditions that must all hold; an absent one does not count.

    *start* and *end* are days in the organisation's time zone, both included, of creation; *since* (included) and *before*
    (not included) are instants. *archived* None: both.
    """

    start: date | None = None
    end: date | None = None
    statuses: tuple[str, ...] = ()
    customer_id: CustomerId | None = None
    owner_id: UserId | None = None
    archived: bool | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: UUID | None = None
    user_id: UserId | None = None
    actor_kind: ActorKind | None = None
    trace_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def check(self, kind: ExportKind) -> None:
        """Raises Invalid naming what does not fit the *kind*, or makes no sense."""
        for name in self.given():
            if name not in _FITTING[kind]:
                raise invalid_field(_SPOKEN.get(name, name), f"An export of {kind.value} has no such filter.")
        self._check_times()
        for name, text in (("action", self.action), ("resource_type", self.resource_type)):
            if text is not None and len(text) > _LONGEST_FILTER:
                raise invalid_field(name, f"At most {_LONGEST_FILTER} characters are allowed.")
        if self.trace_id is not None and not _TRACE.fullmatch(self.trace_id):
            raise invalid_field("trace_id", "A trace id has 32 hexadecimal digits.")

    def _check_times(self) -> None:
        for name, day in (("start_date", self.start), ("end_date", self.end)):
            if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
                raise invalid_field(name, f"A year from {FIRST_YEAR} to {LAST_YEAR} is needed.")
        if self.start and self.end and self.end < self.start:
            raise invalid_field("end_date", "The end lies before the start.")
        for name, instant in (("since", self.since), ("before", self.before)):
            if instant is not None and instant.tzinfo is None:
                raise invalid_field(name, "An instant needs its time zone.")

    def given(self) -> tuple[str, ...]:
        """The names of those that count."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) not in (None, ()))

    def told(self) -> tuple[str, ...]:
        """Each as ``name=value``."""
        return tuple(f"{_SPOKEN.get(name, name)}={_text_of(getattr(self, name))}" for name in self.given())


def _text_of(value: object) -> str:
    match value:
        case tuple():
            return ",".join(map(str, value))
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
        case _:
            return str(value)


def check_form(kind: ExportKind, file_format: ExportFormat) -> None:
    """Raises Invalid for a format that the *kind* does not have."""
    if file_format not in FORMATS[kind]:
        known = ", ".join(sorted(FORMATS[kind]))
        raise invalid_field("format", f"An export of {kind.value} is one of {known}.")


def check_may_prepare(preparing: int) -> None:
    """Whether one more may be, beside so many of the same person. Raises TooManyExports."""
    if preparing >= MOST_PREPARING:
        message = f"{MOST_PREPARING} exports of one person are being prepared already; wait for one, or give one up."
        raise TooManyExports(message, limit=MOST_PREPARING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEvent(DomainEvent):
    resource_type: str = "export"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequested(ExportEvent):
    action = "export.requested"
    kind: str
    file_format: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportMade(ExportEvent):
    """*with_costs*: costs are in it, so that it is only for those who may see them."""

    action = "export.ready"
    rows: int
    size: int
    sha256: str
    with_costs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportEnded(ExportEvent):
    """Without a file; the state says why."""

    action = "export.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTriedAgain(ExportEvent):
    action = "export.tried_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportExpired(ExportEvent):
    action = "export.expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLinkMade(ExportEvent):
    """*expires_at* is an instant in UTC."""

    action = "export.link_made"
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Where it lies. *size* is in bytes."""

    storage_key: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExport:
    """One file that somebody asked for. It is theirs alone: nobody else sees it or gets a link to it.

    *api_key_id*: the key by which they asked. *storage_key* is empty until the file is there; *size* is in bytes;
    *message* says why there is none. *ended_at* and *expires_at* are instants in UTC.
    """

    id: ExportId
    kind: ExportKind
    file_format: ExportFormat
    filters: ExportFilters
    created_by: UserId
    api_key_id: ApiKeyId | None
    job_id: UUID
    created_at: datetime
    state: ExportState = ExportState.PREPARING
    rows: int = 0
    size: int = 0
    sha256: str = ""
    with_costs: bool = False
    file_name: str = ""
    storage_key: str = field(default="", metadata={"derived": True})
    message: str = ""
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    version: int = 0

    def request(self) -> Change["DataExport"]:
        event = ExportRequested(
            resource_id=self.id,
            at=self.created_at,
            kind=self.kind.value,
            file_format=self.file_format.value,
            conditions=self.filters.told(),
        )
        return Change(None, self, (event,))

    @property
    def needed(self) -> tuple[Permission, ...]:
        """What one must be allowed to get the file."""
        costs = (Permission.VIEW_COSTS,) if self.with_costs else ()
        return (*NEEDED[self.kind], *costs)

    @property
    def is_preparing(self) -> bool:
        return self.state is ExportState.PREPARING

    def is_there(self, at: datetime) -> bool:
        """Whether there is a file to be had."""
        return self.state is ExportState.READY and self.expires_at is not None and at < self.expires_at

    def made(self, *, rows: int, file: StoredFile, with_costs: bool, file_name: str, at: datetime) -> Change[Self]:
        """Raises ExportStateConflict unless it is being prepared."""
        self._check_preparing()
        after = replace(
            self,
            state=ExportState.READY,
            rows=rows,
            size=file.size,
            sha256=file.sha256,
            with_costs=with_costs,
            file_name=file_name,
            storage_key=file.storage_key,
            ended_at=at,
            expires_at=at + KEPT_FOR,
        )
        event = ExportMade(
            resource_id=self.id, at=at, rows=rows, size=file.size, sha256=file.sha256, with_costs=with_costs
        )
        return Change(self, after, (event,))

    def ended(self, state: ExportState, *, message: str, at: datetime) -> Change[Self]:
        """Without a file. Raises ExportStateConflict unless it is being prepared."""
        self._check_preparing()
        after = replace(self, state=state, message=message, ended_at=at)
        return Change(self, after, (ExportEnded(resource_id=self.id, at=at),))

    def again(self, *, at: datetime) -> Change[Self]:
        """Its job, which had failed, begins anew. Raises ExportStateConflict unless it had."""
        if self.state is not ExportState.FAILED:
            raise self._conflict()
        after = replace(self, state=ExportState.PREPARING, message="", ended_at=None)
        return Change(self, after, (ExportTriedAgain(resource_id=self.id, at=at),))

    def expired(self, *, at: datetime) -> Change[Self]:
        """The file is gone. Raises ExportStateConflict unless it was there, and its time is over."""
        if self.state is not ExportState.READY or self.is_there(at):
            raise self._conflict()
        after = replace(self, state=ExportState.EXPIRED, storage_key="")
        return Change(self, after, (ExportExpired(resource_id=self.id, at=at),))

    def link_until(self, at: datetime) -> datetime:
        """When a link that is made now ends. Raises ExportStateConflict when there is no file to be had."""
        if not self.is_there(at) or self.expires_at is None:
            raise self._conflict("its file has expired" if self.state is ExportState.READY else "")
        return min(at + LINK_LIVES, self.expires_at)

    def _check_preparing(self) -> None:
        if not self.is_preparing:
            raise self._conflict()

    def _conflict(self, reason: str = "") -> ExportStateConflict:
        told = reason or f"it is {self.state.value}"
        return ExportStateConflict(f"This export cannot do this: {told}.", state=self.state.value)
