"""What became of the mails of an offer."""

from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.messaging.message import AttemptGroup, attempt_groups
from src.domain.shared.ids import QuoteId


class GetDeliveries:
    """The attempt groups of a quote, by revision and in the order of their opening. Raises QuoteNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> tuple[AttemptGroup, ...]:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            await uow.quotes.get(quote_id)
            return attempt_groups(await uow.messages.of_quote(quote_id))
