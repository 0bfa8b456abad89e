"""Price an offer without storing anything."""

from src.application.ports.clock import Clock, IdFactory
from src.application.quoting.drafting import Desk, DraftInput, check_costs, new_content
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.explaining import explain
from src.domain.quoting.explanation import Explanation
from src.domain.shared.ids import CustomerId


class CalculateQuote:
    """What the draft would come to and how, with the same rules as a stored one. Raises CustomerNotFound, ProductNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(
        self, actor: Actor, customer_id: CustomerId | None, draft: DraftInput
    ) -> tuple[Calculation, Explanation]:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            check_costs(actor, draft.lines)
            customer = None if customer_id is None else await uow.customers.get(customer_id)
            desk = Desk(uow=uow, ids=self._ids, customer=customer, now=self._clock.now())
            content = await new_content(desk, actor.name, draft)
        return explain(content.pricing(), content.price_sources())
