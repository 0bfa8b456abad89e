"""Rendered documents: where the bytes are, and what they show."""

from dataclasses import dataclass
from datetime import datetime

from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import DocumentId, QuoteId


class DocumentNotReady(NotFound):
    """The document is rendered by a job after sending; it is not there yet, or never will be for this state."""

    code = "document_not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRendered(DomainEvent):
    action = "quote.rendered"
    resource_type: str = "quote"
    revision: int
    sha256: str
    content_digest: str
    replaced_characters: str
    logo_left_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """The PDF of one revision, once and for all. *storage_key* is made of its SHA-256; *size* is in bytes."""

    id: DocumentId
    quote_id: QuoteId
    revision: int
    content_digest: str
    sha256: str
    size: int
    storage_key: str
    created_at: datetime
    version: int = 0

    def create(self, *, replaced_characters: str = "", logo_left_out: bool = False) -> Change["StoredDocument"]:
        """The change that records it, with the characters that no font has and whether the logo could not be printed."""
        rendered = QuoteRendered(
            resource_id=self.quote_id,
            at=self.created_at,
            revision=self.revision,
            sha256=self.sha256,
            content_digest=self.content_digest,
            replaced_characters=replaced_characters,
            logo_left_out=logo_left_out,
        )
        return Change(None, self, (rendered,))
