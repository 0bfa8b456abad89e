"""Custom fields in PostgreSQL, and how their values are looked for."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, false, func, select

from src.adapters.postgres.json_columns import to_json
from src.adapters.postgres.records import Records
from src.adapters.postgres.tables import custom_fields
from src.adapters.postgres.transaction import Transaction
from src.application.ports.custom_fields import CustomFieldRepository
from src.domain.shared.change import Change
from src.domain.shared.custom_fields import CustomField, CustomFieldNotFound, FieldSubject
from src.domain.shared.ids import CustomFieldId

_OF_SUBJECT: Final = (
    select(custom_fields)
    .where(custom_fields.c.organization_id == bindparam("organization"), custom_fields.c.subject == bindparam("wanted"))
    .order_by(custom_fields.c.order, custom_fields.c.key)
)


class PostgresCustomFields(CustomFieldRepository):
    def __init__(self, transaction: Transaction) -> None:
        missing = CustomFieldNotFound("There is no such custom field.")
        self._records = Records(transaction, custom_fields, CustomField, missing)
        self._transaction = transaction

    async def get(self, field_id: CustomFieldId) -> CustomField:
        return await self._records.get(field_id)

    async def all(self, subject: FieldSubject | None = None) -> Sequence[CustomField]:
        columns = custom_fields.c
        if subject is None:
            return await self._records.all(columns.subject, columns.order, columns.key)
        parameters = {"organization": self._transaction.organization_id, "wanted": subject.value}
        return await self._records.read(_OF_SUBJECT, parameters)

    async def save(self, change: Change[CustomField]) -> CustomField:
        return await self._records.save(change)


def has_value(column: ColumnElement[Any], wanted: tuple[str, str]) -> ColumnElement[bool]:
    """Whether *column*, values as they are kept, has exactly this one."""
    stored = stored_value(wanted)
    return false() if stored is None else func.strpos(column, stored) > 0


def stored_value(wanted: tuple[str, str]) -> str | None:
    """How a value is kept among others; None when it cannot be."""
    return None if "\0" in "".join(wanted) else to_json(wanted)
