"""Prove the audit chain."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from src.application.ports.audit import HeadSigner
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.audit.verification import Extent, Verification, Verifier
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import OrganizationId


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

    *on_progress* hears up to which head the proof is, and up to which sequence it will go. Raises HeadRefused for a head that is not ours or
    not of this organisation.
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
            extent = await uow.audit.extent()
            begin = command.after or extent.base
            # Kept here too, signed with a key that the database does not have: what was not signed by us does not count.
            stored = [signed for signed in await uow.audit.signed_heads() if self._signer.is_ours(signed)]
            heads = sorted((*stored, *command.heads), key=lambda signed: signed.head.sequence)
            kept = {signed.head.sequence: signed.head.hash for signed in heads}
            verifier = Verifier(actor.organization_id, extent, begin, kept)
            differing = [
                *(one.head for one in heads if kept[one.head.sequence] != one.head.hash),  # Two heads, one place.
                *await _differing(uow, extent, begin, kept),
            ]
            if differing:
                verifier.differs_at(differing[0].sequence)
                return verifier.result(complete=False)
            upto = extent.head.sequence
            if command.limit is not None:
                upto = min(upto, begin.sequence + command.limit)
            async with aclosing(uow.audit.links(begin.sequence, upto)) as batches:
                async for links in batches:
                    if not verifier.take(links):
                        break
                    on_progress(verifier.head, upto)
            if verifier.failed:
                verifier.explain(await uow.audit.successor_of(verifier.head.hash), command.others)
        return verifier.finish(upto)

    def _check(self, actor: Actor, signed: SignedHead) -> None:
        if signed.organization_id != actor.organization_id:
            raise HeadRefused("This head is another organisation's.")
        if not self._signer.is_ours(signed):
            raise HeadRefused(f"The head {signed.head.sequence} was not signed with a key of this installation.")


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
