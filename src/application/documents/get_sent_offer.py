"""A sent revision for machines: what the buyer sees, as data and as UBL."""

import asyncio
from dataclasses import dataclass

from src.application.ports.clock import Clock
from src.application.ports.documents import QuotationWriter, QuoteDocument
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.stored_document import DocumentNotReady
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.allowances import taxed_allowances
from src.domain.quoting.content import QuoteContent
from src.domain.quoting.explanation import Explanation
from src.domain.shared.events import DomainEvent
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


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDataRead(DomainEvent):
    """*form*: ``json`` or ``ubl``."""

    action = "quote.data_read"
    resource_type: str = "quote"
    revision: int
    form: str


class GetSentOffer:
    """Audited, because it leaves the house. *revision* None is the current one. Raises QuoteNotFound, RevisionNotFound, DocumentNotReady."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int | None = None) -> SentOffer:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            offer = await _sent(uow, quote_id, revision)
            uow.record(_read(quote_id, offer, "json", self._clock))
            await uow.commit()
        return offer


class GetQuotation:
    """As UBL. Raises what GetSentOffer raises, and NotEn16931Exact when the figures do not allow it."""

    def __init__(self, transactions: Transactions, writer: QuotationWriter, clock: Clock) -> None:
        self._transactions, self._writer, self._clock = transactions, writer, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int | None = None) -> QuotationFile:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            offer = await _sent(uow, quote_id, revision)
        # In a thread and outside of a transaction: ten thousand lines take a while, and others are waiting.
        file = await asyncio.to_thread(self._written, offer)
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            uow.record(_read(quote_id, offer, "ubl", self._clock))
            await uow.commit()
        return file

    def _written(self, offer: SentOffer) -> QuotationFile:
        document = offer.document
        allowances = taxed_allowances(offer.content, document.calculation, offer.explanation)
        content = self._writer.write(document, offer.content, allowances)
        return QuotationFile(file_name=f"{document.number}-{document.revision}.xml", content=content)


def _read(quote_id: QuoteId, offer: SentOffer, form: str, clock: Clock) -> QuoteDataRead:
    return QuoteDataRead(resource_id=quote_id, at=clock.now(), revision=offer.document.revision, form=form)


async def _sent(uow: UnitOfWork, quote_id: QuoteId, number: int | None) -> SentOffer:
    quote = await uow.quotes.get(quote_id)
    found = quote.current if number is None else quote.revision(number)
    if found.sent_at is None:
        raise DocumentNotReady(f"Revision {found.number} was not sent; there is nothing for a buyer to read yet.")
    if found.explanation_digest is None:
        explanation = found.explained()
    else:
        explanation = await uow.quotes.explanation(quote_id, found.number, found.explanation_digest)
    return SentOffer(document=QuoteDocument.of(quote, found.number), content=found.content, explanation=explanation)
