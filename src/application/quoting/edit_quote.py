"""Change a draft."""

from dataclasses import dataclass

from src.application.ports.clock import Clock, IdFactory
from src.application.quoting.drafting import Desk, DraftInput, check_costs, edited_content
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
    """Lines that stay keep their prices: ``reprice`` takes those of the catalogue.

    Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, and what CreateQuote raises.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: EditQuoteCommand) -> Quote:
        async with self._transactions.begin(actor, Permission.EDIT_QUOTES) as uow:
            check_costs(actor, command.draft.lines)
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            quote.current.check(Verb.EDIT)
            customer = await uow.customers.get(quote.customer_id)
            now = self._clock.now()
            desk = Desk(uow=uow, ids=self._ids, customer=customer, now=now, held=quote.coupons_held())
            content = await edited_content(desk, quote.current.content, command.draft)
            edited = await uow.quotes.save(quote.edit(content, by=actor.person, at=now))
            await uow.commit()
        return edited
