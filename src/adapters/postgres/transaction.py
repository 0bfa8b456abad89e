"""What the repositories of one unit of work share: the connection, the tenant, and the changes saved so far."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Insert, Table, Update, bindparam, delete, insert, text, update
from sqlalchemy.exc import IntegrityError

from src.adapters.postgres.connection import Connection
from src.domain.catalog.category import CategoryNameTaken, CategoryNotFound
from src.domain.catalog.coupon import CouponCodeTaken
from src.domain.catalog.exchange_rate import ExchangeRateTaken
from src.domain.catalog.price_list import PriceListNameTaken, PriceListNotFound
from src.domain.catalog.product import ProductNotFound, SkuTaken
from src.domain.catalog.tax_rate import TaxRateCodeTaken, TaxRateInUse, TaxRateNotFound
from src.domain.customers.customer import CustomerNotFound, CustomerReferenceTaken
from src.domain.customers.group import CustomerGroupNameTaken, CustomerGroupNotFound
from src.domain.identity.organization import SlugTaken
from src.domain.identity.user import EmailTaken
from src.domain.messaging.message import MessageDoubled
from src.domain.messaging.template import MailTemplateTaken
from src.domain.shared.change import Change
from src.domain.shared.custom_fields import CustomFieldKeyTaken
from src.domain.shared.errors import DomainError, Stale

Row = Mapping[str, Any]

# What a broken constraint means in the language of the business: the error, and its sentence.
_MEANINGS: Final[Mapping[str, tuple[type[DomainError], str]]] = {
    "users_email_key": (EmailTaken, "This e-mail is taken."),
    "products_sku_key": (SkuTaken, "This SKU is taken."),
    "organizations_slug_key": (SlugTaken, "This slug is taken."),
    "contacts_customer_fkey": (CustomerNotFound, "There is no such customer."),
    "quotes_customer_fkey": (CustomerNotFound, "There is no such customer."),
    "custom_fields_key_key": (CustomFieldKeyTaken, "This subject has a field with this key."),
    "customers_reference_key": (CustomerReferenceTaken, "Another customer has this reference."),
    "customers_group_fkey": (CustomerGroupNotFound, "There is no such customer group."),
    "customer_groups_name_key": (CustomerGroupNameTaken, "Another customer group has this name."),
    "categories_name_key": (CategoryNameTaken, "Another category has this name."),
    "categories_parent_fkey": (CategoryNotFound, "There is no such category."),
    "products_category_fkey": (CategoryNotFound, "There is no such category."),
    "tax_rates_code_key": (TaxRateCodeTaken, "Another tax rate has this code."),
    "price_lists_name_key": (PriceListNameTaken, "Another price list has this name."),
    "price_lists_source_fkey": (PriceListNotFound, "There is no such price list to take tiers from."),
    "prices_list_fkey": (PriceListNotFound, "There is no such price list."),
    "prices_product_fkey": (ProductNotFound, "There is no such product."),
    "prices_category_fkey": (CategoryNotFound, "There is no such category."),
    "coupons_code_key": (CouponCodeTaken, "Another coupon has this code."),
    "mail_templates_language_key": (
        MailTemplateTaken,
        "There is a template of this kind and language; change that one.",
    ),
    "messages_attempt_key": (MessageDoubled, "This recipient is in this attempt group already."),
    "exchange_rates_day_key": (ExchangeRateTaken, "This source has a rate for that day already."),
}
# Broken from either side: a product without its tax rate, or a tax rate that goes while products have it.
_TAX_RATE_OF_PRODUCT: Final = "products_tax_rate_fkey"
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))")
_CONSTRAINT: Final = re.compile(r'constraint "([a-z0-9_]+)"')


class Versioned(Protocol):
    @property
    def version(self) -> int: ...


State = TypeVar("State", bound=Versioned)


class ChangedMeanwhile(Stale):
    """Someone else saved it first."""


@dataclass(slots=True)
class Transaction:
    """One open transaction of one organisation. *changes* are told to the audit when it commits."""

    connection: Connection
    organization_id: UUID
    changes: list[Change[Any]] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)

    def next_version(self, identity: UUID, stored: int) -> int:
        """One more than *stored*, but only once for each thing in a transaction."""
        return self.versions.setdefault(identity, stored + 1)

    async def lock(self, what: str) -> None:
        """Until the transaction ends nobody else of the organisation passes here with the same *what*."""
        await self.connection.execute(_LOCK, {"what": f"{self.organization_id}:{what}"})

    async def add(self, table: Table, row: Row) -> None:
        """Insert *row*. Raises the domain error that a broken constraint stands for."""
        try:
            await self.connection.execute(_adding(table), {"organization_id": self.organization_id, **row})
        except IntegrityError as error:
            raise meaning_of(error) from error

    async def change(self, table: Table, identity: UUID, version: int, row: Row) -> None:
        """Update the row that still has *version*. Raises ChangedMeanwhile when somebody was quicker."""
        await self._hit(_changing(table), {**self._as_read(identity, version), **row})

    async def remove(self, table: Table, identity: UUID, version: int) -> None:
        """Delete the row that still has *version*. Raises ChangedMeanwhile when somebody was quicker."""
        await self._hit(_removing(table), self._as_read(identity, version))

    def _as_read(self, identity: UUID, version: int) -> Row:
        return {"own_organization": self.organization_id, "own_id": identity, "as_read": version}

    async def _hit(self, statement: Update | Delete, row: Row) -> None:
        """Raises ChangedMeanwhile when it finds no row, and what a broken constraint means."""
        try:
            result = await self.connection.execute(statement, row)
        except IntegrityError as error:
            raise meaning_of(error) from error
        if result.rowcount != 1:
            raise ChangedMeanwhile("Someone else changed this meanwhile; read it again.")


# Statements that never change are put together once: that takes longer than sending them.
@cache
def _adding(table: Table) -> Insert:
    return insert(table)


@cache
def _changing(table: Table) -> Update:
    return update(table).where(*_row_as_read(table))


@cache
def _removing(table: Table) -> Delete:
    return delete(table).where(*_row_as_read(table))


def _row_as_read(table: Table) -> tuple[ColumnElement[bool], ...]:
    columns = table.c
    return (
        columns.organization_id == bindparam("own_organization"),
        columns.id == bindparam("own_id"),
        columns.version == bindparam("as_read"),
    )


def meaning_of(error: IntegrityError) -> Exception:
    """The domain error for *error*; itself, where its constraint has no meaning of its own."""
    name = getattr(error.driver_exception, "constraint_name", None)
    if name is None:
        match = _CONSTRAINT.search(str(error.orig))
        name = match[1] if match else ""
    if name == _TAX_RATE_OF_PRODUCT:
        if "delete on table" in str(error.orig):
            return TaxRateInUse("Products still have this tax rate; give them another one first.")
        return TaxRateNotFound("There is no such tax rate.")
    if name not in _MEANINGS:
        return error
    kind, sentence = _MEANINGS[name]
    return kind(sentence)  # A new one each time: an error keeps the frames that it was raised in.
