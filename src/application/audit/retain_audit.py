"""Remove what is old enough from a chain: archived, signed and told, so that the rest still verifies."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from src.application.audit.sign_heads import ChainBroken
from src.application.audit.verify_audit import VerifyAudit, VerifyAuditCommand, proven, trusted_anchor
from src.application.audit_table import AUDIT, audit_row
from src.application.ports.audit import AuditArchives, AuditPartitions, EmptyMonths, HeadSigner, HeadStore
from src.application.ports.clock import Clock
from src.application.ports.documents import SpreadsheetFormat, SpreadsheetWriter
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.audit.retention import EntriesRemoved, NotCovered, RetentionAnchor, first_month_kept
from src.domain.audit.signed_head import SignedHead
from src.domain.audit.verification import AuditLink
from src.domain.documents.export import ExportFormat
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import UserId

_AT_ONCE: Final = 5000  # Entries in one transaction: a fraction of a second, so that nobody waits for long.


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPlan:
    """The entries behind *base*, up to *upto*, all of months before *before*; None where there are none to remove.

    *uncovered*: so many more would be old enough, but no head that this installation has signed, and that is kept elsewhere,
    lies at or behind them.
    """

    before: date
    base: ChainHead
    upto: ChainHead | None
    uncovered: int

    @property
    def entries(self) -> int:
        return 0 if self.upto is None else self.upto.sequence - self.base.sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    plan: RetentionPlan
    anchor: RetentionAnchor | None
    elsewhere: Sequence[SignedHead]

    @property
    def heads(self) -> Mapping[int, str]:
        """The hashes of the heads that are kept elsewhere, by sequence."""
        return {one.head.sequence: one.head.hash for one in self.elsewhere}


class RetainAudit:
    """Keep whole months for a number of months, and remove what is older. For operators only.

    The chain is proven first, from its beginning or its last anchor, through every head that is kept elsewhere: what the
    database keeps of them its owner can take away. *heads* are others that were kept. Then the entries are written into an archive, which is
    proven as well; only then an anchor is signed and told, and what it covers removed. Where it breaks off behind the
    anchor, the next time goes on.
    """

    def __init__(
        self,
        transactions: Transactions,
        verify: VerifyAudit,
        signer: HeadSigner,
        store: HeadStore,
        spreadsheets: SpreadsheetWriter,
        archives: AuditArchives,
        partitions: AuditPartitions,
        clock: Clock,
    ) -> None:
        self._transactions, self._verify = transactions, verify
        self._signer, self._store = signer, store
        self._spreadsheets, self._archives, self._partitions = spreadsheets, archives, partitions
        self._clock = clock

    async def plan(self, actor: Actor, months: int, heads: Sequence[SignedHead] = ()) -> RetentionPlan:
        """What would be removed. Raises RetentionTooShort, ChainBroken for an anchor that is not ours, StorageUnavailable."""
        return (await self._known(actor, months, heads)).plan

    async def __call__(
        self, actor: Actor, months: int, path: Path, heads: Sequence[SignedHead] = ()
    ) -> RetentionAnchor | None:
        """The anchor of what was archived at *path* and removed; None where nothing was old enough.

        Raises RetentionTooShort, ChainBroken, NotCovered, AnchorTaken, StorageUnavailable; HeadRefused for a head among
        *heads* that is not ours, and for what is kept with the heads and is none.
        """
        known = await self._known(actor, months, heads)
        plan, anchor = known.plan, None
        if plan.uncovered and not known.elsewhere:
            raise NotCovered(
                "No head of this chain that this installation has signed is kept elsewhere: sign one first."
            )
        if plan.upto is not None:
            verification = await self._verify(actor, VerifyAuditCommand(heads=known.elsewhere))
            if not verification.intact:
                raise ChainBroken(f"The audit chain is broken, and nothing of it is removed. {verification.problem}")
            anchor = self._signer.sign_anchor(
                actor.organization_id, plan.upto, plan.entries, plan.before, self._clock.now()
            )
            await self._keep(actor, anchor, await self._archive(actor, known, anchor, path))
        await self._remove(actor, anchor or known.anchor)
        return anchor

    async def drop_empty_months(self, months: int) -> EmptyMonths:
        """Give up the months that hold nobody's entries any more."""
        return await self._partitions.drop_empty(self._before(months))

    def _before(self, months: int) -> date:
        return first_month_kept(self._clock.now().astimezone(UTC).date(), months)

    async def _known(self, actor: Actor, months: int, heads: Sequence[SignedHead]) -> _Known:
        before = self._before(months)
        async with self._transactions.begin(actor, Permission.RETAIN_AUDIT) as uow:
            anchor, forged = await trusted_anchor(uow, self._signer)
        if forged is not None:
            raise ChainBroken(f"This installation has not signed the anchor of entry {forged.head.sequence}.")
        base = ChainHead() if anchor is None else anchor.head
        elsewhere = [*heads, *[one async for one in self._kept_from(actor, base.sequence)]]
        async with self._transactions.begin(actor, Permission.RETAIN_AUDIT) as uow:
            last = await uow.audit.last_before(before, max(_signed_before(before, elsewhere), base.sequence))
        plan = _plan(before, base, last or base, {one.head.sequence: one.head.hash for one in elsewhere})
        return _Known(plan=plan, anchor=anchor, elsewhere=elsewhere)

    async def _kept_from(self, actor: Actor, base: int) -> AsyncIterator[SignedHead]:
        """Our heads that are kept elsewhere, but for those of entries that have been removed already."""
        async with aclosing(self._store.kept(actor.organization_id)) as kept:
            async for signed in kept:
                if signed.head.sequence < base:
                    return
                if self._signer.is_ours(signed):
                    yield signed

    async def _archive(self, actor: Actor, known: _Known, anchor: RetentionAnchor, path: Path) -> str:
        """Write what goes, and prove what was written, before anything says that it is gone; the file's SHA-256."""
        base, unfinished = known.plan.base, path.with_name(f"{path.name}.unfinished")
        async with self._transactions.begin(actor, Permission.RETAIN_AUDIT) as uow:
            entries = _entries(uow, base.sequence, anchor.head.sequence)
            rows = (audit_row(entry, ExportFormat.JSON_LINES) async for entry in entries)
            await self._spreadsheets.write(unfinished, SpreadsheetFormat.JSON_LINES, AUDIT, rows, "Audit")
        archived = proven(actor.organization_id, self._archives.read(unfinished), base, anchor, known.heads)
        if not archived.intact:
            raise ChainBroken(f"The archive is not what the chain says, and nothing is removed. {archived.problem}")
        return await asyncio.to_thread(self._archives.keep, unfinished, path)

    async def _keep(self, actor: Actor, anchor: RetentionAnchor, archive_sha256: str) -> None:
        async with self._transactions.begin(actor, Permission.RETAIN_AUDIT) as uow:
            await uow.audit.keep_anchor(anchor)
            uow.record(
                EntriesRemoved(
                    resource_id=actor.organization_id,
                    at=anchor.retained_at,
                    sequence=anchor.head.sequence,
                    hash=anchor.head.hash,
                    entries=anchor.entries,
                    before=f"{anchor.before:%Y-%m}",
                    archive_sha256=archive_sha256,
                    key_id=anchor.key_id,
                )
            )
            await uow.commit()

    async def _remove(self, actor: Actor, anchor: RetentionAnchor | None) -> None:
        removed = 1
        while anchor is not None and removed:
            async with self._transactions.begin(actor, Permission.RETAIN_AUDIT) as uow:
                removed = await uow.audit.remove(anchor.head.sequence, _AT_ONCE)
                await uow.commit()


