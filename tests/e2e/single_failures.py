"""Make the first outside call of a request fail, then the second, and so on until the request succeeds.

The method is SQLite's: after each failure the state must be a legal one, and nothing may be lent for ever.
"""

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import uuid4

import asyncpg
import pytest
from httpx import Response
from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.tables import metadata
from src.adapters.smtp import EmlMailer
from src.adapters.storage import ObstoreStorage
from src.entrypoints.http.access import accesses_of
from tests.e2e.conftest import Caller

Call = Callable[..., Awaitable[Any]]

_CALLS: Final = ("execute", "executemany", "fetch", "fetchrow", "fetchval")
_MOST: Final = 200  # Outside calls of one request; more, and the sweep would never end.


class Failure(StrEnum):
    """How an outside call fails."""

    LINE_BREAKS = "the line breaks before it"
    ANSWER_IS_LOST = "the line breaks after it"
    TIMEOUT = "it takes too long"
    CANCELLED = "whoever asked goes away after it"


@dataclass
class Fault:
    """The call that fails: the *at*-th from now on. *reached*: whether there was one."""

    failure: Failure
    at: int
    seen: int = 0
    reached: bool = False

    def is_due(self) -> bool:
        self.seen += 1
        if self.seen != self.at:
            return False
        self.reached = True
        return True


_AFTERWARDS: Final = {Failure.ANSWER_IS_LOST, Failure.CANCELLED}
_fault: Final[ContextVar[Fault | None]] = ContextVar("fault", default=None)


@contextmanager
def faulty_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Calls to the database fail where the context asks for it. The driver itself does the rest."""
    with monkeypatch.context() as patched:
        for name in _CALLS:
            patched.setattr(asyncpg.Connection, name, _faulty(getattr(asyncpg.Connection, name)))
        yield


@contextmanager
def faulty_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same for the storage and the mail."""
    with faulty_database(monkeypatch), monkeypatch.context() as patched:
        for port, name in ((ObstoreStorage, "get"), (ObstoreStorage, "put"), (EmlMailer, "send")):
            patched.setattr(port, name, _faulty(getattr(port, name)))
        yield


@contextmanager
def failing(fault: Fault) -> Iterator[None]:
    """Meanwhile *fault* is what this task's calls meet."""
    before = _fault.set(fault)
    try:
        yield
    finally:
        _fault.reset(before)


def _faulty(call: Call) -> Call:
    @functools.wraps(call)
    async def run(side: Any, *args: Any, **kwargs: Any) -> Any:
        fault = _fault.get()
        if fault is None or not fault.is_due():
            return await call(side, *args, **kwargs)
        if fault.failure is Failure.TIMEOUT:
            raise TimeoutError
        if fault.failure is Failure.LINE_BREAKS:
            _hang_up(side)
        answer = await call(side, *args, **kwargs)
        if fault.failure is Failure.CANCELLED:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        _hang_up(side)
        raise ConnectionResetError(f"The answer was lost: {answer!r:.40}")

    return run


def _hang_up(side: Any) -> None:
    if not isinstance(side, asyncpg.Connection):
        raise ConnectionResetError
    side.terminate()


@dataclass
class Sweep:
    """Asks for each thing until it is done, with a failure at the first, the second … call of each attempt.

    Nothing else may write to the organisation meanwhile. *asked* are the routes that were asked, *failed* counts the attempts
    that did not come through, *stored_unheard* those of them whose commit was done.
    """

    app: Litestar
    engine: AsyncEngine
    organization_id: str
    failures: tuple[Failure, ...]
    every: bool
    asked: set[tuple[str, str]] = field(default_factory=set)
    failed: int = 0
    stored_unheard: int = 0

    async def write(
        self,
        caller: Caller,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = "",
        content: tuple[bytes, str] | None = None,
        tagged: str = "",
    ) -> Any:
        """The answer of the attempt that came through, as JSON. The ETag is that of *tagged*, or of *path* itself."""
        place = self._route_of(method, path)
        self.asked.add(place)
        headers = {"idempotency-key": uuid4().hex} if method == "POST" else {}
        if caller.token:
            headers["authorization"] = f"Bearer {caller.token}"
        if method in {"PATCH", "PUT", "DELETE"}:
            headers["if-match"] = await caller.tag_of(tagged or path)
        given: dict[str, Any] = {"json": body}
        if content is not None:
            given, headers["content-type"] = {"content": content[0]}, content[1]
        before = await self._state()
        for at in range(1, _MOST):
            for failure in self._failures_at(at):
                fault = Fault(failure, at)
                answer = await self._attempt(fault, caller, method, path + query, headers, given)
                where = f"{method} {path}{query}: {failure} at call {at}"
                if fault.reached and (answer is None or answer.status_code >= 500):
                    self.failed += 1
                    assert answer is None or answer.status_code == 503, f"{where}: {answer.status_code} {answer.text}"
                    if await self._state() == before:
                        continue
                    assert failure in _AFTERWARDS, f"{where}: it failed, but something was stored."
                    self.stored_unheard += 1
                    answer = await caller.client.request(method, path + query, headers=headers, **given)
                    if method == "POST" and answer.status_code != 401:  # Whose session it ended cannot ask again.
                        assert answer.headers.get("idempotency-replayed") == "true", f"{where}: done twice."
                    else:  # Whoever reads it again sees what there is.
                        assert answer.status_code in {200, 204, 401, 404, 409, 412}, f"{where}: {answer.text}"
                        return None
                assert answer is not None
                assert answer.is_success, f"{where}: {answer.status_code} {answer.text}"
                return answer.json() if answer.content else None
        raise AssertionError(f"{method} {path} makes too many calls.")

    def _failures_at(self, at: int) -> tuple[Failure, ...]:
        return self.failures if self.every else (self.failures[at % len(self.failures)],)

    async def _attempt(
        self, fault: Fault, caller: Caller, method: str, path: str, headers: dict[str, str], given: dict[str, Any]
    ) -> Response | None:
        """None when whoever asked has gone away."""

        async def ask() -> Response:
            with failing(fault):
                return await caller.client.request(method, path, headers=headers, **given)

        try:
            return await asyncio.create_task(ask())
        except asyncio.CancelledError:
            return None

    async def _state(self) -> dict[str, tuple[int, int]]:
        """How many rows each table has for the organisation, and what they are."""
        told = " UNION ALL ".join(
            f"SELECT '{table.name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {table.fullname} t"
            for table in metadata.sorted_tables
        )
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": self.organization_id})
            return {name: (count, total) for name, count, total in await connection.execute(text(told))}

    def _route_of(self, method: str, path: str) -> tuple[str, str]:
        for access in accesses_of(self.app):
            pattern = re.sub(r"{\w+}", "[^/]+", access.path)
            if access.method == method and re.fullmatch(pattern, path):
                return access.method, access.path
        raise AssertionError(f"There is no {method} {path}.")
