"""What the catalogue says to one buyer about some products: read once, asked for each line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.catalog.category import Category, lineage
from src.domain.catalog.price_list import Price, PriceList, Target
from src.domain.catalog.product import Product, ProductNotFound
from src.domain.catalog.selection import Buyer, PriceQuestion, select_price
from src.domain.catalog.tax_rate import TaxRate
from src.domain.customers.customer import Customer
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, PriceListId, ProductId, TaxRateId
from src.domain.shared.price_source import PriceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricebook:
    """The one place that answers what something costs: for drafts, previews, imports and jobs alike."""

    products: Mapping[ProductId, Product]
    tree: Mapping[CategoryId, Category]
    tax_rates: Mapping[TaxRateId, TaxRate]
    price_lists: Sequence[PriceList]
    prices: Mapping[PriceListId, Mapping[Target, Price]]
    buyer: Buyer

    @classmethod
    async def read(cls, uow: UnitOfWork, product_ids: Iterable[ProductId], customer: Customer | None) -> Self:
        """Raises ProductNotFound naming the first that is not there."""
        wanted = list(dict.fromkeys(product_ids))
        if not wanted:
            return cls(products={}, tree={}, tax_rates={}, price_lists=(), prices={}, buyer=Buyer())
        products = await uow.products.find(wanted)
        for product_id in wanted:
            if product_id not in products:
                raise ProductNotFound("There is no such product.", product_id=str(product_id))
        categorised = {product.category_id for product in products.values()} - {None}
        tree = await uow.categories.tree() if categorised else {}
        branches = {one for category_id in categorised for one in lineage(category_id, tree)}
        taxed = [product.tax_rate_id for product in products.values() if product.tax_rate_id is not None]
        buyer = await _buyer(uow, customer)
        lists = await uow.price_lists.for_buyer([one for one in (buyer.customer_id, buyer.group_id) if one is not None])
        asked = {one.id for one in lists} | {one.tiers_from for one in lists if one.tiers_from is not None}
        prices: dict[PriceListId, dict[Target, Price]] = {}
        for price in await uow.prices.of_targets(list(asked), wanted, list(branches)) if asked else ():
            prices.setdefault(price.price_list_id, {})[price.target] = price
        return cls(
            products=products,
            tree=tree,
            tax_rates=await uow.tax_rates.find(taxed) if taxed else {},
            price_lists=lists,
            prices=prices,
            buyer=buyer,
        )

    def price(
        self, product_id: ProductId, *, quantity: Decimal, unit: str, currency: Currency, day: date
    ) -> PriceSource:
        """The price that wins. Raises PriceNotFound."""
        product = self.products[product_id]
        question = PriceQuestion(
            product=product,
            lineage=self.lineage(product_id),
            quantity=quantity,
            unit=unit,
            currency=currency,
            day=day,
            buyer=self.buyer,
        )
        return select_price(question, self._offers(product_id, question.lineage))

    def lineage(self, product_id: ProductId) -> tuple[CategoryId, ...]:
        """The product's category and that one's ancestors, the nearest first."""
        return lineage(self.products[product_id].category_id, self.tree)

    def tax_rate(self, product_id: ProductId) -> TaxRate | None:
        """The dated rate of the product; None when it states its tax itself."""
        tax_rate_id = self.products[product_id].tax_rate_id
        return None if tax_rate_id is None else self.tax_rates[tax_rate_id]

    def _offers(self, product_id: ProductId, categories: Sequence[CategoryId]) -> Iterator[tuple[PriceList, Price]]:
        """What each list says; where it says nothing about a target, what the list says that it takes tiers from."""
        targets: list[Target] = [(product_id, None), *((None, category) for category in categories), (None, None)]
        for price_list in self.price_lists:
            own = self.prices.get(price_list.id, {})
            source = {} if price_list.tiers_from is None else self.prices.get(price_list.tiers_from, {})
            for target in targets:
                price = own.get(target) or source.get(target)
                if price is not None:
                    yield price_list, price


async def _buyer(uow: UnitOfWork, customer: Customer | None) -> Buyer:
    if customer is None:
        return Buyer()
    if customer.group_id is None:
        return Buyer(customer_id=customer.id)
    group = await uow.customer_groups.get(customer.group_id)
    return Buyer(
        customer_id=customer.id,
        group_id=group.id,
        group_name=group.name,
        group_version=group.version,
        group_discount_percent=group.discount_percent,
    )
