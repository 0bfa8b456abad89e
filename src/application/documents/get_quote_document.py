"""The PDF of a sent revision."""

from dataclasses import dataclass

from src.application.ports.clock import Clock
from src.application.ports.storage import ObjectStorage
from src.application.transactions import Transactions
from src.domain.documents.stored_document import DocumentNotReady, StoredDocument
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFile:
    file_name: str
    document: StoredDocument
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDocumentRead(DomainEvent):
    action = "quote.document_read"
    resource_type: str = "quote"
    revision: int
    sha256: str


class GetQuoteDocument:
    """*revision* None is the current one. Audited, because it leaves the house. Raises QuoteNotFound, RevisionNotFound, DocumentNotReady."""

    def __init__(self, transactions: Transactions, storage: ObjectStorage, clock: Clock) -> None:
        self._transactions, self._storage, self._clock = transactions, storage, clock

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int | None = None) -> QuoteFile:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            quote = await uow.quotes.get(quote_id)
            number = (quote.current if revision is None else quote.revision(revision)).number
            stored = await uow.documents.of_revision(quote_id, number)
            if stored is None:
                raise DocumentNotReady(f"There is no PDF of revision {number} yet; it is made when the quote is sent.")
            uow.record(
                QuoteDocumentRead(resource_id=quote_id, at=self._clock.now(), revision=number, sha256=stored.sha256)
            )
            await uow.commit()
        name = f"{quote.number}-{number}.pdf"
        return QuoteFile(file_name=name, document=stored, content=await self._storage.get(stored.storage_key))
