"""Bring a file of products, prices or exchange rates in: checked, resumable, told to the audit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from src.application.catalog.import_rows import check_columns
from src.application.catalog.importers import ExchangeRateImporter, Importer, Outcome, PriceImporter, ProductImporter
from src.application.catalog.party_importers import ContactImporter, CustomerImporter
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import IMPORT_CATALOG, Job
from src.application.ports.paging import Page, Paging
from src.application.ports.storage import ObjectStorage
from src.application.ports.tabular import LARGEST_FILE, FileRefused, TabularFile, TabularReader, TabularRow
from src.application.ports.tax_numbers import TaxNumbers
from src.application.transactions import Transactions
from src.domain.documents.catalog_import import (
    MOST_ERRORS_KEPT,
    CatalogImport,
    ImportEnded,
    ImportKind,
    ImportMode,
    RowError,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.canonical import canonical_text
from src.domain.shared.ids import ImportId
from src.domain.shared.storage_keys import import_key

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

CHUNK: Final = 500
_NEEDED: Final = {
    ImportKind.PRODUCTS: Permission.EDIT_PRODUCTS,
    ImportKind.PRICES: Permission.MANAGE_PRICES,
    ImportKind.EXCHANGE_RATES: Permission.MANAGE_PRICES,
    ImportKind.CUSTOMERS: Permission.EDIT_CUSTOMERS,
    ImportKind.CONTACTS: Permission.EDIT_CUSTOMERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartImportCommand:
    """*content* is the file, CSV or XLSX. With *later* it is kept and a job brings it in, else the caller runs it."""

    kind: ImportKind
    file_name: str
    content: bytes
    mode: ImportMode = ImportMode.ALL_OR_NOTHING
    dry_run: bool = False
    later: bool = True


class StartImport:
    """A second start of a file that was interrupted goes on with the same import. Raises FileRefused, Invalid."""

    def __init__(
        self,
        transactions: Transactions,
        storage: ObjectStorage,
        reader: TabularReader,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._storage, self._reader = transactions, storage, reader
        self._clock, self._ids = clock, ids

    async def __call__(self, actor: Actor, command: StartImportCommand) -> CatalogImport:
        needed = _NEEDED[command.kind]
        actor.require(Permission.RUN_IMPORTS)
        actor.require(needed)
        if len(command.content) > LARGEST_FILE:
            raise FileRefused(f"{command.file_name} is larger than 10 MB; split it.", reason="too_large")
        await asyncio.to_thread(self._look, command)
        digest = sha256(command.content).hexdigest()
        import_id = ImportId(self._ids.new())
        key = import_key(actor.organization_id, import_id) if command.later else ""
        if command.later:
            await self._storage.put(key, command.content, content_type="application/octet-stream")
        async with self._transactions.begin(actor, needed) as uow:
            started = CatalogImport(
                id=import_id,
                kind=command.kind,
                mode=command.mode,
                dry_run=command.dry_run,
                file_name=command.file_name,
                sha256=digest,
                storage_key=key,
                created_by=actor.person,
                created_at=self._clock.now(),
            )
            if not command.dry_run and (known := await uow.imports.unfinished(command.kind, digest)) is not None:
                return known
            stored = await uow.imports.save(started.start())
            if command.later:
                job = Job.asked_by(actor, self._ids.new(), IMPORT_CATALOG, import_id)
                await uow.jobs.enqueue(job)
            await uow.commit()
        return stored

    def _look(self, command: StartImportCommand) -> None:
        """What the first row tells is refused at once."""
        with self._reader.open(command.content, command.file_name) as table:
            check_columns(command.kind, table.header)


class RunImport:
    """Bring the rows in. *content* None: the file that was kept. *progress* is told how many rows have been read.

    All or nothing: every row is checked first, and then all go in by one transaction. Skipping bad rows: each chunk is
    a transaction of its own, and a second run goes on after the last one. Raises ImportNotFound, ImportEnded.
    """

    def __init__(
        self,
        transactions: Transactions,
        storage: ObjectStorage,
        reader: TabularReader,
        tax_numbers: TaxNumbers,
        clock: Clock,
        ids: IdFactory,
    ) -> None:
        self._transactions, self._storage, self._reader = transactions, storage, reader
        self._tax_numbers, self._clock, self._ids = tax_numbers, clock, ids

    async def __call__(
        self,
        actor: Actor,
        import_id: ImportId,
        content: bytes | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> CatalogImport:
        async with self._transactions.begin(actor, Permission.RUN_IMPORTS) as uow:
            running = await uow.imports.get(import_id)
        running.check_open()
        file = await self._storage.get(running.storage_key) if content is None else content
        if running.dry_run:
            outcome = await self._check(actor, running, file, progress)
            return await self._end(actor, import_id, outcome)
        if running.mode is ImportMode.SKIP_BAD_ROWS:
            return await self._skipping(actor, running, file, progress)
        checked = await self._check(actor, running, file, lambda _: None)
        if checked.errors:
            return await self._end(actor, import_id, Outcome(errors=checked.errors))
        return await self._at_once(actor, running, file, progress)

    async def _check(
        self, actor: Actor, running: CatalogImport, file: bytes, progress: Callable[[int], None]
    ) -> Outcome:
        """Look at all rows and write nothing."""
        total, importer = Outcome(), self._importer(actor, running)
        try:
            with self._reader.open(file, running.file_name) as table:
                async for rows in _chunks(table, running.kind, importer, after=1):
                    async with self._transactions.begin(actor, Permission.RUN_IMPORTS) as uow:
                        outcome = await importer.take(uow, rows, write=False, now=self._clock.now())
                    total.created += outcome.created
                    total.updated += outcome.updated
                    total.errors += outcome.errors
                    progress(len(rows))
                    if len(total.errors) > MOST_ERRORS_KEPT:
                        break
        except FileRefused as error:
            total.errors.append(_of_file(error))
        return total

    async def _at_once(
        self, actor: Actor, running: CatalogImport, file: bytes, progress: Callable[[int], None]
    ) -> CatalogImport:
        """Everything in one transaction. What has come to be wrong since the check refuses all of it."""
        total, importer, digest, last = Outcome(), self._importer(actor, running), sha256(), running.last_row
        async with self._transactions.begin(actor, Permission.RUN_IMPORTS) as uow:
            locked = await uow.imports.lock(running.id)
            locked.check_open()
            with self._reader.open(file, running.file_name) as table:
                async for rows in _chunks(table, running.kind, importer, after=1):
                    outcome = await importer.take(uow, rows, write=True, now=self._clock.now())
                    total.created += outcome.created
                    total.updated += outcome.updated
                    total.errors += outcome.errors
                    _digest(digest, outcome)
                    last = rows[-1].number
                    progress(len(rows))
            total.errors += await importer.finish(uow)
            if not total.errors:
                now = self._clock.now()
                advanced = locked.advanced(
                    last_row=last,
                    created=total.created,
                    updated=total.updated,
                    errors=(),
                    digest=digest.hexdigest(),
                    at=now,
                )
                saved = await uow.imports.save(advanced)
                done = await uow.imports.save(saved.finished(refused=(), at=now))
                await uow.commit()
                return done
        return await self._end(actor, running.id, Outcome(errors=total.errors))

    async def _skipping(
        self, actor: Actor, running: CatalogImport, file: bytes, progress: Callable[[int], None]
    ) -> CatalogImport:
        """Chunk by chunk, each with how far it has got, so that a second run loses and doubles nothing."""
        importer, after = self._importer(actor, running), running.last_row
        refused: tuple[RowError, ...] = ()
        try:
            with self._reader.open(file, running.file_name) as table:
                async for rows in _chunks(table, running.kind, importer, after=after):
                    after = await self._chunk(actor, running.id, importer, rows, after)
                    progress(len(rows))
        except FileRefused as error:
            refused = (_of_file(error),)
        async with self._transactions.begin(actor, Permission.RUN_IMPORTS) as uow:
            locked = await uow.imports.lock(running.id)
            locked.check_open()
            ended = await uow.imports.save(locked.finished(refused=refused, at=self._clock.now()))
            await uow.commit()
        return ended

    async def _chunk(
        self, actor: Actor, import_id: ImportId, importer: Importer, rows: Sequence[TabularRow], after: int
    ) -> int:
        """Where the import stands after these rows. A chunk that nothing could tell apart from other prices stays out."""
        clash: Sequence[RowError] = ()
        for write in (True, False):
            async with self._transactions.begin(actor, Permission.RUN_IMPORTS) as uow:
                locked = await uow.imports.lock(import_id)
                locked.check_open()
                if locked.last_row != after:
                    raise ImportEnded("Another run of this import has gone on meanwhile.")
                outcome = Outcome(errors=list(clash))
                if write:
                    outcome = await importer.take(uow, rows, write=True, now=self._clock.now())
                    clash = await importer.finish(uow)
                if write and clash:
                    continue  # Leaving without a commit takes the chunk back; the second round tells why.
                digest = sha256()
                _digest(digest, outcome)
                advanced = locked.advanced(
                    last_row=rows[-1].number,
                    created=outcome.created,
                    updated=outcome.updated,
                    errors=tuple(outcome.errors),
                    digest=digest.hexdigest(),
                    at=self._clock.now(),
                )
                await uow.imports.save(advanced)
                await uow.commit()
                break
        return rows[-1].number

    async def _end(self, actor: Actor, import_id: ImportId, outcome: Outcome) -> CatalogImport:
        """Store the outcome of an import that wrote nothing."""
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.RUN_IMPORTS) as uow:
            locked = await uow.imports.lock(import_id)
            locked.check_open()
            counted = replace(locked, created=outcome.created, updated=outcome.updated)
            change = counted.finished(refused=tuple(outcome.errors), at=now)
            ended = await uow.imports.save(replace(change, before=locked))
            await uow.commit()
        return ended

    def _importer(self, actor: Actor, running: CatalogImport) -> Importer:
        match running.kind:
            case ImportKind.PRODUCTS:
                return ProductImporter(self._ids)
            case ImportKind.PRICES:
                return PriceImporter(self._ids)
            case ImportKind.CUSTOMERS:
                return CustomerImporter(self._ids, self._tax_numbers, actor, running.created_by)
            case ImportKind.CONTACTS:
                return ContactImporter(self._ids)
            case ImportKind.EXCHANGE_RATES:
                return ExchangeRateImporter(self._ids, running.file_name)


class GetImport:
    """Raises ImportNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, import_id: ImportId) -> CatalogImport:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.imports.get(import_id)


