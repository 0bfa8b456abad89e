"""Custom fields in the store."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

from src.domain.shared.change import Change
from src.domain.shared.custom_fields import CustomField, FieldSubject
from src.domain.shared.ids import CustomFieldId


class CustomFieldRepository(Protocol):
    @abstractmethod
    async def get(self, field_id: CustomFieldId) -> CustomField:
        """Raises CustomFieldNotFound."""

    @abstractmethod
    async def all(self, subject: FieldSubject | None = None) -> Sequence[CustomField]:
        """All of them or of one subject, by subject, order and key."""

    @abstractmethod
    async def save(self, change: Change[CustomField]) -> CustomField:
        """Raises CustomFieldKeyTaken."""
