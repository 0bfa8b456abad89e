"""Approval policies and requests in PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
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
from src.adapters.postgres.tables import approval_policies, approval_requests
from src.adapters.postgres.transaction import ChangedMeanwhile, Transaction
from src.application.ports.approvals import ApprovalRequestRepository, PolicyRepository
from src.application.ports.paging import Page, Paging
from src.domain.approvals.errors import AlreadyDecided, RequestNotFound
from src.domain.approvals.policy import ApprovalPolicy, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus, Step
from src.domain.shared.change import Change
from src.domain.shared.ids import QuoteId


class PostgresPolicies(PolicyRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def all(self) -> Sequence[ApprovalPolicy]:
        columns = approval_policies.c
        statement = (
            select(approval_policies)
            .where(columns.organization_id == self._transaction.organization_id)
            .order_by(columns.order, columns.id)
        )
        return [_to_policy(row) for row in await self._transaction.connection.execute(statement)]

    async def save(self, change: Change[ApprovalPolicy]) -> ApprovalPolicy:
        policy = change.after
        row = {
            "id": policy.id,
            "name": policy.name,
            "order": policy.order,
            "conditions": conditions_to_json(policy.conditions),
            "steps": to_json(policy.steps),
            "active": policy.active,
            "created_at": policy.created_at,
            "version": policy.version,
        }
        await self._transaction.add(approval_policies, row)
        self._transaction.changes.append(change)
        return policy


class PostgresApprovalRequests(ApprovalRequestRepository):
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def latest(self, quote_id: QuoteId) -> ApprovalRequest:
        columns = approval_requests.c
        statement = (
            select(approval_requests)
            .where(*self._about(quote_id))
            # An open one first: clocks of several machines may disagree about the newest.
            .order_by((columns.status == "open").desc(), columns.created_at.desc(), columns.id.desc())
            .limit(1)
            .with_for_update()
        )
        row = (await self._transaction.connection.execute(statement)).one_or_none()
        if row is None:
            raise RequestNotFound("No approval was asked for.")
        return _to_request(row)

    async def of_quote(self, quote_id: QuoteId) -> Sequence[ApprovalRequest]:
        columns = approval_requests.c
        statement = select(approval_requests).where(*self._about(quote_id)).order_by(columns.created_at, columns.id)
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

    async def page(self, status: RequestStatus | None, paging: Paging) -> Page[ApprovalRequest]:
        columns = approval_requests.c
        conditions: list[ColumnElement[bool]] = [columns.organization_id == self._transaction.organization_id]
        if status is not None:
            conditions.append(columns.status == status.value)
        return await newest_first(self._transaction.connection, approval_requests, conditions, paging, _to_request)

    def _about(self, quote_id: QuoteId) -> tuple[ColumnElement[bool], ...]:
        columns = approval_requests.c
        return columns.organization_id == self._transaction.organization_id, columns.quote_id == quote_id


def _to_row(request: ApprovalRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "quote_id": request.quote_id,
        "revision": request.revision,
        "content_digest": request.content_digest,
        "submitted_by": request.submitted_by,
        "last_edited_by": request.last_edited_by,
        "facts": facts_to_json(request.facts),
        "steps": to_json(request.steps),
        "status": request.status.value,
        "created_at": request.created_at,
        "version": request.version,
    }


def _to_policy(row: Row) -> ApprovalPolicy:
    return ApprovalPolicy(
        id=row.id,
        name=row.name,
        order=row.order,
        conditions=conditions_from_json(row.conditions),
        steps=from_json(tuple[StepRule, ...], row.steps),
        created_at=row.created_at,
        active=row.active,
        version=row.version,
    )


def _to_request(row: Row) -> ApprovalRequest:
    return ApprovalRequest(
        id=row.id,
        quote_id=row.quote_id,
        revision=row.revision,
        content_digest=row.content_digest,
        submitted_by=row.submitted_by,
        last_edited_by=row.last_edited_by,
        facts=facts_from_json(row.facts),
        steps=from_json(tuple[Step, ...], row.steps),
        status=RequestStatus(row.status),
        created_at=row.created_at,
        version=row.version,
    )
