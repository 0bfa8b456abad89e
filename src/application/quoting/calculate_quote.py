"""Price an offer without storing anything."""

from src.application.ports.clock import Clock, IdFactory
from src.application.quoting.drafting import DraftInput, new_content
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.calculator import calculate
from src.domain.shared.ids import CustomerId


class CalculateQuote:
    """What the draft would come to, with the same rules as a stored one. Raises CustomerNotFound, ProductNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, customer_id: CustomerId | None, draft: DraftInput) -> Calculation:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            customer = None if customer_id is None else await uow.customers.get(customer_id)
            content = await new_content(uow, self._ids, customer, actor.name, draft, self._clock.now())
        return calculate(content.pricing())
