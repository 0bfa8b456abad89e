"""A connection of SQLAlchemy's pool whose statements run on asyncpg itself.

SQLAlchemy builds statements and keeps the pool. Running a statement by it costs several times what asyncpg takes, so that
step is done here. See docs/decisions/0008-statements-on-asyncpg.md.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from operator import itemgetter
from typing import Any, Final, TypeVar, cast
from uuid import UUID
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import ClauseElement, PoolProxiedConnection
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError, MultipleResultsFound, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool
from sqlalchemy.util.concurrency import greenlet_spawn

from src.adapters.postgres.statements import Values, planned, planned_for_many

Answer = TypeVar("Answer")

_DriverError: Final = dialects.AsyncAdapt_asyncpg_dbapi.Error
_NOTHING: Final[Values] = {}
# The one place where the tenant is set. One message, so that it costs no round trip of its own.
_BEGIN: Final = "BEGIN; SELECT set_config('app.tenant_id', '{tenant}', true)"
# With what the last command of a transaction is about: a message of several commands takes no values.
_PREPARE: Final = "SELECT current_setting('app.tenant_id', true) AS tenant, set_config('app.document', $1, true)"

# It writes, so its end waits until the disk has it, and with it whatever was committed before.
REACH_DISK: Final = "SELECT pg_logical_emit_message(true, 'proffer', '')"
# What *last* locks is let go by the commit, and only then is the disk waited for: all who wait share one write to it.
COMMIT_WITH: Final = f"SET LOCAL synchronous_commit TO off; {{last}}; COMMIT; {REACH_DISK}"

# What a watcher is told before a statement runs: its SQL, and its values, a row of them for each time that it runs.
Watcher = Callable[[str, Sequence[Sequence[Any]]], None]
_watchers: Final[WeakKeyDictionary[Engine, list[Watcher]]] = WeakKeyDictionary()
# Turns to get a connection, as many as the pool has.
_turns: Final[WeakKeyDictionary[Engine, asyncio.Semaphore]] = WeakKeyDictionary()


class Row(asyncpg.Record):
    """A row whose columns are attributes as well."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        """For the first row that is asked for *name*: from then on all have it, which takes an eighth of coming here."""
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        setattr(Row, name, property(itemgetter(name)))
        return value


class Rows:
    """What a statement answered, all of it. *rowcount*: how many rows it returned, or wrote when it returns none."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[Row], rowcount: int) -> None:
        self._rows, self.rowcount = rows, rowcount

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)

    def all(self) -> list[Row]:
        return self._rows

    def one_or_none(self) -> Row | None:
        """Raises MultipleResultsFound."""
        if len(self._rows) > 1:
            raise MultipleResultsFound("There are several rows where one was looked for.")
        return self._rows[0] if self._rows else None

    def one(self) -> Row:
        """Raises NoResultFound, MultipleResultsFound."""
        row = self.one_or_none()
        if row is None:
            raise NoResultFound("There is no row where one was looked for.")
        return row

    def scalars(self) -> list[Any]:
        """The first column."""
        return [row[0] for row in self._rows]

    def scalar_one(self) -> Any:
        """Raises NoResultFound, MultipleResultsFound."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """Raises MultipleResultsFound."""
        row = self.one_or_none()
        return None if row is None else row[0]


_DRIVER_ERRORS: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


class Connection:
    """One connection, lent by the pool until ``close``. Outside of ``begin`` and ``commit`` each statement stands alone.

    Statements raise SQLAlchemy's DBAPIError, IntegrityError for broken constraints; after ``close`` InvalidRequestError.
    """

    __slots__ = ("_driver", "_engine", "_lent", "_sound")

    def __init__(self, engine: Engine, lent: PoolProxiedConnection) -> None:
        self._engine, self._sound = engine, True
        self._lent: PoolProxiedConnection | None = lent
        assert lent.driver_connection is not None
        self._driver: asyncpg.Connection[asyncpg.Record] = lent.driver_connection

    @classmethod
    async def lend(cls, engine: AsyncEngine) -> "Connection":
        """Raises the pool's TimeoutError when none gets free in time; DBAPIError or OSError when the server refuses."""
        while True:
            connection = cls(engine.sync_engine, await _lent_by(engine))
            if not connection._driver.is_closed():
                return connection
            connection._sound = False  # The server went away meanwhile; perhaps it is back.
            await connection.close()

    async def fetch(self, sql: str, *values: Any) -> "list[asyncpg.Record]":
        """The driver's own rows of *sql* with *values* for ``$1`` …: for what must be as quick as can be."""
        self._tell(sql, [values])
        return await self._run(sql, self._open_driver().fetch(sql, *values))

    async def begin(self, tenant: UUID) -> None:
        """Begin a transaction that sees the rows of *tenant* and no others; for this transaction, never for the connection."""
        sql = _BEGIN.format(tenant=UUID(str(tenant)))
        self._tell(sql, [()])
        await self._command(sql)

    async def execute(self, statement: ClauseElement, parameters: Values = _NOTHING) -> Rows:
        plan, values = planned(statement, parameters)
        self._tell(plan.sql, [values])
        if plan.has_rows:
            rows = await self._run(plan.sql, self._open_driver().fetch(plan.sql, *values, record_class=Row))
            return Rows(rows, len(rows))
        return Rows([], _count_in(await self._run(plan.sql, self._open_driver().execute(plan.sql, *values))))

    async def execute_many(self, statement: ClauseElement, rows: Sequence[Values]) -> None:
        """Run *statement* once for each of *rows*, which have the same keys, without waiting in between."""
        plan, values = planned_for_many(statement, rows)
        self._tell(plan.sql, values)
        await self._run(plan.sql, self._open_driver().executemany(plan.sql, values))

    async def stream(self, statement: ClauseElement, batch: int, parameters: Values = _NOTHING) -> AsyncIterator[Row]:
        """The rows of *statement*, *batch* at a time, by a cursor of the transaction."""
        plan, values = planned(statement, parameters)
        self._tell(plan.sql, [values])
        rows = aiter(self._open_driver().cursor(plan.sql, *values, prefetch=batch, record_class=Row))
        while (row := await self._run(plan.sql, anext(rows, None))) is not None:
            yield row

    async def copy_out(
        self, statement: ClauseElement, sink: Callable[[bytes], Awaitable[None]], parameters: Values = _NOTHING
    ) -> int:
        """Send the rows of *statement* to *sink* as COPY writes text, nothing for NULL; how many there were."""
        plan, values = planned(statement, parameters)
        self._tell(plan.sql, [values])

        async def hand_on(chunk: bytes) -> None:
            await sink(chunk)

        copying = self._open_driver().copy_from_query(
            plan.sql, *values, output=hand_on, format="text", null="", encoding="utf-8"
        )
        return _count_in(await self._run(plan.sql, copying))

    async def prepare(self, document: str) -> str:
        """Leave *document* in the transaction's ``app.document``, for its last command; the tenant that the server knows."""
        [row] = await self.fetch(_PREPARE, document)
        return str(row["tenant"])

    async def commit(self, last: str = "") -> None:
        """When it returns, what was committed is on disk.

        *last*: a command that goes along in the message, so that what it locks is locked while the server works only, and not
        while the disk does. Others may see what is committed a moment before the disk has it.

        Raises InvalidRequestError when a statement failed in the transaction, so that there is nothing to commit; with *last*,
        and where *last* itself fails, as any statement.
        """
        if last:
            self._tell(last, [()])
            await self._command(COMMIT_WITH.format(last=last))
        elif await self._command("COMMIT") != "COMMIT":
            raise InvalidRequestError("The transaction had failed already; nothing was committed.")

    async def reach_disk(self) -> None:
        """Wait, outside of a transaction, until everything is on disk that has been committed by now, by anybody."""
        self._tell(REACH_DISK, [()])
        await self._command(REACH_DISK)

    async def close(self) -> None:
        """Undo what is not committed, and give the connection back; one in an unknown state is dropped instead."""
        lent, self._lent = self._lent, None
        if lent is None:
            return
        try:
            self._sound = self._sound and not self._driver.is_closed()
            if self._sound and self._driver.is_in_transaction():
                self._sound = False
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # Undone with the connection.
                    await self._driver.execute("ROLLBACK")
                    self._sound = True
        finally:
            try:
                if self._sound:
                    lent.close()  # Nothing waits here: for the pool there is no transaction.
                else:
                    await greenlet_spawn(lent.invalidate)
            finally:
                _turns_of(self._engine).release()

    async def _command(self, sql: str) -> str:
        """One or several commands that take no values, in one message; the status of the last."""
        return await self._run(sql, self._open_driver().execute(sql))

    async def _run(self, sql: str, answering: Awaitable[Answer]) -> Answer:
        """Raises what SQLAlchemy would raise."""
        self._sound = False  # Until the answer is here: what breaks off in between leaves the connection in any state.
        try:
            answer = await answering
        except _DRIVER_ERRORS as error:
            # The driver may be asked while it learns that the server is gone: then it does not know its own state.
            lost = self._driver.is_closed() or isinstance(error, asyncpg.InternalClientError | OSError)
            self._sound = not lost
            kind = IntegrityError if isinstance(error, asyncpg.IntegrityConstraintViolationError) else DBAPIError
            told = _told(error)
            raise kind(sql, None, told, hide_parameters=True, connection_invalidated=lost) from told
        self._sound = True
        return answer

    def _open_driver(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._lent is None:
            raise InvalidRequestError("This connection was given back already.")
        return self._driver

    def _tell(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if _watchers:
            for watcher in _watchers.get(self._engine, ()):
                watcher(sql, rows)


async def _lent_by(engine: AsyncEngine) -> PoolProxiedConnection:
    """Whoever asks first is served first: the pool itself would let those pass who come when one has just got free."""
    turns = _turns_of(engine.sync_engine)
    if turns.locked():
        pool = cast("QueuePool", engine.pool)
        try:
            async with asyncio.timeout(pool.timeout()):
                await turns.acquire()
        except TimeoutError:
            raise PoolTimeout(f"None of {pool.size()} connections got free within {pool.timeout()} seconds.") from None
    else:
        await turns.acquire()
    try:
        return await engine.raw_connection()
    except BaseException as error:
        turns.release()
        if isinstance(error, _DriverError):
            raise DBAPIError(None, None, error, hide_parameters=True) from error
        raise


def _turns_of(engine: Engine) -> asyncio.Semaphore:
    turns = _turns.get(engine)
    if turns is None:
        turns = _turns[engine] = asyncio.Semaphore(cast("QueuePool", engine.pool).size())
    return turns


@asynccontextmanager
async def lent(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """A connection for the length of the block. Raises as ``Connection.lend``."""
    connection = await Connection.lend(engine)
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def watched(engine: AsyncEngine, watcher: Watcher) -> Iterator[None]:
    """Meanwhile *watcher* is told of each statement that runs on connections of *engine*, but not of how transactions end."""
    watchers = _watchers.setdefault(engine.sync_engine, [])
    watchers.append(watcher)
    try:
        yield
    finally:
        watchers.remove(watcher)
        if not watchers:
            del _watchers[engine.sync_engine]


def _count_in(status: str) -> int:
    """From ``UPDATE 3``, ``INSERT 0 3`` and the like."""
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else -1


def _told(error: Exception) -> Exception:
    """*error* in SQLAlchemy's wrapping, and with its sentence only: the details of the server repeat values."""
    sentence = str(error.args[0]) if error.args else type(error).__name__  # A timeout says nothing.
    told: Exception = _DriverError(sentence, error)  # type: ignore[no-untyped-call]  # SQLAlchemy annotates no constructor of its driver errors.
    told.__cause__ = error
    return told
