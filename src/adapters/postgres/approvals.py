"""Approval policies, requests, delegations and fact records in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, func, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from src.adapters.postgres.connection import Row
from src.adapters.postgres.json_columns import (
    conditions_from_json,
    conditions_to_json,
    facts_from_json,
    facts_to_json,
    from_json,
    to_json,
)
from src.adapters.postgres.pages import newest_first
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import (
    approval_comments,
    approval_facts,
    approval_policies,
    approval_requests,
    approval_simulations,
    delegations,
)
from src.adapters.postgres.transaction import ChangedMeanwhile, Transaction
from src.application.ports.approvals import (
    ApprovalRequestRepository,
    DelegationRepository,
    FactRecordRepository,
    PolicyRepository,
    RequestFilter,
)
from src.application.ports.paging import Page, Paging
from src.domain.approvals.comment import Comment
from src.domain.approvals.delegation import Delegation, DelegationNotFound
from src.domain.approvals.errors import AlreadyDecided, RequestNotFound
from src.domain.approvals.policy import ApprovalPolicy, PolicyNotFound, StepRule
from src.domain.approvals.request import LIVE, ApprovalRequest, RequestStatus, Subject
from src.domain.approvals.simulation import FactRecord, Simulation, SimulationNotFound, SimulationResult
from src.domain.approvals.steps import Step
from src.domain.shared.change import Change
from src.domain.shared.ids import DelegationId, PolicyId, RequestId, SimulationId

_LIVE = sorted(status.value for status in LIVE)
_COUNTING: Final = (
    select(delegations)
    .where(delegations.c.organization_id == bindparam("organization"), delegations.c.ended_at.is_(None))
    .order_by(delegations.c.id)
)


class _Policies(Records[ApprovalPolicy]):
    """A policy's conditions hold numbers and texts, which plain JSON tells apart."""

    def row(self, item: ApprovalPolicy) -> dict[str, object]:
        return super().row(item) | {"conditions": conditions_to_json(item.conditions)}

    def item(self, row: Row) -> ApprovalPolicy:
        return _policy({field.name: getattr(row, field.name) for field in fields(ApprovalPolicy)})


