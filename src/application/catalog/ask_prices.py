"""Ask what something costs a customer on a day, without an offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from src.application.ports.clock import Clock
from src.application.prices.lines import product_tax
from src.application.prices.pricebook import Pricebook
from src.application.transactions import Transactions
from src.domain.catalog.selection import PriceNotFound
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.pricing import Tax
from src.domain.shared.currency import Currency
from src.domain.shared.errors import FieldError
from src.domain.shared.ids import CustomerId, ProductId
from src.domain.shared.price_source import PriceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRequest:
    """*unit* None: the product's own."""

    product_id: ProductId
    quantity: Decimal
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPricesCommand:
    """*currency* None: the customer's, else the organisation's; *day* None: today in the organisation's time zone."""

    items: tuple[PriceRequest, ...]
    customer_id: CustomerId | None = None
    currency: Currency | None = None
    day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAnswer:
    product_id: ProductId
    source: PriceSource
    tax: Tax


class AskPrices:
    """Exactly what a draft would get. Raises CustomerNotFound, ProductNotFound, PriceNotFound, TaxRateMissing."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: AskPricesCommand) -> Sequence[PriceAnswer]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            organization = await uow.organizations.current()
            customer = None if command.customer_id is None else await uow.customers.get(command.customer_id)
            currency = command.currency or (customer.currency if customer else organization.default_currency)
            day = command.day or self._clock.now().astimezone(organization.zone).date()
            pricebook = await Pricebook.read(uow, [item.product_id for item in command.items], customer)
        answers = []
        for index, item in enumerate(command.items):
            product = pricebook.products[item.product_id]
            try:
                source = pricebook.price(
                    item.product_id,
                    quantity=item.quantity,
                    unit=item.unit or product.unit,
                    currency=currency,
                    day=day,
                )
            except PriceNotFound as error:
                place = FieldError(f"items[{index}]", error.message)
                raise PriceNotFound(error.message, fields=(place,), **error.details) from None
            answers.append(PriceAnswer(product_id=product.id, source=source, tax=product_tax(pricebook, product, day)))
        return answers
