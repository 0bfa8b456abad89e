"""Writes that happen once: the answer is kept in the transaction that it tells of."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from src.adapters.postgres.audit import AuditedCommit
from src.adapters.postgres.tables import idempotency_keys
from src.adapters.postgres.transaction import Transaction
from src.domain.identity.actor import Actor
from src.domain.shared.once import HeldCommit, Replayed, StoredAnswer, WriteOnce, key_in_progress, key_reused

_TRY: Final = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:what, 1))")
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Claim:
    """One key of one actor: nobody else's request can meet it."""

    actor_id: UUID
    key: str
    fingerprint: str


def claim_of(actor: Actor, once: WriteOnce) -> Claim:
    return Claim(actor.api_key_id or actor.user_id or _NOBODY, once.key, once.fingerprint)


async def take_claim(transaction: Transaction, claim: Claim) -> None:
    """Go on when the key is new. Raises Replayed, KeyReused, KeyInProgress (at once, instead of waiting for the first)."""
    what = f"{transaction.organization_id}:{claim.actor_id}:{claim.key}"
    free = (await transaction.connection.execute(_TRY, {"what": what})).scalar_one()
    columns = idempotency_keys.c
    statement = select(columns.fingerprint, columns.status, columns.headers, columns.body).where(
        columns.organization_id == transaction.organization_id,
        columns.actor_id == claim.actor_id,
        columns.key == claim.key,
    )
    row = (await transaction.connection.execute(statement)).one_or_none()
    if row is None:
        if not free:
            raise key_in_progress()
        return
    if row.fingerprint != claim.fingerprint:
        raise key_reused()
    await transaction.connection.commit()
    await transaction.connection.reach_disk()  # Who answers first acknowledges: the other may still wait for it.
    headers = msgspec.json.decode(row.headers, type=tuple[tuple[str, str], ...])
    raise Replayed(StoredAnswer(status=row.status, headers=headers, body=row.body))


class HeldPostgresCommit(HeldCommit):
    """An open transaction that only waits for its answer and its commit. It must be finished or abandoned."""

    def __init__(self, transaction: Transaction, claim: Claim, commit: AuditedCommit) -> None:
        self._transaction, self._claim, self._commit = transaction, claim, commit

    async def finish(self, answer: StoredAnswer) -> None:
        try:
            await self._keep(answer)
            await self._commit.run()
        finally:
            await self._transaction.connection.close()

    async def abandon(self) -> None:
        await self._transaction.connection.close()

    async def _keep(self, answer: StoredAnswer) -> None:
        row = {
            "organization_id": self._transaction.organization_id,
            "actor_id": self._claim.actor_id,
            "key": self._claim.key,
            "fingerprint": self._claim.fingerprint,
            "status": answer.status,
            "headers": msgspec.json.encode(answer.headers).decode(),
            "body": answer.body,
            "created_at": datetime.now(UTC),
        }
        try:
            await self._transaction.connection.execute(insert(idempotency_keys), row)
        except IntegrityError:
            raise key_in_progress() from None  # Two at the same instant: the other one was quicker.
