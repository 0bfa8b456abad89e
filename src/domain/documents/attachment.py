"""Attachments: files that people put with a quote, a customer or an approval request."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict
from uuid import UUID

from src.domain.documents.file_types import Content
from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, Forbidden, NotFound, TooMany
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import AttachmentId, UserId


class AttachmentNotFound(NotFound):
    code = "attachment_not_found"


class AttachmentIsEvidence(Conflict):
    """Somebody has submitted or decided something that it was part of."""

    code = "attachment_is_evidence"


class NotTheUploader(Forbidden):
    code = "not_the_uploader"


class QuotaExceeded(Conflict):
    """The organisation's files would take more room than it has."""

    code = "quota_exceeded"


class TooManyAttachments(Conflict):
    code = "too_many_attachments"


class TooManyUploads(TooMany):
    """As many files as may be are on their way to the organisation."""

    code = "too_many_uploads"


class SubjectKind(StrEnum):
    """What a file is about, as the audit calls it."""

    QUOTE = "quote"
    CUSTOMER = "customer"
    APPROVAL_REQUEST = "approval_request"


class AttachmentStatus(StrEnum):
    """*uploading*: its bytes are on their way. *deleted*: nobody sees it, and its bytes are about to go."""

    UPLOADING = "uploading"
    STORED = "stored"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentEvent(DomainEvent):
    """About what the file is about."""

    attachment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBegun(AttachmentEvent):
    action = "attachment.upload_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentAdded(AttachmentEvent):
    action = "attachment.added"
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadDiscarded(AttachmentEvent):
    """It was never whole."""

    action = "attachment.upload_discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentDeleted(AttachmentEvent):
    action = "attachment.deleted"
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentErased(AttachmentEvent):
    """Its bytes and its name are gone."""

    action = "attachment.erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkGiven(AttachmentEvent):
    action = "attachment.link_given"
    expires_at: datetime


# What only prepares another entry, or follows from it: for who verifies the audit, not for who reads a timeline.
UPKEEP_ACTIONS: Final = frozenset({UploadBegun.action, AttachmentErased.action})


class _About(TypedDict):
    resource_type: str
    resource_id: UUID
    attachment_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One file, never changed once it is stored. *size* in bytes; *changed_at* is when it took its present status.

    The name is the sender's, cleaned; the bytes lie under ``attachment_key``, which is ours alone.
    """

    id: AttachmentId
    subject_kind: SubjectKind
    subject_id: UUID
    file_name: str = field(metadata={"personal": True})
    content_type: str
    uploaded_by: UserId
    created_at: datetime
    changed_at: datetime
    status: AttachmentStatus = AttachmentStatus.UPLOADING
    size: int = 0
    sha256: str = ""
    version: int = 0

    def about(self, at: datetime) -> _About:
        """What every event of it says."""
        return _About(resource_type=self.subject_kind.value, resource_id=self.subject_id, attachment_id=self.id, at=at)

    def begin(self) -> Change["Attachment"]:
        return Change(None, self, (UploadBegun(**self.about(self.created_at)),))

    def store(self, content: Content, at: datetime) -> Change["Attachment"]:
        """All of it has arrived. Raises AttachmentNotFound when its upload has been given up meanwhile."""
        if self.status is not AttachmentStatus.UPLOADING:
            raise AttachmentNotFound("This upload took too long and was given up.")
        stored = replace(self, status=AttachmentStatus.STORED, size=content.size, sha256=content.sha256, changed_at=at)
        event = AttachmentAdded(
            **self.about(at), content_type=self.content_type, size=content.size, sha256=content.sha256
        )
        return Change(self, stored, (event,))

    def delete(self, at: datetime) -> Change["Attachment"]:
        """Raises AttachmentNotFound when it is not, or no longer, there."""
        if self.status is not AttachmentStatus.STORED:
            raise attachment_not_found()
        deleted = replace(self, status=AttachmentStatus.DELETED, changed_at=at)
        return Change(self, deleted, (AttachmentDeleted(**self.about(at), sha256=self.sha256),))

    def discard(self, at: datetime) -> Change["Attachment"]:
        """Give its upload up. Raises AttachmentNotFound when it is stored, or given up already."""
        if self.status is not AttachmentStatus.UPLOADING:
            raise attachment_not_found()
        discarded = replace(self, status=AttachmentStatus.DELETED, changed_at=at)
        return Change(self, discarded, (UploadDiscarded(**self.about(at)),))

    def erase(self, at: datetime) -> Change["Attachment"]:
        """Nothing of it is left."""
        return Change(self, self, (AttachmentErased(**self.about(at)),))


def attachment_not_found() -> AttachmentNotFound:
    return AttachmentNotFound("There is no such attachment.")
