"""Prove the audit chain, and archives of what retention has removed from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Final

from src.application.ports.audit import AuditArchives, HeadSigner
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead
from src.domain.audit.retention import ArchiveRefused, RetentionAnchor
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.audit.verification import AuditLink, Extent, Verification, Verifier
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import OrganizationId

_BATCH: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAuditCommand:
    """*after*: a head up to which the chain was proven before, to resume from. *limit*: at most so many entries.

    *heads* were kept elsewhere. *others*: organisations from whose chains an entry could have been moved here.
    """

    after: ChainHead | None = None
    limit: int | None = None
    heads: Sequence[SignedHead] = ()
    others: Sequence[OrganizationId] = ()


class VerifyAudit:
    """Replay the organisation's chain and hold it against its head, the heads that were signed, and those given.

    *on_progress* hears up to which head the proof is, and up to which sequence it will go. What was proven is on disk when it returns.
    Raises HeadRefused for a head that is not ours or not of this organisation.
    """

    def __init__(self, transactions: Transactions, signer: HeadSigner) -> None:
        self._transactions, self._signer = transactions, signer

    async def __call__(
        self,
        actor: Actor,
        command: VerifyAuditCommand | None = None,
        on_progress: Callable[[ChainHead, int], None] = lambda _, __: None,
    ) -> Verification:
        command = command or VerifyAuditCommand()
        for signed in command.heads:
            self._check(actor, signed)
        async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
            ground = await self._ground(uow, command)
            verifier = Verifier(actor.organization_id, ground.extent, ground.begin, ground.kept, ground.anchor)
            if not await _is_firm(uow, actor, ground, verifier):
                return verifier.result(complete=False)
            upto = ground.extent.head.sequence
            if command.limit is not None:
                upto = min(upto, ground.begin.sequence + command.limit)
            async with aclosing(uow.audit.links(ground.begin.sequence, upto)) as batches:
                async for links in batches:
                    if not verifier.take(links):
                        break
                    on_progress(verifier.head, upto)
            if verifier.failed:
                verifier.explain(await uow.audit.successor_of(verifier.head.hash), command.others)
            await uow.settle()  # Whoever keeps a proven head elsewhere must never be ahead of what a crash leaves here.
        return verifier.finish(upto)

    async def _ground(self, uow: UnitOfWork, command: VerifyAuditCommand) -> "_Ground":
        anchor, forged = await trusted_anchor(uow, self._signer)
        base = ChainHead() if anchor is None else anchor.head
        # Kept here too, signed with a key that the database does not have: what was not signed by us does not count.
        stored = [signed for signed in await uow.audit.signed_heads() if self._signer.is_ours(signed)]
        return _Ground(
            extent=replace(await uow.audit.extent(), base=base),
            # What was proven before retention removed it says no more than the anchor.
            begin=max(command.after or base, base, key=lambda head: head.sequence),
            heads=sorted((*stored, *command.heads), key=lambda signed: signed.head.sequence),
            anchor=anchor,
            forged=forged,
        )

    def _check(self, actor: Actor, signed: SignedHead) -> None:
        if signed.organization_id != actor.organization_id:
            raise HeadRefused("This head is another organisation's.")
        if not self._signer.is_ours(signed):
            raise HeadRefused(f"The head {signed.head.sequence} was not signed with a key of this installation.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What a chain is held against: replayed from *begin*, behind *anchor*, through *heads* in the order of their places.

    *forged* is an anchor that the installation has not signed.
    """

    extent: Extent
    begin: ChainHead
    heads: Sequence[SignedHead]
    anchor: RetentionAnchor | None
    forged: RetentionAnchor | None

    @property
    def kept(self) -> dict[int, str]:
        """The hash at each place that a head names."""
        return {signed.head.sequence: signed.head.hash for signed in self.heads}


