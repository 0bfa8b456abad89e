"""The organisation's custom fields."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.custom_fields import MOST_FIELDS, CustomField, FieldKind, FieldSubject
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import CustomFieldId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomFieldCommand:
    subject: FieldSubject
    key: str
    label: str
    kind: FieldKind
    required: bool = False
    order: int = 0
    options: tuple[str, ...] = ()


class CreateCustomField:
    """Raises CustomFieldKeyTaken, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateCustomFieldCommand) -> CustomField:
        async with self._transactions.begin(actor, Permission.MANAGE_ORGANIZATION) as uow:
            if len(await uow.custom_fields.all(command.subject)) >= MOST_FIELDS:
                raise invalid_field("subject", f"At most {MOST_FIELDS} custom fields are kept for one subject.")
            field = CustomField(
                id=CustomFieldId(self._ids.new()),
                subject=command.subject,
                key=command.key,
                label=command.label,
                kind=command.kind,
                created_at=self._clock.now(),
                required=command.required,
                order=command.order,
                options=command.options,
            )
            stored = await uow.custom_fields.save(field.create())
            await uow.commit()
        return stored


class CustomFieldChanges(TypedDict, total=False):
    label: str
    required: bool
    order: int
    options: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCustomFieldCommand:
    field_id: CustomFieldId
    changes: CustomFieldChanges
    expected_version: int | None = None


class ChangeCustomField:
    """Values that are there stay, also those that would not be taken any more. Raises CustomFieldNotFound, VersionChanged, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeCustomFieldCommand) -> CustomField:
        async with self._transactions.begin(actor, Permission.MANAGE_ORGANIZATION) as uow:
            field = await uow.custom_fields.get(command.field_id)
            check_version(field, command.expected_version)
            change = field.become(replace(field, **command.changes), self._clock.now())
            stored = await uow.custom_fields.save(change)
            await uow.commit()
        return stored


class GetCustomField:
    """Raises CustomFieldNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, field_id: CustomFieldId) -> CustomField:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.custom_fields.get(field_id)


class ListCustomFields:
    """By subject, order and key."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, subject: FieldSubject | None) -> Sequence[CustomField]:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.custom_fields.all(subject)
