"""Ask for the approvals that the organisation's policies want."""

import asyncio
from dataclasses import dataclass
from typing import Final

from src.application.approvals.desk import ApprovalDesk, People, look_ahead
from src.application.approvals.subjects import quote as quotes
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.coupons import save_quote
from src.application.prices.pricebook import Pricebook
from src.application.prices.staleness import check_prices, products_of
from src.application.transactions import Transactions
from src.domain.approvals.request import Submission
from src.domain.catalog.exchange_rate import ExchangeRateMissing
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.content import FrozenRate
from src.domain.quoting.errors import PricesStale
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import Verb
from src.domain.shared.canonical import canonical_text, decimal_text, digest_of_text
from src.domain.shared.errors import FieldError
from src.domain.shared.ids import QuoteId

# Lines of an offer that is explained at once, some 2 ms: longer ones beside the event loop, which costs as much again.
_SHORT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitQuoteCommand:
    """*keep_prices* insists on prices that the catalogue no longer has; it needs the permission."""

    quote_id: QuoteId
    keep_prices: bool = False
    expected_version: int | None = None


class SubmitQuote:
    """Freeze the draft with its explanation and its exchange rate; approved at once when no policy asks.

    Raises QuoteNotFound, QuoteChangedMeanwhile, InvalidTransition, QuoteHasNoLines, RecipientMissing, ValidityOver,
    PricesStale, PermissionMissing, ExchangeRateMissing, CouponExhausted, CouponExpired, NoEligibleApprover.
    """

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: SubmitQuoteCommand) -> Quote:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.SUBMIT_QUOTES) as uow:
            quote = await uow.quotes.lock(command.quote_id)
            quote.check_version(command.expected_version)
            quote.current.check(Verb.SUBMIT)
            kept = await self._check_prices(uow, quote, actor, keep=command.keep_prices)
            people = await People.read(uow, now)
            rate = await exchange_rate(uow, quote, people)
            explanation, explanation_digest = await _explained(quote)
            change = quote.submit(
                by=actor.person,
                at=now,
                needs_approval=True,
                explanation_digest=explanation_digest,
                exchange_rate=rate,
                kept_stale_prices=kept,
            )
            submission = await _submission(uow, change.after, actor, rate)
            outlook = await look_ahead(uow, quotes.SUBJECT, submission, people)
            if not outlook.steps:
                digest = submission.content_digest
                change = change.then(change.after.approve(at=now, expected_digest=digest, by_policy=False))
            submitted = await save_quote(uow, change)
            await uow.quotes.keep_explanation(quote.id, submitted.current.number, explanation)
            request = await ApprovalDesk(uow, actor, self._ids, people).ask(quotes.SUBJECT, submission, outlook)
            if request is not None and not request.live:
                submitted = await uow.quotes.get(quote.id)  # All that is needed was carried over.
            await uow.commit()
        return submitted

    async def _check_prices(self, uow: UnitOfWork, quote: Quote, actor: Actor, *, keep: bool) -> bool:
        """Whether stale prices are kept. Raises PricesStale unless *keep*, and PermissionMissing then."""
        content = quote.current.content
        products = products_of(content)
        if not products:
            return False
        customer = await uow.customers.get(quote.customer_id)
        pricebook = await Pricebook.read(uow, products, customer)
        day = content.pricing_date or quote.created_at.astimezone(content.zone).date()
        stale = check_prices(content, pricebook, day)
        if not stale:
            return False
        if keep:
            actor.require(Permission.KEEP_STALE_PRICES)
            return True
        raise PricesStale(
            "The catalogue has other prices by now: reprice the quote, or submit it with keep_prices.",
            lines=[
                {
                    "line_id": str(check.line_id),
                    "sku": check.sku,
                    "old": decimal_text(check.old_unit_price),
                    "new": None if check.source is None else decimal_text(check.source.unit_price),
                    "reasons": [reason.value for reason in check.reasons],
                }
                for check in stale[:100]
            ],
        )


async def _submission(uow: UnitOfWork, quote: Quote, actor: Actor, rate: FrozenRate | None) -> Submission:
    current = quote.current
    return Submission(
        subject=quotes.subject_of(quote),
        content_digest=current.content_digest or current.digest(quote.number),
        submitted_by=actor.person,
        last_edited_by=current.last_edited_by,
        facts=await quotes.facts_about(uow, quote, rate),
    )


async def _explained(quote: Quote) -> tuple[str, str]:
    if len(quote.current.content.lines) <= _SHORT:
        return explained(quote)
    return await asyncio.to_thread(explained, quote)


def explained(quote: Quote) -> tuple[str, str]:
    """How its figures came about, as canonical JSON, with the digest of that."""
    text = canonical_text(quote.current.explained())
    return text, digest_of_text(text)


async def exchange_rate(uow: UnitOfWork, quote: Quote, people: People) -> FrozenRate | None:
    """The rate to the organisation's currency; None for an offer in it. Raises ExchangeRateMissing."""
    content = quote.current.content
    target = people.organization.default_currency
    if content.currency == target:
        return None
    day = people.now.astimezone(content.zone).date()
    rate = await uow.exchange_rates.latest(content.currency, target, day)
    if rate is None:
        message = (
            f"There is no exchange rate from {content.currency} to {target} up to {day.isoformat()}; add one to the "
            "organisation's exchange rates."
        )
        raise ExchangeRateMissing(message, fields=(FieldError("currency", message),))
    return FrozenRate(base=rate.base, target=rate.target, rate=rate.rate, source=rate.source, as_of=rate.as_of)
