"""The end of an offer, and the word to its seller before it."""

from typing import Final
from uuid import UUID

from src.application.ports.clock import Clock
from src.application.ports.mail import Email, Mailer, MailRefused, MailTemplates, ReminderMail
from src.application.prices.coupons import save_quote
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.events import QuoteExpiryReminded
from src.domain.quoting.validity import is_over
from src.domain.shared.ids import QuoteId

# The database makes these jobs, for what is due: see jobs.run_schedules().
EXPIRE_QUOTE: Final = "expire_quote"
REMIND_OF_EXPIRY: Final = "remind_of_expiry"


class ExpireQuote:
    """What was sent and is over becomes expired, and its coupons are free again. It may be repeated, and may come late:
    nothing is accepted that is over, whether or not this has run. Raises QuoteNotFound.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> None:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.EXPIRE_QUOTES) as uow:
            quote = await uow.quotes.lock(quote_id)
            sent = quote.sent
            if sent is None or not is_over(sent.content.valid_until, sent.content.time_zone, now):
                return  # Accepted, replaced, or extended meanwhile.
            await save_quote(uow, quote.expire(at=now))
            await uow.commit()


class RemindOfExpiry:
    """Tell the owner of an offer that it ends soon and nobody has answered. A doubled mail has the same Message-ID.

    Raises QuoteNotFound, MailDeferred.
    """

    def __init__(self, transactions: Transactions, templates: MailTemplates, mailer: Mailer, clock: Clock) -> None:
        self._transactions, self._templates = transactions, templates
        self._mailer, self._clock = mailer, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId, job_id: UUID) -> None:
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            quote = await uow.quotes.get(quote_id)
            organization, owner = await uow.organizations.current(), await uow.users.get(quote.owner_id)
        sent = quote.sent
        if sent is None or not (owner.active and organization.active):
            return
        if is_over(sent.content.valid_until, sent.content.time_zone, self._clock.now()):
            return
        told = ReminderMail(
            number=quote.number,
            title=sent.content.title,
            customer=sent.content.buyer.name,
            valid_until=sent.content.valid_until,
            organization=organization.party.name,
            name=owner.name,
            locale=organization.locale,
        )
        composed = self._templates.reminder(told)
        email = Email.to_user(owner, organization, composed, f"reminder.{job_id}")
        try:
            answer = await self._mailer.send(email)
        except MailRefused as refused:
            answer = f"Refused: {refused}"  # Another attempt is pointless.
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            reminded = QuoteExpiryReminded(
                resource_id=quote.id,
                at=self._clock.now(),
                revision=sent.number,
                valid_until=sent.content.valid_until.isoformat(),
                answer=answer,
            )
            uow.record(reminded)
            await uow.commit()
