"""Begin an offer to a customer."""

from dataclasses import dataclass, field

from src.application.ports.clock import Clock, IdFactory
from src.application.quoting.drafting import Desk, DraftInput, check_costs, new_content
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote, quote_number
from src.domain.quoting.revision import Revision
from src.domain.shared.ids import CustomerId, QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateQuoteCommand:
    customer_id: CustomerId
    draft: DraftInput = field(default_factory=DraftInput)


class CreateQuote:
    """A new draft with its number. Raises CustomerNotFound, CustomerDeleted, ContactNotFound, ProductNotFound, ProductArchived,
    PermissionMissing, PriceNotFound, CouponUnknown, CouponNotValid, CouponExpired, CouponExhausted, Invalid.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateQuoteCommand) -> Quote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EDIT_QUOTES) as uow:
            check_costs(actor, command.draft.lines)
            customer = await uow.customers.get(command.customer_id)
            customer.check_here()
            desk = Desk(uow=uow, ids=self._ids, customer=customer, now=now)
            content = await new_content(desk, actor.name, command.draft)
            quote_id, year = QuoteId(self._ids.new()), now.astimezone(content.zone).year
            draft = Revision.draft(number=1, content=content, by=actor.person, at=now)
            await uow.quotes.add_draft(quote_id, draft)
            number = quote_number(year, await uow.quotes.next_number(year))
            quote = await uow.quotes.save(
                Quote.of_draft(draft, quote_id=quote_id, number=number, customer_id=customer.id)
            )
            await uow.commit()
        return quote
