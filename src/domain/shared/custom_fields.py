"""Custom fields: what an organisation wants to know beyond our own fields, about customers, products and quotes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from src.domain.shared.canonical import decimal_text
from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import CustomFieldId
from src.domain.shared.text import TextChecks

MOST_FIELDS: Final = 100  # Of one subject.
MOST_OPTIONS: Final = 200
LONGEST_VALUE: Final = 1000
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)

Values = tuple[tuple[str, str], ...]  # By key; each value in the one form that its kind has.


class CustomFieldNotFound(NotFound):
    code = "custom_field_not_found"


class CustomFieldKeyTaken(Conflict):
    code = "custom_field_key_taken"


class FieldSubject(StrEnum):
    CUSTOMER = "customer"
    PRODUCT = "product"
    QUOTE = "quote"


class FieldKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFieldCreated(DomainEvent):
    action = "custom_field.created"
    resource_type: str = "custom_field"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomFieldChanged(DomainEvent):
    action = "custom_field.changed"
    resource_type: str = "custom_field"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """*key* names it in the API and never changes; *label* is for people, *order* for forms (the lower first).

    A *required* one must have a value whenever custom values are given, and in everything new. One that is not *active*
    takes no new values; those that are there stay.
    """

    id: CustomFieldId
    subject: FieldSubject
    key: str
    label: str
    kind: FieldKind
    created_at: datetime
    required: bool = False
    order: int = 0
    options: tuple[str, ...] = ()
    active: bool = True
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        if not _KEY.fullmatch(self.key):
            checks.refuse("key", "A key has 1 to 40 small letters, digits and underscores, and begins with a letter.")
        checks.line("label", self.label, required=True)
        if not -1_000_000 <= self.order <= 1_000_000:
            checks.refuse("order", "From -1000000 to 1000000.")
        if (self.kind is FieldKind.CHOICE) != bool(self.options):
            checks.refuse("options", "A choice needs options, and nothing else has any.")
        if len(self.options) > MOST_OPTIONS or len(set(self.options)) < len(self.options):
            checks.refuse("options", f"At most {MOST_OPTIONS} options, each once.")
        for position, option in enumerate(self.options[:MOST_OPTIONS]):
            checks.line(f"options[{position}]", option, required=True)
        checks.done()

    def create(self) -> Change["CustomField"]:
        return Change(None, self, (CustomFieldCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: "CustomField", at: datetime) -> Change["CustomField"]:
        """Subject, key and kind stay: values are kept under them."""
        kept = replace(changed, id=self.id, subject=self.subject, key=self.key, kind=self.kind, version=self.version)
        return Change(self, kept, (CustomFieldChanged(resource_id=self.id, at=at),))


def changed_values(fields: Sequence[CustomField], before: Values, told: Mapping[str, str | None]) -> Values:
    """*before* with what is *told* (None takes a value away), checked against the subject's *fields*. Raises Invalid (``custom.KEY``)."""
    checks, values = TextChecks(), dict(before)
    known = {one.key: one for one in fields if one.active}
    for key, value in told.items():
        if key not in known:
            checks.refuse(f"custom.{key[:40]}", "There is no such custom field.")
        elif value is None or not value.strip():
            values.pop(key, None)
        else:
            values[key] = _normal(checks, known[key], value.strip())
    for one in known.values():
        if one.required and one.key not in values:
            checks.refuse(f"custom.{one.key}", f"{one.label} is required.")
    checks.done()
    return tuple(sorted(values.items()))


def _normal(checks: TextChecks, field: CustomField, value: str) -> str:
    """The one form of *value*."""
    place = f"custom.{field.key}"
    match field.kind:
        case FieldKind.TEXT:
            checks.line(place, value, longest=LONGEST_VALUE)
        case FieldKind.CHOICE if value not in field.options:
            checks.refuse(place, f"It must be one of {', '.join(field.options[:20])}.")
        case FieldKind.NUMBER:
            if _NUMBER.fullmatch(value):
                return decimal_text(Decimal(value))
            checks.refuse(place, "This is no plain decimal such as 1250.5.")
        case FieldKind.DATE:
            try:
                return date.fromisoformat(value).isoformat()
            except ValueError:
                checks.refuse(place, "This is no day such as 2026-11-21.")
    return value
