"""The one door to a unit of work: nobody passes without naming a permission."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from src.application.ports.clock import Clock
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.identity.actor import Actor, ActorKind, Permission
from src.domain.shared.errors import Forbidden
from src.domain.shared.events import DomainEvent

# Jobs and operators ask for nothing that they may not; a login that fails is told by itself, at its own pace.
_TOLD: Final = frozenset({ActorKind.USER, ActorKind.API_KEY})


class Transactions:
    """Opens units of work for use cases."""

    def __init__(self, open_unit_of_work: OpenUnitOfWork) -> None:
        self._open = open_unit_of_work

    def begin(self, actor: Actor, permission: Permission) -> AbstractAsyncContextManager[UnitOfWork]:
        """The actor's unit of work. Raises PermissionMissing."""
        actor.require(permission)
        return self._open(actor)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessDenied(DomainEvent):
    """*permission* is what was needed to come in; *reason* is the error's code, which may be about something else."""

    action = "access.denied"
    resource_type: str = "organization"
    permission: Permission
    reason: str


class AuditedTransactions(Transactions):
    """Leaves an entry where somebody is denied something, be it at the door or by a rule behind it."""

    def __init__(self, open_unit_of_work: OpenUnitOfWork, clock: Clock) -> None:
        super().__init__(open_unit_of_work)
        self._clock = clock

    def begin(self, actor: Actor, permission: Permission) -> AbstractAsyncContextManager[UnitOfWork]:
        return self._begin(actor, permission)

    @asynccontextmanager
    async def _begin(self, actor: Actor, permission: Permission) -> AsyncIterator[UnitOfWork]:
        try:
            async with super().begin(actor, permission) as uow:
                yield uow
        except Forbidden as error:
            if actor.kind in _TOLD:
                await self._tell(actor, permission, error)
            raise

    async def _tell(self, actor: Actor, permission: Permission, error: Forbidden) -> None:
        """In a unit of work of its own, since the one that was denied has been undone, and whatever key came with it."""
        teller = replace(actor, origin=replace(actor.origin, once=None))
        async with self._open(teller) as uow:
            uow.record(
                AccessDenied(
                    resource_id=actor.organization_id, at=self._clock.now(), permission=permission, reason=error.code
                )
            )
            await uow.commit()
