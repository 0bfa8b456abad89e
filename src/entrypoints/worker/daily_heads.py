"""Signing the head of every organisation's audit chain once a day."""

import asyncio
from datetime import timedelta
from secrets import token_hex
from typing import Final

import structlog
from dishka import AsyncContainer

from src.application.audit.sign_heads import SignAuditHead
from src.application.ports.identity import OrganizationDirectory
from src.application.ports.paging import LARGEST_PAGE, Paging
from src.domain.identity.actor import Actor, Origin
from src.domain.shared.ids import OrganizationId

EVERY: Final = timedelta(hours=1)
_logger = structlog.stdlib.get_logger("proffer.worker")


async def sign_due_heads(container: AsyncContainer) -> int:
    """Sign what is due, of all organisations; how many heads.

    One that fails, because its chain is broken, say, is told in the log, and does not keep the others from theirs.
    """
    sign = await container.get(SignAuditHead)
    signed = 0
    for organization_id in await every_organization(await container.get(OrganizationDirectory)):
        actor = Actor.job(organization_id=organization_id, name="audit heads", origin=Origin(trace_id=token_hex(16)))
        try:
            signed += await sign.if_due(actor) is not None
        except Exception as error:
            _logger.exception("audit_head_not_signed", organization_id=str(organization_id), error=type(error).__name__)
    return signed


async def sign_heads_until(container: AsyncContainer, stop: asyncio.Event, every: timedelta = EVERY) -> None:
    """Look for what is due now and then, until *stop* is set. Several workers may do so: one head more does no harm."""
    while not stop.is_set():
        try:
            _logger.info("audit_heads_signed", heads=await sign_due_heads(container))
        except Exception as error:
            _logger.exception("audit_heads_not_signed", error=type(error).__name__)
        try:
            async with asyncio.timeout(every.total_seconds()):
                await stop.wait()
        except TimeoutError:
            continue


async def every_organization(directory: OrganizationDirectory) -> list[OrganizationId]:
    found: list[OrganizationId] = []
    cursor = None
    while True:
        page = await directory.page("", Paging(limit=LARGEST_PAGE, cursor=cursor))
        found += [one.id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found
