"""What submitting a quote would ask for, and why; nothing is stored."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from src.application.approvals.desk import Outlook, People, look_ahead
from src.application.approvals.subjects import quote as quotes
from src.application.ports.clock import Clock
from src.application.ports.unit_of_work import UnitOfWork
from src.application.quoting.submit_quote import exchange_rate, explained
from src.application.transactions import Transactions
from src.domain.approvals.conditions import FactValue
from src.domain.approvals.request import Submission
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.content import FrozenRate
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.errors import DomainError
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPreview:
    """*facts* are those that would be judged."""

    quote: Quote
    facts: dict[str, FactValue]
    outlook: Outlook


class PreviewApproval:
    """As if the actor submitted the current revision now. Raises QuoteNotFound, ExchangeRateMissing."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> ApprovalPreview:
        version, explanation_digest = None, ""
        while True:
            async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
                quote = await uow.quotes.get(quote_id)
                if quote.current.content_digest or quote.version == version:
                    return await self._preview(uow, actor, quote, explanation_digest)
            # Outside of a transaction and beside the event loop: for thousands of lines this takes a while. Who edits
            # the quote meanwhile makes it come round again, so that all of a preview is about one version.
            version, (_, explanation_digest) = quote.version, await asyncio.to_thread(explained, quote)

    def _digest(
        self, quote: Quote, actor: Actor, rate: FrozenRate | None, now: datetime, explanation_digest: str
    ) -> str:
        """That of what would be submitted; of the draft as it is where it cannot be."""
        try:
            submitted = quote.submit(
                by=actor.person,
                at=now,
                needs_approval=True,
                explanation_digest=explanation_digest,
                exchange_rate=rate,
            )
        except DomainError:
            return quote.current.digest(quote.number)
        return submitted.after.current.content_digest or ""

    async def _preview(self, uow: UnitOfWork, actor: Actor, quote: Quote, explanation_digest: str) -> ApprovalPreview:
        people, current = await People.read(uow, self._clock.now()), quote.current
        drafted = current.status is QuoteStatus.DRAFT
        rate = await exchange_rate(uow, quote, people) if drafted else current.content.exchange_rate
        facts = await quotes.facts_about(uow, quote, rate)
        digest = current.content_digest or self._digest(quote, actor, rate, people.now, explanation_digest)
        submission = Submission(
            subject=quotes.subject_of(quote),
            content_digest=digest,
            submitted_by=current.submitted_by or actor.person,
            last_edited_by=current.last_edited_by,
            facts=facts,
        )
        outlook = await look_ahead(uow, quotes.SUBJECT, submission, people)
        return ApprovalPreview(quote=quote, facts=facts, outlook=outlook)
