"""Attachments on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.domain.documents.attachment import Attachment


class AttachmentResponse(Struct, frozen=True):
    """*size* is in bytes; *sha256* is that of the file, and its ETag when it is downloaded."""

    id: UUID
    subject: str
    subject_id: UUID
    file_name: str
    content_type: str
    size: int
    sha256: str
    uploaded_by: UUID
    created_at: datetime

    @classmethod
    def of(cls, one: Attachment) -> Self:
        return cls(
            id=one.id,
            subject=one.subject_kind.value,
            subject_id=one.subject_id,
            file_name=one.file_name,
            content_type=one.content_type,
            size=one.size,
            sha256=one.sha256,
            uploaded_by=one.uploaded_by,
            created_at=one.created_at,
        )


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """*expires_in* is in seconds: a minute to a day, a quarter of an hour when absent."""

    expires_in: Annotated[int, Meta(ge=60, le=86_400)] = 900


class LinkResponse(Struct, frozen=True):
    """Whoever has the *url* has the file, until *expires_at*."""

    url: str
    expires_at: datetime
