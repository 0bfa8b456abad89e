"""The audit chain over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import File
from litestar.status_codes import HTTP_200_OK

from src.application.audit.read_audit import ListAuditEntries
from src.application.audit.sign_heads import ListSignedHeads, SignAuditHead
from src.application.audit.verify_audit import VerifyAudit
from src.application.documents.export_sources import ExportRequest
from src.application.ports.audit import AuditFilter, HeadSigner
from src.domain.documents.export import ExportFilters, ExportFormat, ExportKind
from src.domain.identity.actor import Actor, ActorKind, Permission
from src.domain.shared.ids import UserId
from src.entrypoints.http.audit.schemas import (
    AuditEntryResponse,
    SignedHeadSchema,
    SignedHeadsResponse,
    VerificationResponse,
    VerifyRequest,
)
from src.entrypoints.http.exports.controller import Format
from src.entrypoints.http.exports.files import JSON_LINES, SmallExports
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of
from src.entrypoints.schemas.instants import parameter_in_utc

Action = Annotated[str | None, QueryParameter(name="action", max_length=60)]
ResourceType = Annotated[str | None, QueryParameter(name="resource_type", max_length=60)]
ResourceId = Annotated[UUID | None, QueryParameter(name="resource_id")]
UserOfEntry = Annotated[UUID | None, QueryParameter(name="user_id")]
Kind = Annotated[ActorKind | None, QueryParameter(name="actor_kind")]
Trace = Annotated[str | None, QueryParameter(name="trace_id", pattern="^[0-9a-f]{32}$")]
Since = Annotated[datetime | None, QueryParameter(name="since", description="Included.")]
Before = Annotated[datetime | None, QueryParameter(name="before", description="Not included.")]


class AuditController(Controller):
    path = "/api/v1/audit"
    tags = ("audit",)

    @get("/entries", permission=Permission.VIEW_AUDIT)
    async def list_entries(
        self,
        actor: FromDishka[Actor],
        list_entries: FromDishka[ListAuditEntries],
        action: Action = None,
        resource_type: ResourceType = None,
        resource_id: ResourceId = None,
        user_id: UserOfEntry = None,
        actor_kind: Kind = None,
        trace_id: Trace = None,
        since: Since = None,
        before: Before = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[AuditEntryResponse]:
        """Who did what, newest first."""
        criteria = _criteria(action, resource_type, resource_id, user_id, actor_kind, trace_id, since, before)
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_entries(actor, criteria, paging), paging, AuditEntryResponse.of)

    @get("/export", media_type=JSON_LINES, permission=Permission.VIEW_AUDIT)
    async def export_entries(
        self,
        actor: FromDishka[Actor],
        exported: FromDishka[SmallExports],
        format: Format = "jsonl",  # noqa: A002 — the name of the query parameter.
        action: Action = None,
        resource_type: ResourceType = None,
        resource_id: ResourceId = None,
        user_id: UserOfEntry = None,
        actor_kind: Kind = None,
        trace_id: Trace = None,
        since: Since = None,
        before: Before = None,
    ) -> File:
        """Entries as JSON Lines, CSV or XLSX, oldest first, with the text that their hashes cover. Audited."""
        filters = ExportFilters(
            action=action,
            resource_type=resource_type,
            resource_id=resource_id,
            user_id=None if user_id is None else UserId(user_id),
            actor_kind=actor_kind,
            trace_id=trace_id,
            since=parameter_in_utc("since", since),
            before=parameter_in_utc("before", before),
        )
        request = ExportRequest(kind=ExportKind.AUDIT, file_format=ExportFormat(format), filters=filters)
        return await exported(actor, request)

    @get("/verification", permission=Permission.VERIFY_AUDIT)
    async def verify(self, actor: FromDishka[Actor], verify: FromDishka[VerifyAudit]) -> VerificationResponse:
        """Replay the chain from its beginning, up to a million entries, and hold it against its head."""
        return VerificationResponse.of(await verify(actor, VerifyRequest().command()))

    @post("/verification", status_code=HTTP_200_OK, permission=Permission.VERIFY_AUDIT)
    async def verify_on(
        self, actor: FromDishka[Actor], verify: FromDishka[VerifyAudit], data: JSONBody[VerifyRequest]
    ) -> VerificationResponse:
        """Go on from where an earlier verification ended, and hold the chain against heads that were kept.

        A chain that is shorter than a kept head, or differs from it, is not intact. Ask again with `after` until the answer
        is `complete`.
        """
        return VerificationResponse.of(await verify(actor, data.command()))

    @get("/heads", permission=Permission.VERIFY_AUDIT)
    async def list_heads(
        self, actor: FromDishka[Actor], list_heads: FromDishka[ListSignedHeads], signer: FromDishka[HeadSigner]
    ) -> SignedHeadsResponse:
        """The heads that were signed, by sequence, and the public keys that prove it.

        Keep them elsewhere: they show what no chain can show of itself.
        """
        heads = [SignedHeadSchema.of(signed) for signed in await list_heads(actor)]
        return SignedHeadsResponse(heads=heads, public_keys=dict(signer.public_keys()))

    @post("/heads", permission=Permission.VERIFY_AUDIT)
    async def sign_head(self, actor: FromDishka[Actor], sign: FromDishka[SignAuditHead]) -> SignedHeadSchema:
        """Prove what has come since the last signed head, and sign the new one."""
        return SignedHeadSchema.of(await sign.now(actor))


def _criteria(
    action: str | None,
    resource_type: str | None,
    resource_id: UUID | None,
    user_id: UUID | None,
    actor_kind: ActorKind | None,
    trace_id: str | None,
    since: datetime | None,
    before: datetime | None,
) -> AuditFilter:
    return AuditFilter(
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        user_id=None if user_id is None else UserId(user_id),
        actor_kind=actor_kind,
        trace_id=trace_id,
        since=parameter_in_utc("since", since),
        before=parameter_in_utc("before", before),
    )
