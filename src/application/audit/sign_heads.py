"""Sign heads and keep them out of the database's reach: on demand, and every day."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from src.application.audit.verify_audit import VerifyAudit, VerifyAuditCommand
from src.application.ports.audit import HeadSigner, HeadStore
from src.application.ports.clock import Clock
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead
from src.domain.audit.signed_head import HeadSigned, SignedHead
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import Conflict

DAILY: Final = timedelta(days=1)


class ChainBroken(Conflict):
    """A chain that does not verify is not signed."""

    code = "audit_chain_broken"


class SignAuditHead:
    """Prove what was added since the last signed head, then sign the new one, keep it elsewhere, and audit that.

    With *unless_within* None is the answer where a head was signed so recently, or where nothing has happened since.
    Raises ChainBroken, StorageUnavailable.
    """

    def __init__(
        self, transactions: Transactions, verify: VerifyAudit, signer: HeadSigner, store: HeadStore, clock: Clock
    ) -> None:
        self._transactions, self._verify = transactions, verify
        self._signer, self._store, self._clock = signer, store, clock

    async def now(self, actor: Actor) -> SignedHead:
        return await self._sign(actor, await self._newest(actor))

    async def if_due(self, actor: Actor, every: timedelta = DAILY) -> SignedHead | None:
        newest = await self._newest(actor)
        if newest is not None:
            async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
                head = await uow.audit.head()
            if head.sequence < newest.head.sequence:
                raise ChainBroken(
                    f"The audit chain ends at {head.sequence}, and a head of {newest.head.sequence} has been signed."
                )
            # Only its own entry has come since: signing on and on would be all that ever happens.
            idle = head.sequence <= newest.head.sequence + 1
            if idle or self._clock.now() - newest.signed_at < every:
                return None
        return await self._sign(actor, newest)

    async def _newest(self, actor: Actor) -> SignedHead | None:
        async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
            ours = [signed for signed in await uow.audit.signed_heads() if self._signer.is_ours(signed)]
        return ours[-1] if ours else None

    async def _sign(self, actor: Actor, newest: SignedHead | None) -> SignedHead:
        after: ChainHead | None = None if newest is None else newest.head
        verification = await self._verify(actor, VerifyAuditCommand(after=after))
        if not verification.intact:
            raise ChainBroken(f"The audit chain is broken, and its head is not signed. {verification.problem}")
        signed = self._signer.sign(actor.organization_id, verification.head, self._clock.now())
        # First: a head that only others know is still a true one, while one that only the database knows proves nothing.
        await self._store.put(signed)
        async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
            await uow.audit.keep_head(signed)
            uow.record(
                HeadSigned(
                    resource_id=actor.organization_id,
                    at=signed.signed_at,
                    sequence=signed.head.sequence,
                    hash=signed.head.hash,
                    key_id=signed.key_id,
                )
            )
            await uow.commit()
        return signed


class ListSignedHeads:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[SignedHead]:
        """By sequence."""
        async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
            return await uow.audit.signed_heads()
