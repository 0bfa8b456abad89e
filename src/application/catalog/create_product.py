"""Add a product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from src.application.custom_values import custom_values
from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.catalog.product import Product
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.ids import CategoryId, ProductId, TaxRateId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProductCommand:
    """*list_price* and *cost* are for one *unit*, in *currency* (None: the organisation's).

    The tax is *tax_rate_id*, or else *tax_category* and *tax_rate_percent* (None: exempt).
    """

    sku: str
    name: str
    list_price: Decimal
    tax_rate_percent: Decimal | None
    tax_category: str = "VAT"
    description: str = ""
    unit: str = "C62"
    currency: Currency | None = None
    tax_rate_id: TaxRateId | None = None
    cost: Decimal | None = None
    category_id: CategoryId | None = None
    custom: Mapping[str, str | None] = field(default_factory=dict)


class CreateProduct:
    """Raises SkuTaken, CategoryNotFound, TaxRateNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateProductCommand) -> Product:
        async with self._transactions.begin(actor, Permission.EDIT_PRODUCTS) as uow:
            currency = command.currency or (await uow.organizations.current()).default_currency
            product = Product(
                id=ProductId(self._ids.new()),
                sku=command.sku,
                name=command.name,
                description=command.description,
                unit=command.unit,
                list_price=command.list_price,
                currency=currency,
                tax_category=command.tax_category,
                tax_rate_percent=command.tax_rate_percent,
                tax_rate_id=command.tax_rate_id,
                cost=command.cost,
                category_id=command.category_id,
                custom=await custom_values(uow, FieldSubject.PRODUCT, (), command.custom),
                created_at=self._clock.now(),
            )
            stored = await uow.products.save(product.create())
            await uow.commit()
        return stored
