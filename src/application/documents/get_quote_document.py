"""The PDF of a sent revision."""

from dataclasses import dataclass

from src.application.ports.storage import ObjectStorage
from src.application.transactions import Transactions
from src.domain.documents.stored_document import DocumentNotReady, StoredDocument
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFile:
    file_name: str
    document: StoredDocument
    content: bytes


class GetQuoteDocument:
    """*revision* None is the current one. Raises QuoteNotFound, DocumentNotReady."""

    def __init__(self, transactions: Transactions, storage: ObjectStorage) -> None:
        self._transactions, self._storage = transactions, storage

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int | None = None) -> QuoteFile:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            quote = await uow.quotes.get(quote_id)
            number = quote.current.number if revision is None else revision
            stored = await uow.documents.of_revision(quote_id, number)
        if stored is None:
            raise DocumentNotReady("There is no PDF of this revision yet; it is made when the quote is sent.")
        name = f"{quote.number}-{number}.pdf"
        return QuoteFile(file_name=name, document=stored, content=await self._storage.get(stored.storage_key))
