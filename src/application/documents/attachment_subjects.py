"""What attachments may be about: who may see and change them there, and when they must stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.customers.customer import Customer, CustomerDeleted
from src.domain.documents.attachment import (
    Attachment,
    AttachmentIsEvidence,
    NotTheUploader,
    SubjectKind,
    attachment_not_found,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.ids import CustomerId, QuoteId, RequestId


@dataclass(frozen=True, slots=True)
class SubjectRights:
    """*view* to see its files, *edit* to add some and to take some away."""

    view: Permission
    edit: Permission


RIGHTS: Final[Mapping[SubjectKind, SubjectRights]] = MappingProxyType(
    {
        SubjectKind.QUOTE: SubjectRights(Permission.VIEW_QUOTES, Permission.EDIT_QUOTES),
        SubjectKind.CUSTOMER: SubjectRights(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS),
        SubjectKind.APPROVAL_REQUEST: SubjectRights(Permission.VIEW_APPROVALS, Permission.COMMENT_APPROVALS),
    }
)


async def check_there(uow: UnitOfWork, kind: SubjectKind, subject_id: UUID) -> None:
    """Raises QuoteNotFound, CustomerNotFound, RequestNotFound."""
    match kind:
        case SubjectKind.QUOTE:
            await uow.quotes.get(QuoteId(subject_id))
        case SubjectKind.CUSTOMER:
            await uow.customers.get(CustomerId(subject_id))
        case SubjectKind.APPROVAL_REQUEST:
            await uow.approvals.get(RequestId(subject_id))


async def check_takes_files(uow: UnitOfWork, kind: SubjectKind, subject_id: UUID) -> None:
    """And so it stays until this unit of work ends. Raises what ``check_there`` raises, CustomerDeleted."""
    await check_there(uow, kind, subject_id)
    if kind is SubjectKind.CUSTOMER:
        _check_not_deleted(await uow.customers.lock(CustomerId(subject_id)))


async def check_still_takes_files(uow: UnitOfWork, kind: SubjectKind, subject_id: UUID) -> None:
    """As ``check_takes_files``, for who has locked a file of it: merging customers locks them first, then their files."""
    await check_there(uow, kind, subject_id)
    if kind is SubjectKind.CUSTOMER:
        _check_not_deleted(await uow.customers.get(CustomerId(subject_id)))


def _check_not_deleted(customer: Customer) -> None:
    if customer.deleted:
        raise CustomerDeleted("This customer is deleted; restore it first.")


def check_sees(actor: Actor, attachment: Attachment) -> None:
    """Who does not see what it is about does not see that it is there. Raises AttachmentNotFound."""
    if not actor.may(RIGHTS[attachment.subject_kind].view):
        raise attachment_not_found()


async def check_may_go(uow: UnitOfWork, actor: Actor, attachment: Attachment) -> None:
    """What others have judged by must stay. Raises PermissionMissing, AttachmentIsEvidence, NotTheUploader."""
    actor.require(RIGHTS[attachment.subject_kind].edit)
    match attachment.subject_kind:
        case SubjectKind.QUOTE:
            quote = await uow.quotes.lock(QuoteId(attachment.subject_id))
            if any(
                revision.status is not QuoteStatus.DRAFT
                and revision.submitted_at is not None
                and revision.submitted_at
                >= attachment.changed_at  # When it was stored; an upload may have begun long before.
                for revision in quote.revisions
            ):
                raise AttachmentIsEvidence("This offer was submitted with the file, which is evidence now.")
        case SubjectKind.APPROVAL_REQUEST:
            request = await uow.approvals.get(RequestId(attachment.subject_id), lock=True)
            if request.judged_at is not None and request.judged_at >= attachment.changed_at:
                message = (
                    "Somebody has decided about this request with the file before them: it is evidence and stays. "
                    "Only what was added after the last decision can be taken away."
                )
                raise AttachmentIsEvidence(message)
            if attachment.uploaded_by != actor.person:
                raise NotTheUploader("Only whoever added a file to a request takes it away again.")
        case SubjectKind.CUSTOMER:
            await uow.customers.get(CustomerId(attachment.subject_id))
