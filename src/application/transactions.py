"""The one door to a unit of work: nobody passes without naming a permission."""

from contextlib import AbstractAsyncContextManager

from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.identity.actor import Actor, Permission


class Transactions:
    """Opens units of work for use cases."""

    def __init__(self, open_unit_of_work: OpenUnitOfWork) -> None:
        self._open = open_unit_of_work

    def begin(self, actor: Actor, permission: Permission) -> AbstractAsyncContextManager[UnitOfWork]:
        """The actor's unit of work. Raises PermissionMissing."""
        actor.require(permission)
        return self._open(actor)
