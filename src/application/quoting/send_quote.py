"""Issue the approved offer to the buyer."""

from dataclasses import dataclass

from src.application.delivery_jobs import queue_mails
from src.application.ports.clock import Clock, IdFactory
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.content import each_address_once
from src.domain.quoting.errors import RecipientMissing
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import Verb
from src.domain.shared.ids import QuoteId
from src.domain.shared.text import TextChecks

LONGEST_NOTE = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SendQuoteCommand:
    """*content_digest* is what the sender looked at (None does not ask); *note* is a sentence of theirs in the mail."""

    quote_id: QuoteId
    content_digest: str | None = None
    note: str = ""
    expected_version: int | None = None


class SendQuote:
    """Sent means legally issued: the PDF and the mails, to the recipient and to all copies, follow by jobs after the commit.

    Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, CustomerNotApproved, CustomerDeleted, ContentChanged,
    ValidityOver.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: SendQuoteCommand) -> Quote:
        checks = TextChecks()
        checks.paragraphs("note", command.note, longest=LONGEST_NOTE)
        checks.done()
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.SEND_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            quote.current.check(Verb.SEND)
            (await uow.customers.get(quote.customer_id)).check_may_be_sent_to()
            sent = await save_quote(uow, quote.send(at=now, expected_digest=command.content_digest))
            if sent.current.content.recipient is None:
                raise RecipientMissing.of(sent.number)
            people = each_address_once(sent.current.content.addressed)
            await queue_mails(uow, actor, self._ids, sent.id, sent.current.number, people, note=command.note, at=now)
            await uow.commit()
        return sent
