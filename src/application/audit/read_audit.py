"""Read the audit chain and prove it."""

from collections.abc import Callable

from src.application.ports.audit import AuditFilter
from src.application.ports.paging import Page, Paging
from src.application.transactions import Transactions
from src.domain.audit.chain import Verification, Verifier
from src.domain.audit.entry import AuditEntry
from src.domain.identity.actor import Actor, Permission


class ListAuditEntries:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: AuditFilter, paging: Paging) -> Page[AuditEntry]:
        async with self._transactions.begin(actor, Permission.VIEW_AUDIT) as uow:
            return await uow.audit.page(criteria, paging)


class VerifyAudit:
    """Replay the organisation's whole chain; *on_progress* hears how many entries are done, and of how many."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, on_progress: Callable[[int, int], None] | None = None) -> Verification:
        async with self._transactions.begin(actor, Permission.VIEW_AUDIT) as uow:
            head = await uow.audit.head()
            verifier = Verifier(actor.organization_id)
            async for entry in uow.audit.stream():
                # Entries that others append meanwhile lie behind the head that was read.
                if entry.sequence > head.sequence or not verifier.take(
                    entry.sequence, entry.previous_hash, entry.record.text, entry.hash
                ):
                    break
                if not entry.record.agrees_with_its_text():
                    verifier.refuse(entry.sequence)
                    break
                if on_progress is not None:
                    on_progress(entry.sequence, head.sequence)
        return verifier.finish(head)
