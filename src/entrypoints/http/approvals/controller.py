"""Approval policies, requests, decisions and delegations over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Body, FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from msgspec.structs import asdict

from src.application.approvals.comment_on_approval import CommentOnApproval
from src.application.approvals.decide_approval import Decided, DecideRequest, DecideRequestCommand
from src.application.approvals.delegations import (
    CreateDelegation,
    CreateDelegationCommand,
    EndDelegation,
    ListDelegations,
)
from src.application.approvals.policies import (
    ChangePolicy,
    ChangePolicyCommand,
    CreatePolicy,
    GetPolicy,
    ListPolicies,
)
from src.application.approvals.read_approvals import CountApprovals, GetApproval, ListApprovals, ListWaiting
from src.application.approvals.simulate_policy import GetSimulation, SimulatePolicy, SimulatePolicyCommand
from src.application.approvals.subject import Subjects
from src.application.ports.approvals import RequestFilter
from src.domain.approvals.policy import ApprovalPolicy
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.approvals.simulation import Simulation
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import DelegationId, PolicyId, RequestId, SimulationId, UserId
from src.entrypoints.http.approvals.schemas import (
    ApprovalDetailsResponse,
    ApprovalResponse,
    ChangePolicyRequest,
    CommentRequest,
    CommentResponse,
    CountsResponse,
    CreatePolicyRequest,
    DecidedResponse,
    DelegationRequest,
    DelegationResponse,
    OutcomeSchema,
    PolicyResponse,
    SimulateRequest,
    SimulationResponse,
    StepDecisionRequest,
    SubjectSchema,
    shown_facts,
)
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of
from src.entrypoints.http.versions import IfMatch, required_version, tagged

SubjectParameter = Annotated[
    str | None, QueryParameter(name="subject", max_length=60, description="Only this kind of subject.")
]


class PolicyController(Controller):
    path = "/api/v1"
    tags = ("approvals",)

    @get("/approval-subjects", permission=Permission.VIEW_APPROVALS)
    async def list_subjects(
        self, actor: FromDishka[Actor], subjects: FromDishka[Subjects]
    ) -> PageResponse[SubjectSchema]:
        """What can be approved, and the facts that policies may ask about."""
        actor.require(Permission.VIEW_APPROVALS)
        return PageResponse.whole([SubjectSchema.of(kind, actor) for kind in subjects.kinds])

    @get("/approval-policies", permission=Permission.VIEW_APPROVALS)
    async def list_policies(
        self, actor: FromDishka[Actor], list_policies: FromDishka[ListPolicies], subjects: FromDishka[Subjects]
    ) -> PageResponse[PolicyResponse]:
        """All approval policies in the order in which they ask."""
        return PageResponse.whole([_policy(actor, policy, subjects) for policy in await list_policies(actor)])

    @post("/approval-policies", permission=Permission.MANAGE_POLICIES)
    async def create_policy(
        self,
        data: Annotated[CreatePolicyRequest, Body()],
        actor: FromDishka[Actor],
        create_policy: FromDishka[CreatePolicy],
        subjects: FromDishka[Subjects],
    ) -> PolicyResponse:
        """Add an approval policy; it counts for what is submitted from now on."""
        return _policy(actor, await create_policy(actor, data.command(subjects)), subjects)

    @get("/approval-policies/{policy_id:uuid}", permission=Permission.VIEW_APPROVALS)
    async def get_policy(
        self,
        policy_id: FromPath[UUID],
        actor: FromDishka[Actor],
        get_policy: FromDishka[GetPolicy],
        subjects: FromDishka[Subjects],
    ) -> Response[PolicyResponse]:
        """One approval policy; the ETag is for `If-Match`."""
        return tagged(_policy(actor, await get_policy(actor, PolicyId(policy_id)), subjects))

    @patch("/approval-policies/{policy_id:uuid}", permission=Permission.MANAGE_POLICIES)
    async def change_policy(
        self,
        policy_id: FromPath[UUID],
        data: Annotated[ChangePolicyRequest, Body()],
        actor: FromDishka[Actor],
        get_policy: FromDishka[GetPolicy],
        change_policy: FromDishka[ChangePolicy],
        subjects: FromDishka[Subjects],
        if_match: IfMatch = None,
    ) -> Response[PolicyResponse]:
        """Change an approval policy for what is submitted from now on; requests under way end on the version that they began with."""
        actor.require(Permission.MANAGE_POLICIES)  # Before anything is said about the policy.
        expected, identity = required_version(if_match), PolicyId(policy_id)
        kind = subjects.get((await get_policy(actor, identity)).subject)
        command = ChangePolicyCommand(policy_id=identity, changes=data.changes(kind), expected_version=expected)
        return tagged(_policy(actor, await change_policy(actor, command), subjects))

    @post(
        "/approval-policies/{policy_id:uuid}/simulate", status_code=HTTP_200_OK, permission=Permission.MANAGE_POLICIES
    )
    async def simulate_policy(
        self,
        policy_id: FromPath[UUID],
        data: Annotated[SimulateRequest, Body()],
        actor: FromDishka[Actor],
        get_policy: FromDishka[GetPolicy],
        simulate: FromDishka[SimulatePolicy],
        subjects: FromDishka[Subjects],
    ) -> Response[SimulationResponse]:
        """Who would have been asked with these changes, and who no longer. Beyond a thousand submissions it is a job (202)."""
        actor.require(Permission.MANAGE_POLICIES)  # Before anything is said about the policy.
        identity = PolicyId(policy_id)
        kind = subjects.get((await get_policy(actor, identity)).subject)
        command = SimulatePolicyCommand(
            policy_id=identity, changes=data.changes(kind), from_day=data.from_day, to_day=data.to_day
        )
        return _simulated(await simulate(actor, command))

    @get("/approval-simulations/{simulation_id:uuid}", permission=Permission.MANAGE_POLICIES)
    async def get_simulation(
        self, simulation_id: FromPath[UUID], actor: FromDishka[Actor], get_simulation: FromDishka[GetSimulation]
    ) -> SimulationResponse:
        """What has come of a simulation so far."""
        return SimulationResponse.of(await get_simulation(actor, SimulationId(simulation_id)))


class ApprovalController(Controller):
    path = "/api/v1/approvals"
    tags = ("approvals",)

    @get(permission=Permission.VIEW_APPROVALS)
    async def list_approvals(
        self,
        actor: FromDishka[Actor],
        list_approvals: FromDishka[ListApprovals],
        list_waiting: FromDishka[ListWaiting],
        subjects: FromDishka[Subjects],
        status: Annotated[RequestStatus | None, QueryParameter(name="status")] = None,
        subject: SubjectParameter = None,
        submitted_by: Annotated[UUID | None, QueryParameter(name="submitted_by")] = None,
        waiting_for: Annotated[
            Literal["me"] | None, QueryParameter(name="waiting_for", description="`me`: what you could decide now.")
        ] = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ApprovalResponse]:
        """Approval requests, newest first; with `waiting_for=me` your inbox, the longest waiting first (no cursor)."""

        def shown(request: ApprovalRequest) -> ApprovalResponse:
            return _shown(actor, request, subjects)

        if waiting_for == "me":
            for name, given in (("status", status), ("submitted_by", submitted_by), ("cursor", cursor)):
                if given is not None:
                    raise invalid_field(name, "With waiting_for=me, only subject, skip and limit can be asked for.")
            inbox = await list_waiting(actor, subject, skip=skip, limit=limit)
            items = [shown(request) for request in inbox.items]
            return PageResponse(items=items, total=inbox.total, skip=skip, limit=limit, next_cursor=None)
        criteria = RequestFilter(
            status=status, subject=subject, submitted_by=None if submitted_by is None else UserId(submitted_by)
        )
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_approvals(actor, criteria, paging), paging, shown)

    @get("/counts", permission=Permission.VIEW_APPROVALS)
    async def count_approvals(
        self, actor: FromDishka[Actor], count_approvals: FromDishka[CountApprovals]
    ) -> CountsResponse:
        """How many requests are open, and how many of them wait for you."""
        return CountsResponse.of(await count_approvals(actor))

    @get("/{approval_id:uuid}", permission=Permission.VIEW_APPROVALS)
    async def get_approval(
        self,
        approval_id: FromPath[UUID],
        actor: FromDishka[Actor],
        get_approval: FromDishka[GetApproval],
        subjects: FromDishka[Subjects],
    ) -> ApprovalDetailsResponse:
        """One request with its steps, decisions and comments, and who could decide now."""
        details = await get_approval(actor, RequestId(approval_id))
        kind = subjects.get(details.request.subject.kind)
        return ApprovalDetailsResponse.of(details, shown_facts(actor, dict(details.request.facts), kind))

    @post("/{approval_id:uuid}/approve", status_code=HTTP_200_OK, permission=Permission.DECIDE_APPROVALS)
    async def approve(
        self,
        approval_id: FromPath[UUID],
        data: Annotated[StepDecisionRequest, Body()],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideRequest],
        subjects: FromDishka[Subjects],
    ) -> DecidedResponse:
        """Agree to a request that waits for you, with exactly this content; never by whoever submitted or last edited it, nor in their name."""
        return _decided(actor, await decide(actor, _command(approval_id, data, approved=True)), subjects)

    @post("/{approval_id:uuid}/reject", status_code=HTTP_200_OK, permission=Permission.DECIDE_APPROVALS)
    async def reject(
        self,
        approval_id: FromPath[UUID],
        data: Annotated[StepDecisionRequest, Body()],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideRequest],
        subjects: FromDishka[Subjects],
    ) -> DecidedResponse:
        """Refuse a request that waits for you, with a reason; one rejection ends it."""
        return _decided(actor, await decide(actor, _command(approval_id, data, approved=False)), subjects)

    @post("/{approval_id:uuid}/comments", permission=Permission.COMMENT_APPROVALS)
    async def comment(
        self,
        approval_id: FromPath[UUID],
        data: Annotated[CommentRequest, Body()],
        actor: FromDishka[Actor],
        comment: FromDishka[CommentOnApproval],
    ) -> CommentResponse:
        """Say something about a request, for all who look at it."""
        return CommentResponse.of(await comment(actor, RequestId(approval_id), data.text))


class DelegationController(Controller):
    path = "/api/v1/delegations"
    tags = ("approvals",)

    @get(permission=Permission.VIEW_APPROVALS)
    async def list_delegations(
        self, actor: FromDishka[Actor], list_delegations: FromDishka[ListDelegations]
    ) -> PageResponse[DelegationResponse]:
        """Who decides for whom, and when; the newest first."""
        return PageResponse.whole([DelegationResponse.of(one) for one in await list_delegations(actor)])

    @post(permission=Permission.DECIDE_APPROVALS)
    async def create_delegation(
        self,
        data: Annotated[DelegationRequest, Body()],
        actor: FromDishka[Actor],
        create_delegation: FromDishka[CreateDelegation],
    ) -> DelegationResponse:
        """Let a colleague decide in your name while you are away; with the right to manage users in anybody's.

        409 `delegation_overlaps`: the same deputy stands in for the same person on one of these days already.
        """
        command = CreateDelegationCommand(
            to_user_id=UserId(data.to_user_id),
            starts_on=data.starts_on,
            ends_on=data.ends_on,
            reason=data.reason,
            from_user_id=None if data.from_user_id is None else UserId(data.from_user_id),
        )
        return DelegationResponse.of(await create_delegation(actor, command))

    @delete("/{delegation_id:uuid}", status_code=HTTP_200_OK, permission=Permission.DECIDE_APPROVALS)
    async def end_delegation(
        self, delegation_id: FromPath[UUID], actor: FromDishka[Actor], end_delegation: FromDishka[EndDelegation]
    ) -> DelegationResponse:
        """End a delegation at once; what was decided stays."""
        return DelegationResponse.of(await end_delegation(actor, DelegationId(delegation_id)))


def _policy(actor: Actor, policy: ApprovalPolicy, subjects: Subjects) -> PolicyResponse:
    return PolicyResponse.of(policy, subjects.get(policy.subject), actor)


def _command(approval_id: UUID, data: StepDecisionRequest, *, approved: bool) -> DecideRequestCommand:
    return DecideRequestCommand(
        request_id=RequestId(approval_id),
        approved=approved,
        content_digest=data.content_digest,
        reason=data.reason,
        step=data.step,
    )


def _shown(actor: Actor, request: ApprovalRequest, subjects: Subjects) -> ApprovalResponse:
    kind = subjects.get(request.subject.kind)
    return ApprovalResponse.of(request, shown_facts(actor, dict(request.facts), kind))


def _decided(actor: Actor, decided: Decided, subjects: Subjects) -> DecidedResponse:
    return DecidedResponse(**asdict(_shown(actor, decided.request, subjects)), decision=OutcomeSchema.of(decided))


def _simulated(simulation: Simulation) -> Response[SimulationResponse]:
    body = SimulationResponse.of(simulation)
    if simulation.result is not None:
        return Response(body, status_code=HTTP_200_OK)
    headers = {"Location": f"/api/v1/approval-simulations/{simulation.id}"}
    return Response(body, status_code=HTTP_202_ACCEPTED, headers=headers)
