"""``proffer approval …``: what waits for whom, what a quote would need, and decisions."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from msgspec import to_builtins

from src.application.approvals.decide_approval import DecideRequest, DecideRequestCommand
from src.application.approvals.read_approvals import GetApproval, ListApprovals, ListWaiting, RequestDetails
from src.application.approvals.subject import Subjects
from src.application.ports.approvals import RequestFilter
from src.application.ports.paging import Paging
from src.application.quoting.preview_approval import PreviewApproval
from src.domain.approvals.conditions import Facts, FactValue
from src.domain.approvals.matching import ConditionResult
from src.domain.approvals.request import ApprovalRequest, PlannedStep, RequestStatus
from src.domain.approvals.steps import Step
from src.domain.identity.actor import Permission
from src.domain.identity.user import User
from src.domain.shared.canonical import decimal_text
from src.domain.shared.ids import RequestId
from src.entrypoints.cli.naming import quote_of
from src.entrypoints.cli.output import counted, print_json, print_table
from src.entrypoints.cli.session import As, CliSession, Limit, Organization, session_of
from src.entrypoints.http.approvals.schemas import ApprovalDetailsResponse, shown_facts

Json = Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")]
ApprovalId = Annotated[UUID, Parameter(help="The approval's id, as the list shows it.")]
StepKey = Annotated[str | None, Parameter(help="Decide only this step, by its key; otherwise all that are yours.")]


async def list_approvals(
    *,
    user: As,
    organization: Organization = None,
    waiting: Annotated[bool, Parameter(help="Only what you could decide now.", negative="")] = False,
    status: Annotated[RequestStatus | None, Parameter(help="Only these.")] = None,
    subject: Annotated[str | None, Parameter(help="Only quote or customer_registration.")] = None,
    limit: Limit = 20,
) -> int:
    """List approval requests, newest first; with --waiting your inbox, the longest waiting first.

    Example: proffer approval list --waiting --as approver@nordlicht.example
    """
    async with session_of(user, organization) as session:
        if subject is not None:
            (await session.get(Subjects)).get(subject)
        if waiting:
            inbox = await (await session.get(ListWaiting))(session.actor, subject, skip=0, limit=limit)
            items, total = inbox.items, inbox.total
        else:
            criteria = RequestFilter(status=status, subject=subject)
            page = await (await session.get(ListApprovals))(session.actor, criteria, Paging(limit=limit))
            items, total = page.items, page.total
    columns = (("Id", "left"), ("About", "left"), ("Rev.", "right"), ("Status", "left"), ("Open steps", "left"))
    print_table(columns, [_row(request) for request in items])
    print(f"{len(items)} of {counted(total, 'approval')}.")
    return 0


async def show(approval_id: ApprovalId, *, user: As, organization: Organization = None, json: Json = False) -> int:
    """Show one request: its steps, who decided what, who could decide now, and what was said.

    Example: proffer approval show 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --as approver@nordlicht.example
    """
    async with session_of(user, organization) as session:
        details = await (await session.get(GetApproval))(session.actor, RequestId(approval_id))
        facts = await _facts(session, details.request)
    if json:
        print_json(to_builtins(ApprovalDetailsResponse.of(details, facts)))
        return 0
    request = details.request
    print(f"{request.subject.title}, {request.status.value}")
    for name, value in sorted(facts.items()):
        print(f"  {name} {_shown(value)}".rstrip())
    waiting = {step.key: users for step, users in details.waiting_for}
    columns = (("Step", "left"), ("Policy", "left"), ("Status", "left"), ("Waits for", "left"), ("Key", "left"))
    print_table(columns, [_step_row(step, waiting.get(step.key, ())) for step in request.steps])
    for line in said(details):
        print(line)
    return 0


async def approve(
    approval_id: ApprovalId,
    *,
    user: As,
    organization: Organization = None,
    reason: Annotated[str, Parameter(help="A word for the record.")] = "",
    step: StepKey = None,
) -> int:
    """Agree to what was submitted.

    Example: proffer approval approve 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --as approver@nordlicht.example
    """
    return await _decide(approval_id, user, organization, approved=True, reason=reason, step=step)


async def reject(
    approval_id: ApprovalId,
    *,
    user: As,
    reason: Annotated[str, Parameter(help="Why; the submitter reads it.")],
    organization: Organization = None,
    step: StepKey = None,
) -> int:
    """Refuse what was submitted; one rejection ends the request.

    Example: proffer approval reject 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --reason "Too cheap." --as approver@nordlicht.example
    """
    return await _decide(approval_id, user, organization, approved=False, reason=reason, step=step)


async def preview(
    number: Annotated[str, Parameter(help="The quote's number, such as Q-2026-000123.")],
    *,
    user: As,
    organization: Organization = None,
) -> int:
    """Show what submitting a quote would ask for, of whom, and why; nothing is stored.

    Example: proffer approval preview Q-2026-000001 --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        quote = await quote_of(session, number)
        told = await (await session.get(PreviewApproval))(session.actor, quote.id)
        subjects = await session.get(Subjects)
        sees_costs = session.actor.may(Permission.VIEW_COSTS)
        hidden = {one.name for one in subjects.get("quote").facts if one.confidential and not sees_costs}
    for result in told.outlook.results:
        print(f"{'asks' if result.matched else 'does not ask'}: {result.policy.name}")
        for condition in result.conditions:
            print(f"  {_condition(condition, condition.condition.fact not in hidden)}")
        for step in told.outlook.steps:
            if step.result.policy.id == result.policy.id:
                print(f"  → {_planned(step)}")
    asked = any(step.carried_over is None for step in told.outlook.steps)
    print("Somebody would be asked." if asked else "Nobody would be asked.")
    return 0


