"""A sent revision for machines: what the buyer sees, as data and as UBL."""

import asyncio
from dataclasses import dataclass

from src.application.ports.documents import QuotationWriter, QuoteDocument
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.stored_document import DocumentNotReady
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.allowances import taxed_allowances
from src.domain.quoting.content import QuoteContent
from src.domain.quoting.errors import RevisionNotFound
from src.domain.quoting.explanation import Explanation
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class SentOffer:
    """One sent revision, frozen, and how its figures came about."""

    document: QuoteDocument
    content: QuoteContent
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotationFile:
    """UBL XML in UTF-8."""

    file_name: str
    content: bytes


class GetSentOffer:
    """*revision* None is the current one. Raises QuoteNotFound, RevisionNotFound, DocumentNotReady."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int | None = None) -> SentOffer:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            return await _sent(uow, quote_id, revision)


class GetQuotation:
    """As UBL. Raises what GetSentOffer raises, and NotEn16931Exact when the figures do not allow it."""

    def __init__(self, transactions: Transactions, writer: QuotationWriter) -> None:
        self._transactions, self._writer = transactions, writer

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int | None = None) -> QuotationFile:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            offer = await _sent(uow, quote_id, revision)
        # In a thread: ten thousand lines take a while, and others are waiting.
        return await asyncio.to_thread(self._written, offer)

    def _written(self, offer: SentOffer) -> QuotationFile:
        document = offer.document
        allowances = taxed_allowances(offer.content, document.calculation, offer.explanation)
        content = self._writer.write(document, offer.content, allowances)
        return QuotationFile(file_name=f"{document.number}-{document.revision}.xml", content=content)


async def _sent(uow: UnitOfWork, quote_id: QuoteId, number: int | None) -> SentOffer:
    quote = await uow.quotes.get(quote_id)
    wanted = quote.current.number if number is None else number
    found = next((revision for revision in quote.revisions if revision.number == wanted), None)
    if found is None:
        raise RevisionNotFound("The quote has no such revision.")
    if found.sent_at is None:
        raise DocumentNotReady("This revision was not sent; there is nothing for a buyer to read yet.")
    if found.explanation_digest is None:
        explanation = found.explained()
    else:
        explanation = await uow.quotes.explanation(quote_id, wanted, found.explanation_digest)
    return SentOffer(document=QuoteDocument.of(quote, wanted), content=found.content, explanation=explanation)
