"""Imports of the catalogue: a file, how far it has got, and what was wrong with its rows."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ImportId, UserId
from src.domain.shared.text import TextChecks

MOST_ERRORS_KEPT = 1000


class ImportNotFound(NotFound):
    code = "import_not_found"


class ImportEnded(Conflict):
    """It has ended already."""

    code = "import_ended"


class ImportKind(StrEnum):
    PRODUCTS = "products"
    PRICES = "prices"
    EXCHANGE_RATES = "exchange-rates"
    CUSTOMERS = "customers"
    CONTACTS = "contacts"


class ImportMode(StrEnum):
    """Whether one bad row keeps all others out."""

    ALL_OR_NOTHING = "all-or-nothing"
    SKIP_BAD_ROWS = "skip-bad-rows"


class ImportStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """What is wrong with one row; *row* is what a spreadsheet shows beside it, None: the file itself."""

    row: int | None
    column: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportEvent(DomainEvent):
    resource_type: str = "import"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportStarted(ImportEvent):
    action = "import.started"
    kind: str
    file_name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsImported(ImportEvent):
    """Rows up to *last_row* are in. *digest* is SHA-256 over what they were made into (RFC 8785)."""

    action = "import.rows_imported"
    first_row: int
    last_row: int
    created: int
    updated: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFinished(ImportEvent):
    action = "import.finished"
    status: str
    created: int
    updated: int
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogImport:
    """One file on its way in. *last_row* is the last whose outcome is stored: a second start goes on after it.

    *storage_key* is where the file lies, empty for one that was read where it was. Of the errors the first thousand
    are kept; *skipped* counts them all.
    """

    id: ImportId
    kind: ImportKind
    mode: ImportMode
    dry_run: bool
    file_name: str
    sha256: str
    storage_key: str
    created_by: UserId
    created_at: datetime
    status: ImportStatus = ImportStatus.QUEUED
    last_row: int = 1
    created: int = 0
    updated: int = 0
    skipped: int = 0
    errors: tuple[RowError, ...] = ()
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("file_name", self.file_name, required=True)
        checks.done()

    def start(self) -> Change["CatalogImport"]:
        event = ImportStarted(
            resource_id=self.id,
            at=self.created_at,
            kind=self.kind.value,
            file_name=self.file_name,
            sha256=self.sha256,
        )
        return Change(None, self, (event,))

    def check_open(self) -> None:
        """Raises ImportEnded."""
        if self.status in {ImportStatus.DONE, ImportStatus.REFUSED}:
            raise ImportEnded(f"This import is {self.status.value} already; import the file again.")

    def advanced(
        self, *, last_row: int, created: int, updated: int, errors: tuple[RowError, ...], digest: str, at: datetime
    ) -> Change[Self]:
        """Rows up to *last_row* have been dealt with."""
        event = RowsImported(
            resource_id=self.id,
            at=at,
            first_row=self.last_row + 1,
            last_row=last_row,
            created=created,
            updated=updated,
            digest=digest,
        )
        after = replace(
            self,
            status=ImportStatus.RUNNING,
            last_row=last_row,
            created=self.created + created,
            updated=self.updated + updated,
            skipped=self.skipped + len(errors),
            errors=(*self.errors, *errors)[:MOST_ERRORS_KEPT],
        )
        return Change(self, after, (event,))

    def finished(self, *, refused: tuple[RowError, ...], at: datetime) -> Change[Self]:
        """Everything is in, or (with *refused*) nothing more will be."""
        status = ImportStatus.REFUSED if refused else ImportStatus.DONE
        after = replace(
            self,
            status=status,
            skipped=self.skipped + len(refused),
            errors=(*self.errors, *refused)[:MOST_ERRORS_KEPT],
        )
        event = ImportFinished(
            resource_id=self.id,
            at=at,
            status=status.value,
            created=after.created,
            updated=after.updated,
            skipped=after.skipped,
        )
        return Change(self, after, (event,))
