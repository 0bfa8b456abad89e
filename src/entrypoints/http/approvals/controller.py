"""Approval policies and requests over HTTP. Decisions stand with the quotes."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import Body, QueryParameter

from src.application.approvals.create_policy import CreatePolicy
from src.application.approvals.read_approvals import ListApprovals, ListPolicies
from src.domain.approvals.request import RequestStatus
from src.domain.identity.actor import Actor, Permission
from src.entrypoints.http.approvals.schemas import ApprovalResponse, CreatePolicyRequest, PolicyResponse
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of


class ApprovalController(Controller):
    path = "/api/v1"
    tags = ("approvals",)

    @get("/approval-policies", permission=Permission.VIEW_APPROVALS)
    async def list_policies(
        self, actor: FromDishka[Actor], list_policies: FromDishka[ListPolicies]
    ) -> PageResponse[PolicyResponse]:
        """All policies in the order in which they ask."""
        return PageResponse.whole([PolicyResponse.of(policy) for policy in await list_policies(actor)])

    @post("/approval-policies", permission=Permission.MANAGE_POLICIES)
    async def create_policy(
        self,
        data: Annotated[CreatePolicyRequest, Body()],
        actor: FromDishka[Actor],
        create_policy: FromDishka[CreatePolicy],
    ) -> PolicyResponse:
        """Add a policy; it counts for what is submitted from now on."""
        return PolicyResponse.of(await create_policy(actor, data.command()))

    @get("/approvals", permission=Permission.VIEW_APPROVALS)
    async def list_approvals(
        self,
        actor: FromDishka[Actor],
        list_approvals: FromDishka[ListApprovals],
        status: Annotated[RequestStatus | None, QueryParameter(name="status")] = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ApprovalResponse]:
        """Approval requests, newest first."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_approvals(actor, status, paging), paging, ApprovalResponse.of)
