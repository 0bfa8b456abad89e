"""Attachments over HTTP. An upload is the file itself as the body, so that it streams and curl needs one line for it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, delete, get, post
from litestar.params import Body, FromPath, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK

from src.application.documents.add_attachment import AddAttachment, AddAttachmentCommand
from src.application.documents.read_attachments import (
    DeleteAttachment,
    GetAttachment,
    LinkAttachment,
    ListAttachments,
    OpenAttachment,
)
from src.domain.documents.attachment import SubjectKind
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import AttachmentId
from src.entrypoints.http.attachments.schemas import AttachmentResponse, LinkRequest, LinkResponse
from src.entrypoints.http.bodies import streamed
from src.entrypoints.http.downloads.answers import FILE_RESPONSE, file_answer
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of
from src.entrypoints.settings import Settings

FileName = Annotated[
    str,
    QueryParameter(
        name="file_name", min_length=1, max_length=1000, description="What you call the file; its end says its type."
    ),
]


class SubjectAttachmentController(Controller):
    """What is added and listed below its subject."""

    path = "/api/v1"
    tags = ("attachments",)

    @get("/quotes/{quote_id:uuid}/attachments", permission=Permission.VIEW_QUOTES)
    async def list_of_quote(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        list_attachments: FromDishka[ListAttachments],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[AttachmentResponse]:
        """The quote's files, newest first."""
        paging = paging_of(skip, limit, cursor)
        page = await list_attachments(actor, SubjectKind.QUOTE, quote_id, paging)
        return PageResponse.of(page, paging, AttachmentResponse.of)

    @post("/quotes/{quote_id:uuid}/attachments", permission=Permission.EDIT_QUOTES, request_max_body_size=None)
    async def add_to_quote(
        self,
        quote_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        add_attachment: FromDishka[AddAttachment],
        file_name: FileName,
    ) -> AttachmentResponse:
        """Add a file to a quote, in whatever state; the body is the file itself. It is for the house: the buyer never sees it.

        413 `file_too_large`, 415 `file_type_refused`, 409 `quota_exceeded` or `too_many_attachments`.
        """
        command = _command(request, SubjectKind.QUOTE, quote_id, file_name)
        return AttachmentResponse.of(await add_attachment(actor, command, _body(request)))

    @get("/customers/{customer_id:uuid}/attachments", permission=Permission.VIEW_CUSTOMERS)
    async def list_of_customer(
        self,
        customer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        list_attachments: FromDishka[ListAttachments],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[AttachmentResponse]:
        """The customer's files, newest first."""
        paging = paging_of(skip, limit, cursor)
        page = await list_attachments(actor, SubjectKind.CUSTOMER, customer_id, paging)
        return PageResponse.of(page, paging, AttachmentResponse.of)

    @post("/customers/{customer_id:uuid}/attachments", permission=Permission.EDIT_CUSTOMERS, request_max_body_size=None)
    async def add_to_customer(
        self,
        customer_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        add_attachment: FromDishka[AddAttachment],
        file_name: FileName,
    ) -> AttachmentResponse:
        """Add a file to a customer; the body is the file itself. Answers as adding one to a quote."""
        command = _command(request, SubjectKind.CUSTOMER, customer_id, file_name)
        return AttachmentResponse.of(await add_attachment(actor, command, _body(request)))

    @get("/approvals/{approval_id:uuid}/attachments", permission=Permission.VIEW_APPROVALS)
    async def list_of_approval(
        self,
        approval_id: FromPath[UUID],
        actor: FromDishka[Actor],
        list_attachments: FromDishka[ListAttachments],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[AttachmentResponse]:
        """The approval request's files, newest first."""
        paging = paging_of(skip, limit, cursor)
        page = await list_attachments(actor, SubjectKind.APPROVAL_REQUEST, approval_id, paging)
        return PageResponse.of(page, paging, AttachmentResponse.of)

    @post(
        "/approvals/{approval_id:uuid}/attachments", permission=Permission.COMMENT_APPROVALS, request_max_body_size=None
    )
    async def add_to_approval(
        self,
        approval_id: FromPath[UUID],
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        add_attachment: FromDishka[AddAttachment],
        file_name: FileName,
    ) -> AttachmentResponse:
        """Add a file to an approval request; the body is the file itself. Answers as adding one to a quote."""
        command = _command(request, SubjectKind.APPROVAL_REQUEST, approval_id, file_name)
        return AttachmentResponse.of(await add_attachment(actor, command, _body(request)))


class AttachmentController(Controller):
    """One file. Whoever may not see what it is about gets the same 404 as for one that does not exist."""

    path = "/api/v1/attachments/{attachment_id:uuid}"
    tags = ("attachments",)

    @get(permission=Permission.VIEW_ATTACHMENTS)
    async def get_attachment(
        self, attachment_id: FromPath[UUID], actor: FromDishka[Actor], get_attachment: FromDishka[GetAttachment]
    ) -> AttachmentResponse:
        """What is known of a file."""
        return AttachmentResponse.of(await get_attachment(actor, AttachmentId(attachment_id)))

    @get("/content", responses=FILE_RESPONSE, permission=Permission.VIEW_ATTACHMENTS)
    async def content(
        self, attachment_id: FromPath[UUID], actor: FromDishka[Actor], open_attachment: FromDishka[OpenAttachment]
    ) -> Stream:
        """The file itself."""
        return await file_answer(await open_attachment(actor, AttachmentId(attachment_id)))

    @post("/link", status_code=HTTP_200_OK, permission=Permission.VIEW_ATTACHMENTS)
    async def link(
        self,
        attachment_id: FromPath[UUID],
        data: Annotated[LinkRequest, Body()],
        actor: FromDishka[Actor],
        link_attachment: FromDishka[LinkAttachment],
        settings: FromDishka[Settings],
    ) -> LinkResponse:
        """A signed link to the file, for whoever has it, until it expires or whoever asked for it is locked out."""
        given = await link_attachment(actor, AttachmentId(attachment_id), timedelta(seconds=data.expires_in))
        url = f"{settings.public_url}/api/v1/downloads/{given.token}"
        return LinkResponse(url=url, expires_at=given.expires_at)

    @delete(permission=Permission.DELETE_ATTACHMENTS)
    async def delete_attachment(
        self, attachment_id: FromPath[UUID], actor: FromDishka[Actor], delete_attachment: FromDishka[DeleteAttachment]
    ) -> None:
        """Delete a file for good; 409 `attachment_is_evidence` when somebody has judged by it.

        A file never changes, so that no version is asked for.
        """
        await delete_attachment(actor, AttachmentId(attachment_id))


def _command(
    request: Request[Any, Any, Any], kind: SubjectKind, subject_id: UUID, file_name: str
) -> AddAttachmentCommand:
    announced = request.headers.get("content-length", "")
    return AddAttachmentCommand(
        subject_kind=kind,
        subject_id=subject_id,
        file_name=file_name,
        declared_type=request.headers.get("content-type", ""),
        announced_size=int(announced) if announced.isascii() and announced.isdigit() else None,
    )


def _body(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    return streamed(request.stream())
