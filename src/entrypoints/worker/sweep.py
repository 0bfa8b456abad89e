"""Once a day: what broken uploads and dead workers have left, in the storage of every organisation and on this machine."""

import asyncio
from datetime import timedelta
from secrets import token_hex
from typing import Final

import structlog
from dishka import AsyncContainer

from src.adapters.jobs.upkeep import repeat_until
from src.application.documents.erase_attachment import SweepAttachments
from src.application.ports.identity import OrganizationDirectory
from src.application.ports.scratch import ScratchFiles
from src.domain.identity.actor import Actor, Origin
from src.entrypoints.worker.daily_heads import every_organization

EVERY: Final = timedelta(days=1)
_logger = structlog.stdlib.get_logger("proffer.worker")


async def sweep_storage(container: AsyncContainer) -> int:
    """How many files had to go. One organisation that fails is told in the log, and keeps no other from its turn."""
    sweep = await container.get(SweepAttachments)
    swept = 0
    for organization_id in await every_organization(await container.get(OrganizationDirectory)):
        actor = Actor.job(organization_id=organization_id, name="storage", origin=Origin(trace_id=token_hex(16)))
        try:
            swept += await sweep(actor)
        except Exception as error:
            _logger.exception("storage_not_swept", organization_id=str(organization_id), error=type(error).__name__)
    return swept


async def sweep_scratch(container: AsyncContainer) -> int:
    """How many folders of temporary files had to go; a disk that fails is told in the log, and keeps nothing from its turn."""
    scratch: ScratchFiles = await container.get(ScratchFiles)
    try:
        return await scratch.sweep()
    except OSError as error:
        _logger.exception("scratch_not_swept", error=type(error).__name__)
        return 0


async def sweep_storage_until(container: AsyncContainer, stop: asyncio.Event, every: timedelta = EVERY) -> None:
    """At once and then once a day. Several workers may do so: what one has taken away the other does not find."""

    async def sweep() -> int:
        try:
            return await sweep_scratch(container) + await sweep_storage(container)
        except Exception as error:
            _logger.exception("storage_not_swept", error=type(error).__name__)
            return 0

    await repeat_until("storage_swept", sweep, stop, every)