class PostgresPolicies(PolicyRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = PolicyNotFound("There is no such approval policy.")
        self._records = _Policies(transaction, approval_policies, ApprovalPolicy, missing)

    async def all(self) -> Sequence[ApprovalPolicy]:
        return await self._records.all(approval_policies.c.order, approval_policies.c.id)

    async def get(self, policy_id: PolicyId, *, lock: bool = False) -> ApprovalPolicy:
        return await self._records.get(policy_id, lock=lock)

    async def save(self, change: Change[ApprovalPolicy]) -> ApprovalPolicy:
        return await self._records.save(change)


class PostgresApprovalRequests(ApprovalRequestRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, request_id: RequestId, *, lock: bool = False) -> ApprovalRequest:
        statement = select(approval_requests).where(*self._mine(), approval_requests.c.id == request_id)
        if lock:
            statement = statement.with_for_update(key_share=True)
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise RequestNotFound("There is no such approval request.")
        return _to_request(row)

    async def latest(self, subject: str, subject_id: UUID) -> ApprovalRequest:
        columns = approval_requests.c
        statement = (
            select(approval_requests)
            .where(*self._about(subject, subject_id))
            # A live one first: clocks of several machines may disagree about the newest.
            .order_by(columns.status.in_(_LIVE).desc(), columns.created_at.desc(), columns.id.desc())
            .limit(1)
            .with_for_update(key_share=True)
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise RequestNotFound("No approval was asked for.")
        return _to_request(row)

    async def of_subject(self, subject: str, subject_id: UUID) -> Sequence[ApprovalRequest]:
        columns = approval_requests.c
        statement = (
            select(approval_requests).where(*self._about(subject, subject_id)).order_by(columns.created_at, columns.id)
        )
        return [_to_request(row) for row in await self._transaction.connection.execute(statement)]

    async def live(self) -> Sequence[ApprovalRequest]:
        columns = approval_requests.c
        statement = (
            select(approval_requests)
            .where(*self._mine(), columns.status.in_(_LIVE))
            .order_by(columns.created_at, columns.id)
        )
        return [_to_request(row) for row in await self._transaction.connection.execute(statement)]

    async def save(self, change: Change[ApprovalRequest]) -> ApprovalRequest:
        before, after = change.before, change.after
        version = self._transaction.next_version(after.id, before.version if before else 0)
        stored = replace(after, version=version)
        row = _to_row(stored)
        if before is None:
            await self._transaction.add(approval_requests, row)
        else:
            try:
                await self._transaction.change(approval_requests, stored.id, before.version, row)
            except ChangedMeanwhile:
                raise AlreadyDecided("Someone else decided this meanwhile; read it again.") from None
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    async def page(self, criteria: RequestFilter, paging: Paging) -> Page[ApprovalRequest]:
        columns = approval_requests.c
        conditions = self._mine()
        if criteria.status is not None:
            conditions.append(columns.status == criteria.status.value)
        if criteria.subject is not None:
            conditions.append(columns.subject == criteria.subject)
        if criteria.submitted_by is not None:
            conditions.append(columns.submitted_by == criteria.submitted_by)
        return await newest_first(self._transaction.connection, approval_requests, conditions, paging, _to_request)

    async def counts(self) -> dict[RequestStatus, int]:
        columns = approval_requests.c
        statement = (
            select(columns.status, func.count())
            .where(*self._mine(), columns.status.in_(_LIVE))
            .group_by(columns.status)
        )
        return {
            RequestStatus(status): number for status, number in await self._transaction.connection.execute(statement)
        }

    async def comment(self, change: Change[Comment]) -> Comment:
        comment = change.after
        await self._transaction.add(
            approval_comments, {field.name: getattr(comment, field.name) for field in fields(Comment)}
        )
        self._transaction.changes.append(change)
        return comment

    async def comments(self, request_id: RequestId) -> Sequence[Comment]:
        columns = approval_comments.c
        own = columns.organization_id == self._transaction.organization_id
        statement = (
            select(approval_comments)
            .where(own, columns.request_id == request_id)
            .order_by(columns.created_at, columns.id)
        )
        rows = await self._transaction.connection.execute(statement)
        return [Comment(**{field.name: getattr(row, field.name) for field in fields(Comment)}) for row in rows]

    def _mine(self) -> list[ColumnElement[bool]]:
        return [approval_requests.c.organization_id == self._transaction.organization_id]

    def _about(self, subject: str, subject_id: UUID) -> tuple[ColumnElement[bool], ...]:
        columns = approval_requests.c
        return *self._mine(), columns.subject == subject, columns.subject_id == subject_id


class PostgresDelegations(DelegationRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = DelegationNotFound("There is no such delegation.")
        self._transaction = transaction
        self._records = Records(transaction, delegations, Delegation, missing)

    async def all(self) -> Sequence[Delegation]:
        own = delegations.c.organization_id == self._transaction.organization_id
        newest = (delegations.c.created_at.desc(), delegations.c.id.desc())
        return await self._records.read(select(delegations).where(own).order_by(*newest))

    async def counting(self, *, lock: bool = False) -> Sequence[Delegation]:
        if lock:
            await self._transaction.lock("delegations")
        return await self._records.read(_COUNTING, {"organization": self._transaction.organization_id})

    async def get(self, delegation_id: DelegationId, *, lock: bool = False) -> Delegation:
        return await self._records.get(delegation_id, lock=lock)

    async def save(self, change: Change[Delegation]) -> Delegation:
        return await self._records.save(change)


class PostgresFactRecords(FactRecordRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, record: FactRecord) -> None:
        row = {
            "id": record.id,
            **_subject_row(record.subject),
            "facts": facts_to_json(record.facts),
            "submitted_by": record.submitted_by,
            "last_edited_by": record.last_edited_by,
            "at": record.at,
        }
        await self._transaction.add(approval_facts, row)

    async def count(self, subject: str, since: datetime, before: datetime) -> int:
        statement = select(func.count()).select_from(approval_facts).where(*self._between(subject, since, before))
        return int((await self._transaction.connection.execute(statement)).scalar_one())

    async def between(
        self, subject: str, since: datetime, before: datetime, *, after: FactRecord | None, limit: int
    ) -> Sequence[FactRecord]:
        columns = approval_facts.c
        statement = select(approval_facts).where(*self._between(subject, since, before))
        if after is not None:
            statement = statement.where(tuple_(columns.at, columns.id) > (after.at, after.id))
        rows = await self._transaction.connection.execute(statement.order_by(columns.at, columns.id).limit(limit))
        return [
            FactRecord(
                id=row.id,
                subject=_subject(row),
                facts=facts_from_json(row.facts),
                submitted_by=row.submitted_by,
                last_edited_by=row.last_edited_by,
                at=row.at,
            )
            for row in rows
        ]

    async def simulation(self, simulation_id: SimulationId, *, lock: bool = False) -> Simulation:
        columns = approval_simulations.c
        own = columns.organization_id == self._transaction.organization_id
        statement = select(approval_simulations).where(own, columns.id == simulation_id)
        if lock:
            statement = statement.with_for_update(key_share=True)
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise SimulationNotFound("There is no such simulation.")
        values = {field.name: getattr(row, field.name) for field in fields(Simulation)}
        values["draft"] = _policy(from_json(dict[str, Any], row.draft))
        values["result"] = None if row.result is None else from_json(SimulationResult, row.result)
        return Simulation(**values)

    async def save_simulation(self, change: Change[Simulation]) -> Simulation:
        before, after = change.before, change.after
        version = self._transaction.next_version(after.id, before.version if before else 0)
        stored = replace(after, version=version)
        row: dict[str, Any] = {field.name: getattr(stored, field.name) for field in fields(Simulation)}
        draft = {field.name: getattr(stored.draft, field.name) for field in fields(ApprovalPolicy)}
        draft |= {"conditions": conditions_to_json(stored.draft.conditions), "steps": to_json(stored.draft.steps)}
        row["draft"] = to_json(draft)
        row["result"] = None if stored.result is None else to_json(stored.result)
        if before is None:
            await self._transaction.add(approval_simulations, row)
        else:
            await self._transaction.change(approval_simulations, stored.id, before.version, row)
        self._transaction.changes.append(replace(change, after=stored))
        return stored

    def _between(self, subject: str, since: datetime, before: datetime) -> tuple[ColumnElement[bool], ...]:
        columns = approval_facts.c
        own = columns.organization_id == self._transaction.organization_id
        return own, columns.subject == subject, columns.at >= since, columns.at < before


def _policy(values: dict[str, Any]) -> ApprovalPolicy:
    """*values* as a row or JSON has them; ids and instants may still be texts."""
    identity, owner, created_at = values["id"], values["owner_id"], values["created_at"]
    return ApprovalPolicy(
        **values
        | {
            "id": UUID(str(identity)),
            "owner_id": None if owner is None else UUID(str(owner)),
            "created_at": created_at if isinstance(created_at, datetime) else datetime.fromisoformat(created_at),
            "conditions": conditions_from_json(values["conditions"]),
            "steps": from_json(tuple[StepRule, ...], values["steps"]),
        }
    )


def _subject_row(subject: Subject) -> dict[str, Any]:
    return {
        "subject": subject.kind,
        "resource_type": subject.resource_type,
        "subject_id": subject.id,
        "title": subject.title,
        "revision": subject.revision,
    }


def _subject(row: Row) -> Subject:
    return Subject(
        kind=row.subject, resource_type=row.resource_type, id=row.subject_id, title=row.title, revision=row.revision
    )


def _to_row(request: ApprovalRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        **_subject_row(request.subject),
        "content_digest": request.content_digest,
        "submitted_by": request.submitted_by,
        "last_edited_by": request.last_edited_by,
        "facts": facts_to_json(request.facts),
        "steps": to_json(request.steps),
        "status": request.status.value,
        "created_at": request.created_at,
        "version": request.version,
    }


def _to_request(row: Row) -> ApprovalRequest:
    return ApprovalRequest(
        id=row.id,
        subject=_subject(row),
        content_digest=row.content_digest,
        submitted_by=row.submitted_by,
        last_edited_by=row.last_edited_by,
        facts=facts_from_json(row.facts),
        steps=from_json(tuple[Step, ...], row.steps),
        status=RequestStatus(row.status),
        created_at=row.created_at,
        version=row.version,
    )
