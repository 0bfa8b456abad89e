"""Custom fields in memory."""

from collections.abc import Sequence

from src.adapters.memory.records import MemoryRecords
from src.adapters.memory.state import MemoryTransaction
from src.application.ports.custom_fields import CustomFieldRepository
from src.domain.shared.change import Change
from src.domain.shared.custom_fields import CustomField, CustomFieldKeyTaken, CustomFieldNotFound, FieldSubject
from src.domain.shared.ids import CustomFieldId


class MemoryCustomFields(CustomFieldRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        missing = CustomFieldNotFound("There is no such custom field.")
        self._records = MemoryRecords(transaction, transaction.state.custom_fields, missing)

    async def get(self, field_id: CustomFieldId) -> CustomField:
        return self._records.get(field_id)

    async def all(self, subject: FieldSubject | None = None) -> Sequence[CustomField]:
        found = [one for one in self._records.items.values() if subject in {None, one.subject}]
        return sorted(found, key=lambda one: (one.subject, one.order, one.key))

    async def save(self, change: Change[CustomField]) -> CustomField:
        after = change.after
        if any((one.subject, one.key) == (after.subject, after.key) for one in self._records.others(after)):
            raise CustomFieldKeyTaken("This subject has a field with this key.")
        return self._records.save(change)
