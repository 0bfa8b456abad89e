"""Sign heads and keep them out of the database's reach: on demand, and every day."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Final

from src.application.audit.verify_audit import VerifyAudit, VerifyAuditCommand
from src.application.ports.audit import HeadSigner, HeadStore
from src.application.ports.clock import Clock
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead
from src.domain.audit.signed_head import HeadSigned, SignedHead
from src.domain.audit.verification import Verification
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import Conflict

DAILY: Final = timedelta(days=1)


class ChainBroken(Conflict):
    """A chain that does not verify is not signed."""

    code = "audit_chain_broken"


class SignAuditHead:
    """Prove what was added since the last signed head, then sign the new one, keep it elsewhere, and audit that.

    The newest head that is kept elsewhere is asked as well: the database's owner can take away those that are kept here, but
    a chain that was written anew, or cut off, does not go through that one.

    Raises ChainBroken, StorageUnavailable, and HeadRefused where something else lies among the heads that are kept elsewhere.
    """

    def __init__(
        self, transactions: Transactions, verify: VerifyAudit, signer: HeadSigner, store: HeadStore, clock: Clock
    ) -> None:
        self._transactions, self._verify = transactions, verify
        self._signer, self._store, self._clock = signer, store, clock

    async def now(self, actor: Actor) -> SignedHead:
        verification, _ = await self._proven(actor, await self._newest_here(actor))
        return await self._sign(actor, verification.head)

    async def if_due(self, actor: Actor, every: timedelta = DAILY) -> SignedHead | None:
        """None where a head was signed so recently, or where nothing has happened since."""
        here = await self._newest_here(actor)
        if here is not None and self._clock.now() - here.signed_at < every:
            return None
        verification, newest = await self._proven(actor, here)
        # Only its own entry has come since: signing on and on would be all that ever happens.
        if newest is not None and verification.head.sequence <= newest.head.sequence + 1:
            return None
        return await self._sign(actor, verification.head)

    async def _newest_here(self, actor: Actor) -> SignedHead | None:
        async with self._transactions.begin(actor, Permission.VERIFY_AUDIT) as uow:
            ours = [signed for signed in await uow.audit.signed_heads() if self._signer.is_ours(signed)]
        return ours[-1] if ours else None

    async def _newest_elsewhere(self, actor: Actor) -> SignedHead | None:
        async with aclosing(self._store.kept(actor.organization_id)) as kept:
            async for signed in kept:
                if self._signer.is_ours(signed):
                    return signed
        return None

    async def _proven(self, actor: Actor, here: SignedHead | None) -> tuple[Verification, SignedHead | None]:
        """The chain up to its head, and the newest head that it goes through."""
        elsewhere = await self._newest_elsewhere(actor)  # First: whatever is kept by now, the chain has by then.
        after: ChainHead | None = None if here is None else here.head
        heads = () if elsewhere is None else (elsewhere,)
        verification = await self._verify(actor, VerifyAuditCommand(after=after, heads=heads))
        if not verification.intact:
            raise ChainBroken(f"The audit chain is broken, and its head is not signed. {verification.problem}")
        known = [one for one in (here, elsewhere) if one is not None]
        return verification, max(known, key=lambda one: one.head.sequence, default=None)

    async def _sign(self, actor: Actor, head: ChainHead) -> SignedHead:
        signed = self._signer.sign(actor.organization_id, head, self._clock.now())
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
