"""Read the audit chain."""

from src.application.ports.audit import AuditFilter
from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.audit.entry import AuditEntry
from src.domain.identity.actor import Actor, Permission


class ListAuditEntries:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: AuditFilter, paging: Paging) -> Page[AuditEntry]:
        async with self._transactions.begin(actor, Permission.VIEW_AUDIT) as uow:
            actor.require(Permission.VIEW_COSTS)  # Entries tell them, and what is hashed cannot be told in part.
            return await uow.audit.page(criteria, paging)
