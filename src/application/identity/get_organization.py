"""The actor's own organisation."""

from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.organization import Organization


class GetOrganization:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Organization:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.organizations.current()


class DescribeActor:
    """The organisation that the actor is in, for whoever may at least own an account: also before the second factor is there."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Organization:
        permission = Permission.OWN_ACCOUNT if actor.api_key_id is None else Permission.VIEW_ORGANIZATION
        async with self._transactions.begin(actor, permission) as uow:
            return await uow.organizations.current()
