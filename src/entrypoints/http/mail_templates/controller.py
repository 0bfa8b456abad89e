"""Mail templates over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Body, FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from src.application.messaging.templates import (
    ChangeMailTemplate,
    ChangeMailTemplateCommand,
    CreateMailTemplate,
    GetMailTemplate,
    ListBuiltInTemplates,
    ListMailTemplates,
    PreviewMailTemplate,
    PreviewMailTemplateCommand,
    ResetMailTemplate,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import MailTemplateId, QuoteId
from src.entrypoints.http.mail_templates.schemas import (
    BuiltInTemplateResponse,
    ChangeMailTemplateRequest,
    CreateMailTemplateRequest,
    MailTemplateResponse,
    PreviewDraftRequest,
    PreviewRequest,
    PreviewResponse,
)
from src.entrypoints.http.paging import PageResponse
from src.entrypoints.http.versions import IfMatch, etag, required_version, tagged


class MailTemplateController(Controller):
    path = "/api/v1/mail-templates"
    tags = ("mail templates",)

    @get(permission=Permission.VIEW_ORGANIZATION)
    async def list_mail_templates(
        self, actor: FromDishka[Actor], list_templates: FromDishka[ListMailTemplates]
    ) -> PageResponse[MailTemplateResponse]:
        """The organisation's own words, by kind and language; for all other mails ours are used."""
        return PageResponse.whole([MailTemplateResponse.of(one) for one in await list_templates(actor)])

    @get("/built-in", permission=Permission.VIEW_ORGANIZATION)
    async def list_built_in_templates(
        self, actor: FromDishka[Actor], list_built_in: FromDishka[ListBuiltInTemplates]
    ) -> PageResponse[BuiltInTemplateResponse]:
        """Our own words as templates to begin with, and the values that a template may name."""
        return PageResponse.whole([BuiltInTemplateResponse.of(one) for one in await list_built_in(actor)])

    @post(permission=Permission.MANAGE_MAIL_TEMPLATES)
    async def create_mail_template(
        self,
        data: Annotated[CreateMailTemplateRequest, Body()],
        actor: FromDishka[Actor],
        create_template: FromDishka[CreateMailTemplate],
    ) -> Response[MailTemplateResponse]:
        """Own words for mails of a kind in a language; they are tried before they are kept, and a fault names its line."""
        made = MailTemplateResponse.of(await create_template(actor, data.command()))
        return Response(made, status_code=HTTP_201_CREATED, headers={"ETag": etag(made.version)})

    @post("/preview", status_code=HTTP_200_OK, permission=Permission.MANAGE_MAIL_TEMPLATES)
    async def preview_draft(
        self,
        data: Annotated[PreviewDraftRequest, Body()],
        actor: FromDishka[Actor],
        preview: FromDishka[PreviewMailTemplate],
    ) -> PreviewResponse:
        """What a mail would say with these words, with sample values or a quote's; nothing is stored."""
        command = PreviewMailTemplateCommand(
            kind=data.kind,
            language=data.language,
            texts=data.texts(),
            quote_id=None if data.quote_id is None else QuoteId(data.quote_id),
            note=data.note,
        )
        return PreviewResponse.of(await preview(actor, command))

    @get("/{template_id:uuid}", permission=Permission.VIEW_ORGANIZATION)
    async def get_mail_template(
        self, template_id: FromPath[UUID], actor: FromDishka[Actor], get_template: FromDishka[GetMailTemplate]
    ) -> Response[MailTemplateResponse]:
        """One mail template; the ETag is for `If-Match`."""
        return tagged(MailTemplateResponse.of(await get_template(actor, MailTemplateId(template_id))))

    @patch("/{template_id:uuid}", permission=Permission.MANAGE_MAIL_TEMPLATES)
    async def change_mail_template(
        self,
        template_id: FromPath[UUID],
        data: Annotated[ChangeMailTemplateRequest, Body()],
        actor: FromDishka[Actor],
        change_template: FromDishka[ChangeMailTemplate],
        if_match: IfMatch = None,
    ) -> Response[MailTemplateResponse]:
        """Change subject, text or HTML; what is absent stays."""
        command = ChangeMailTemplateCommand(
            template_id=MailTemplateId(template_id),
            changes=data.changes(),
            expected_version=required_version(if_match),
        )
        return tagged(MailTemplateResponse.of(await change_template(actor, command)))

    @delete("/{template_id:uuid}", permission=Permission.MANAGE_MAIL_TEMPLATES)
    async def reset_mail_template(
        self,
        template_id: FromPath[UUID],
        actor: FromDishka[Actor],
        reset_template: FromDishka[ResetMailTemplate],
        if_match: IfMatch = None,
    ) -> None:
        """Our own words again."""
        await reset_template(actor, MailTemplateId(template_id), required_version(if_match))

    @post("/{template_id:uuid}/preview", status_code=HTTP_200_OK, permission=Permission.MANAGE_MAIL_TEMPLATES)
    async def preview_saved(
        self,
        template_id: FromPath[UUID],
        data: Annotated[PreviewRequest, Body()],
        actor: FromDishka[Actor],
        preview: FromDishka[PreviewMailTemplate],
    ) -> PreviewResponse:
        """What a mail says with the saved words, with sample values or a quote's; nothing is stored."""
        command = PreviewMailTemplateCommand(
            template_id=MailTemplateId(template_id),
            quote_id=None if data.quote_id is None else QuoteId(data.quote_id),
            note=data.note,
        )
        return PreviewResponse.of(await preview(actor, command))