def _signed_before(month: date, heads: Sequence[SignedHead]) -> int:
    """The last entry that was there before *month* began, as the heads say, whatever its own time is; 0 for none."""
    begin = datetime(month.year, month.month, 1, tzinfo=UTC)
    return max((one.head.sequence for one in heads if one.signed_at < begin), default=0)


def _plan(before: date, base: ChainHead, last: ChainHead, heads: Mapping[int, str]) -> RetentionPlan:
    """*last* is the last entry that is old enough."""
    newest = max(heads, default=0)
    upto = last if newest >= last.sequence else ChainHead(newest, heads.get(newest, ""))
    removable = upto.sequence > base.sequence
    left = last.sequence - (upto if removable else base).sequence
    return RetentionPlan(before=before, base=base, upto=upto if removable else None, uncovered=max(left, 0))


async def _entries(uow: UnitOfWork, after: int, upto: int) -> AsyncIterator[AuditEntry]:
    async with aclosing(uow.audit.links(after, upto)) as batches:
        async for links in batches:
            for link in links:
                yield _entry_of(AuditLink._make(link))


def _entry_of(link: AuditLink) -> AuditEntry:
    record = AuditRecord(
        at=datetime.fromisoformat(link.at),
        action=link.action,
        resource_type=link.resource_type,
        resource_id=UUID(link.resource_id),
        actor_kind=link.actor_kind,
        user_id=None if link.user_id is None else UserId(UUID(link.user_id)),
        text=link.text,
    )
    month = date.fromisoformat(f"{link.month}-01")
    return AuditEntry(
        sequence=link.sequence, record=record, previous_hash=link.previous_hash, hash=link.hash, month=month
    )