class VerifyArchive:
    """Prove that a file holds what retention has removed from the chain: from one anchor to the next, through kept heads.

    Together with the chain behind its anchor that is the whole. Raises ArchiveRefused, HeadRefused.
    """

    def __init__(self, transactions: Transactions, signer: HeadSigner, archives: AuditArchives) -> None:
        self._transactions, self._signer, self._archives = transactions, signer, archives

    async def __call__(self, actor: Actor, path: Path, heads: Sequence[SignedHead] = ()) -> Verification:
        async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
            anchors = [one for one in await uow.audit.anchors() if self._signer.is_ours(one)]
            stored = [one for one in await uow.audit.signed_heads() if self._signer.is_ours(one)]
        links = self._archives.read(path)
        first = next(links, None)
        before = {0: ChainHead()} | {one.head.sequence: one.head for one in anchors}
        if first is None or first.sequence - 1 not in before:
            raise ArchiveRefused(f"{path.name} does not begin where retention has.")
        begin = before[first.sequence - 1]
        following = [one for one in anchors if one.head.sequence > begin.sequence]
        if not following:
            raise ArchiveRefused(f"Retention has removed nothing behind entry {begin.sequence}.")
        kept = {one.head.sequence: one.head.hash for one in (*stored, *heads)}
        return proven(actor.organization_id, chain([first], links), begin, following[0], kept)


def proven(
    organization_id: OrganizationId,
    links: Iterator[AuditLink],
    begin: ChainHead,
    anchor: RetentionAnchor,
    kept: Mapping[int, str],
) -> Verification:
    """Whether *links* lead from *begin* to *anchor*, through those of *kept* that lie between."""
    between = {
        place: entry_hash for place, entry_hash in kept.items() if begin.sequence < place <= anchor.head.sequence
    }
    extent = Extent(head=anchor.head, last=anchor.head.sequence)
    verifier = Verifier(organization_id, extent, begin, between, anchor)
    while batch := list(islice(links, _BATCH)):
        if not verifier.take(batch):
            break
    return verifier.finish()


async def _is_firm(uow: UnitOfWork, actor: Actor, ground: _Ground, verifier: Verifier) -> bool:
    """Whether there is anything to replay the chain against; *verifier* is told why not."""
    first, base, kept = ground.extent.first, ground.extent.base, ground.kept
    if ground.forged is not None:
        verifier.forged(ground.forged)
        return False
    if first is not None and first <= base.sequence and not await _leads_to(uow, actor, first, base):
        verifier.unled(first)
        return False
    differing = [
        *(one.head for one in ground.heads if kept[one.head.sequence] != one.head.hash),  # Two heads, one place.
        *await _differing(uow, ground.extent, ground.begin, kept),
    ]
    if differing:
        verifier.differs_at(differing[0].sequence)
    return not differing


async def _leads_to(uow: UnitOfWork, actor: Actor, first: int, base: ChainHead) -> bool:
    """Whether what is still there of what retention removes is the end of it: nobody else can write what leads to its hash."""
    verifier = None
    async with aclosing(uow.audit.links(first - 1, base.sequence)) as batches:
        async for links in batches:
            if verifier is None:
                begin = ChainHead(first - 1, links[0][1])
                verifier = Verifier(actor.organization_id, Extent(head=base, last=base.sequence), begin, {})
            if not verifier.take(links):
                break
    return verifier is not None and verifier.finish(base.sequence).intact


async def trusted_anchor(uow: UnitOfWork, signer: HeadSigner) -> tuple[RetentionAnchor | None, RetentionAnchor | None]:
    """The last anchor that the installation has signed, and the first that it has not."""
    anchors = await uow.audit.anchors()
    ours = [one for one in anchors if signer.is_ours(one)]
    return ours[-1] if ours else None, next((one for one in anchors if not signer.is_ours(one)), None)


async def _differing(uow: UnitOfWork, extent: Extent, begin: ChainHead, kept: dict[int, str]) -> list[ChainHead]:
    """Heads up to *begin* that the chain does not go through; those before the base cannot be looked at any more."""
    heads = {ChainHead(sequence, entry_hash) for sequence, entry_hash in kept.items()} | {begin}
    known = {extent.base, ChainHead()}
    wrong = []
    for head in sorted(heads - known, key=lambda head: head.sequence):
        if not extent.base.sequence <= head.sequence <= begin.sequence:
            continue
        if head.sequence == extent.base.sequence or await uow.audit.hash_at(head.sequence) != head.hash:
            wrong.append(head)
    return wrong
