"""Change a draft."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.quoting.drafting import DraftInput, edited_content
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import Verb
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class EditQuoteCommand:
    """*expected_version* is the version that the editor looked at; None does not ask."""

    quote_id: QuoteId
    draft: DraftInput
    expected_version: int | None = None


class EditQuote:
    """Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, ContactNotFound, ProductNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: EditQuoteCommand) -> Quote:
        async with self._transactions.begin(actor, Permission.EDIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            quote.current.check(Verb.EDIT)
            customer = await uow.customers.get(quote.customer_id)
            content = await edited_content(uow, self._ids, customer, quote.current.content, command.draft)
            edited = await uow.quotes.save(quote.edit(content, by=actor.person, at=self._clock.now()))
            await uow.commit()
        return edited
