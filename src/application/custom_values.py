"""Custom values, checked against the fields that the organisation has."""

from collections.abc import Mapping, Sequence

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.shared.custom_fields import CustomField, FieldSubject, Values, changed_values


async def custom_values(
    uow: UnitOfWork, subject: FieldSubject, before: Values, told: Mapping[str, str | None] | None
) -> Values:
    """*before* with what is *told*; None leaves it as it is. Raises Invalid naming ``custom.KEY``."""
    if told is None:
        return before
    return changed_values(await uow.custom_fields.all(subject), before, told)


def imported_values(fields: Sequence[CustomField], before: Values | None, told: Mapping[str, str]) -> Values:
    """*before* with what a row tells; a row of something new (None) must tell what is required. Raises Invalid."""
    if before is not None and not told:
        return before
    return changed_values(fields, before or (), told)
