"""The nightly end of export files: those whose time is over, and those that no export knows; and of exports of long ago."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from src.application.documents.strays import delete_strays
from src.application.ports.clock import Clock
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.export import KEPT_FOR, LISTED_FOR, DataExport, ExportState
from src.domain.identity.actor import Actor, Permission
from src.domain.jobs.record import JobNotFound, JobState
from src.domain.shared.storage_keys import exports_folder

_AT_ONCE: Final = 200
_ENDED: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedExports:
    """*expired* exports whose file is gone now, *strays* that belonged to none, *abandoned* exports that nobody prepares,
    *forgotten* ones that ended long ago.
    """

    expired: int
    strays: int
    abandoned: int
    forgotten: int = 0


class DeleteOldExports:
    """May be interrupted anywhere and run again: a file goes before its export says so, and what is left of either is
    found the next night. Raises StorageUnavailable.
    """

    def __init__(self, transactions: Transactions, storage: ObjectStorage, clock: Clock) -> None:
        self._transactions, self._storage, self._clock = transactions, storage, clock

    async def __call__(self, actor: Actor) -> DeletedExports:
        now = self._clock.now()
        expired = 0
        while batch := await self._over(actor, now):
            for export in batch:
                await self._storage.delete(export.storage_key)
            expired += await self._say_expired(actor, batch, now)
        folder, kept = exports_folder(actor.organization_id), partial(self._kept, actor)
        return DeletedExports(
            expired=expired,
            strays=await delete_strays(self._storage, folder, now - KEPT_FOR, kept),
            abandoned=await self._give_up(actor, now),
            forgotten=await self._forget(actor, now),
        )

    async def _over(self, actor: Actor, now: datetime) -> list[DataExport]:
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            return list(await uow.exports.over(now, _AT_ONCE))

    async def _say_expired(self, actor: Actor, batch: list[DataExport], now: datetime) -> int:
        """Those that nobody else has said so of meanwhile."""
        count = 0
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            for one in batch:
                export = await uow.exports.lock(one.id)
                if export.state is ExportState.READY:
                    await uow.exports.save(export.expired(at=now))
                    count += 1
            await uow.commit()
        return count

    async def _kept(self, actor: Actor, keys: Sequence[str]) -> frozenset[str]:
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            return await uow.exports.kept(keys)

    async def _give_up(self, actor: Actor, now: datetime) -> int:
        """Exports whose worker died in the last attempt, so that nobody could say that they failed."""
        async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
            abandoned = [
                export
                for export in await uow.exports.unended(now - KEPT_FOR, _AT_ONCE)
                if await _job_has_ended(uow, export)
            ]
            for export in abandoned:
                message = "Its job ended without a file; ask for it again."
                await uow.exports.save(export.ended(ExportState.FAILED, message=message, at=now))
            await uow.commit()
        return len(abandoned)

    async def _forget(self, actor: Actor, now: datetime) -> int:
        forgotten, more = 0, _AT_ONCE
        while more == _AT_ONCE:
            async with self._transactions.begin(actor, Permission.RUN_EXPORTS) as uow:
                more = await uow.exports.forget(now - LISTED_FOR, _AT_ONCE)
                await uow.commit()
            forgotten += more
        return forgotten


async def _job_has_ended(uow: UnitOfWork, export: DataExport) -> bool:
    try:
        return (await uow.jobs.get(export.job_id)).state in _ENDED
    except JobNotFound:
        return True