class ListImports:
    """Newest first. Raises CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, paging: Paging) -> Page[CatalogImport]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.imports.page(paging)


async def _chunks(
    table: TabularFile, kind: ImportKind, importer: Importer, *, after: int
) -> AsyncIterator[list[TabularRow]]:
    """Some hundred rows at a time, read beside the event loop; never cut between rows that belong together."""
    check_columns(kind, table.header)
    rows = (row for row in table if row.number > after)
    left: TabularRow | None = None
    while True:
        chunk, left = await asyncio.to_thread(_next, rows, importer, left)
        if chunk:
            yield chunk
        if left is None:
            return


def _next(
    rows: Iterator[TabularRow], importer: Importer, first: TabularRow | None
) -> tuple[list[TabularRow], TabularRow | None]:
    """The next chunk, and the row that the one after begins with."""
    chunk = [] if first is None else [first]
    for row in rows:
        if len(chunk) >= CHUNK and not importer.belongs(row, chunk[-1]):
            return chunk, row
        chunk.append(row)
    return chunk, None


def _digest(digest: "HASH", outcome: Outcome) -> None:
    for made in outcome.made:
        digest.update(canonical_text(made).encode())


def _of_file(error: FileRefused) -> RowError:
    row = error.details.get("row")
    return RowError(
        row=row if isinstance(row, int) else None, column=str(error.details.get("column", "")), message=error.message
    )
