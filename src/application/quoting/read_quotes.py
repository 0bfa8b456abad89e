"""Look at quotes."""

from dataclasses import dataclass

from src.application.approvals.subjects.quote import KIND
from src.application.ports.paging import Page, Paging
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.transactions import Transactions
from src.domain.approvals.request import ApprovalRequest
from src.domain.audit.entry import AuditEntry
from src.domain.identity.actor import Actor, Permission
from src.domain.messaging.message import Message
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import QuoteId


class GetQuote:
    """Raises QuoteNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> Quote:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            return await uow.quotes.get(quote_id)


class ListQuotes:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: QuoteFilter, paging: Paging) -> Page[QuoteSummary]:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            return await uow.quotes.page(criteria, paging)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteTimeline:
    """Everything that happened to a quote, oldest first, with its approvals and mails as they stand now."""

    entries: tuple[AuditEntry, ...]
    approvals: tuple[ApprovalRequest, ...]
    messages: tuple[Message, ...]


class GetQuoteTimeline:
    """Raises QuoteNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> QuoteTimeline:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            await uow.quotes.get(quote_id)
            approvals = tuple(await uow.approvals.of_subject(KIND, quote_id))
            messages = tuple(await uow.messages.of_quote(quote_id))
            # Last, so that no state is shown whose entry is missing: others commit between these reads.
            entries = tuple(await uow.audit.of_resource("quote", quote_id))
        return QuoteTimeline(entries=entries, approvals=approvals, messages=messages)
