"""The audit chain over HTTP."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.params import QueryParameter

from src.application.audit.read_audit import ListAuditEntries, VerifyAudit
from src.application.ports.audit import AuditFilter
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import UserId
from src.entrypoints.http.audit.schemas import AuditEntryResponse, VerificationResponse
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of


class AuditController(Controller):
    path = "/api/v1/audit"
    tags = ("audit",)

    @get("/entries", permission=Permission.VIEW_AUDIT)
    async def list_entries(
        self,
        actor: FromDishka[Actor],
        list_entries: FromDishka[ListAuditEntries],
        action: Annotated[str | None, QueryParameter(name="action", max_length=60)] = None,
        resource_type: Annotated[str | None, QueryParameter(name="resource_type", max_length=60)] = None,
        resource_id: Annotated[UUID | None, QueryParameter(name="resource_id")] = None,
        user_id: Annotated[UUID | None, QueryParameter(name="user_id")] = None,
        since: Annotated[datetime | None, QueryParameter(name="since", description="Included.")] = None,
        before: Annotated[datetime | None, QueryParameter(name="before", description="Not included.")] = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[AuditEntryResponse]:
        """Who did what, newest first."""
        criteria = AuditFilter(
            action=action,
            resource_type=resource_type,
            resource_id=resource_id,
            user_id=None if user_id is None else UserId(user_id),
            since=since,
            before=before,
        )
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_entries(actor, criteria, paging), paging, AuditEntryResponse.of)

    @get("/verification", permission=Permission.VIEW_AUDIT)
    async def verify(self, actor: FromDishka[Actor], verify: FromDishka[VerifyAudit]) -> VerificationResponse:
        """Replay the whole chain and hold it against its head."""
        return VerificationResponse.of(await verify(actor))