async def _decide(
    approval_id: UUID, user: str, organization: str | None, *, approved: bool, reason: str, step: str | None
) -> int:
    async with session_of(user, organization) as session:
        seen = (await (await session.get(GetApproval))(session.actor, RequestId(approval_id))).request
        command = DecideRequestCommand(
            request_id=seen.id, approved=approved, content_digest=seen.content_digest, reason=reason, step=step
        )
        decided = await (await session.get(DecideRequest))(session.actor, command)
        details = await (await session.get(GetApproval))(session.actor, seen.id)
    print(f"{seen.subject.title}: {decided.request.status.value}")
    if not decided.counted:
        print("You have said so before; nothing more was counted.")
    for waiting in details.waiting_for_person(session.actor.person):
        print(f"«{waiting.name}» waits for you as well; approve it by its key: --step {waiting.key}")
    return 0


def said(details: RequestDetails) -> list[str]:
    """Who decided what, for whom and why, and who remarked what, in the order of time; times are UTC."""
    names = details.names
    told = [(one.created_at, f"{names.get(one.user_id, one.user_id)}: {one.text}") for one in details.comments]
    for step in details.request.steps:
        for given in step.decisions:
            verb = "approved" if given.approved else "rejected"
            absent = ", ".join(str(names.get(one, one)) for one in given.on_behalf_of)
            line = f"{names.get(given.user_id, given.user_id)} {verb} «{step.name}»"
            line += f" for {absent}" if absent else ""
            told.append((given.at, f"{line}: {given.reason}" if given.reason else line))
    return [f"{at:%Y-%m-%d %H:%M}  {line}" for at, line in sorted(told)]


async def _facts(session: CliSession, request: ApprovalRequest) -> Facts:
    subjects = await session.get(Subjects)
    return shown_facts(session.actor, dict(request.facts), subjects.get(request.subject.kind))


def _shown(value: FactValue) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return decimal_text(value) if isinstance(value, Decimal) else value


def _row(request: ApprovalRequest) -> tuple[str, ...]:
    steps = ", ".join(step.name for step in request.open_steps) if request.live else ""
    subject = request.subject
    return str(request.id), subject.title, str(subject.revision or ""), request.status.value, steps


def _step_row(step: Step, waiting: tuple[User, ...]) -> tuple[str, ...]:
    people = ", ".join(user.name for user in waiting)
    status = f"{step.status.value}, carried over" if step.carried_over else step.status.value
    return step.name, step.policy_name, status, people, step.key


def _condition(result: ConditionResult, shown: bool) -> str:
    condition = result.condition
    values = ", ".join(decimal_text(one) if isinstance(one, Decimal) else one for one in condition.values)
    actual = result.actual
    told = decimal_text(actual) if isinstance(actual, Decimal) else actual
    if not shown:
        return f"{condition.fact}: not for you to see"
    return f"{condition.fact} {condition.operator.value} {values}: {'yes' if result.holds else 'no'} ({told})"


def _planned(step: PlannedStep) -> str:
    name = step.result.policy.steps[step.step_order].name
    if step.carried_over is not None:
        return f"{name}: carried over from {step.carried_over.decided_at:%Y-%m-%d}"
    people = ", ".join(user.name for user in step.persons) or "nobody can decide"
    return f"{name}: {step.needed} of {people}"
