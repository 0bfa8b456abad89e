"""Change a product, archive it, or offer it again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypedDict

from src.application.custom_values import custom_values
from src.application.ports.clock import Clock
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.catalog.product import Product
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.ids import CategoryId, ProductId, TaxRateId


class ProductChanges(TypedDict, total=False):
    """What is absent stays as it is."""

    sku: str
    name: str
    description: str
    unit: str
    list_price: Decimal
    cost: Decimal | None
    category_id: CategoryId | None
    tax_rate_id: TaxRateId | None
    tax_category: str
    tax_rate_percent: Decimal | None
    archived: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeProductCommand:
    """*expected_version* is the version that the editor looked at; None does not ask."""

    product_id: ProductId
    changes: ProductChanges
    custom: Mapping[str, str | None] | None = None
    expected_version: int | None = None


class ChangeProduct:
    """Quotes keep the prices and texts that they have; drafts show that theirs are stale.

    Raises ProductNotFound, SkuTaken, CategoryNotFound, TaxRateNotFound, VersionChanged, Invalid.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeProductCommand) -> Product:
        async with self._transactions.begin(actor, Permission.EDIT_PRODUCTS) as uow:
            product = await uow.products.get(command.product_id)
            check_version(product, command.expected_version)
            custom = await custom_values(uow, FieldSubject.PRODUCT, product.custom, command.custom)
            changed = replace(product, **command.changes, custom=custom)
            stored = await uow.products.save(product.become(changed, self._clock.now()))
            await uow.commit()
        return stored
