"""The same life in memory, with thousands of steps, and on PostgreSQL, with fewer."""

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.postgres.addresses import DatabaseUrls
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.application.ports.unit_of_work import OpenUnitOfWork
from tests.property.quoting.life import QuoteLife

_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


class LifeInMemory(QuoteLife):
    def open_store(self) -> OpenUnitOfWork:
        return OpenMemoryUnitOfWork(MemoryStore())


class LifeOnPostgres(QuoteLife):
    engines: ClassVar[tuple[AsyncEngine, AsyncEngine]]

    def open_store(self) -> OpenUnitOfWork:
        return OpenPostgresUnitOfWork(*self.engines)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop of the machine's own: its rules are no coroutines."""
    with asyncio.Runner() as made:
        yield made


def test_a_quotes_life_in_memory(runner: asyncio.Runner) -> None:
    LifeInMemory.runner = runner
    run_state_machine_as_test(
        LifeInMemory,
        settings=settings(max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=_SLOW),
    )


def test_a_quotes_life_on_postgres(runner: asyncio.Runner, database: DatabaseUrls) -> None:
    app, operator = make_engine(database.app, pool_size=2), make_engine(database.operator, pool_size=1)
    LifeOnPostgres.runner, LifeOnPostgres.engines = runner, (app, operator)
    try:
        run_state_machine_as_test(
            LifeOnPostgres,
            settings=settings(max_examples=10, stateful_step_count=25, deadline=None, suppress_health_check=_SLOW),
        )
    finally:
        runner.run(app.dispose())
        runner.run(operator.dispose())
