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
