"""Products, prices, taxes, coupons and exchange rates in the store."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from src.application.ports.paging import Page, Paging
from src.domain.catalog.category import Category
from src.domain.catalog.coupon import Coupon, CouponUses, Redemption
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.catalog.price_list import Price, PriceList, Target
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxRate
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, CouponId, CustomerId, PriceListId, ProductId, QuoteId, TaxRateId


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFilter:
    """Conditions that must all hold. *search* is contained in SKU, name or description, no matter the case.

    *archived* None shows both; *category_ids* none shows all. *created_from* is included, *created_before* is not.
    """

    search: str = ""
    archived: bool | None = None
    category_ids: tuple[CategoryId, ...] = ()
    custom: tuple[str, str] | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


class ProductRepository(Protocol):
    @abstractmethod
    async def get(self, product_id: ProductId) -> Product:
        """Raises ProductNotFound."""

    @abstractmethod
    async def find(self, product_ids: Sequence[ProductId]) -> Mapping[ProductId, Product]:
        """Those that exist, in one statement."""

    @abstractmethod
    async def find_by_sku(self, skus: Sequence[str]) -> Mapping[str, Product]:
        """Those that exist, in one statement, locked against changes until this unit of work ends."""

    @abstractmethod
    async def save(self, change: Change[Product]) -> Product:
        """Raises SkuTaken, and ChangedMeanwhile when someone else saved it first."""

    @abstractmethod
    async def put(self, products: Sequence[Product]) -> None:
        """Write many at once, new ones and known ones alike, telling the audit nothing: an import tells it for all.

        A known one keeps its SKU.
        """

    @abstractmethod
    async def page(self, criteria: ProductFilter, paging: Paging) -> Page[Product]:
        """The products that meet *criteria*, newest first."""

    @abstractmethod
    def stream(self, criteria: ProductFilter) -> AsyncIterator[Product]:
        """All products that meet *criteria*, oldest first, in flat memory. *search* does not count here."""

    @abstractmethod
    async def count(self, criteria: ProductFilter, at_most: int) -> int:
        """How many rows ``stream`` has; *at_most* for more."""


class CategoryRepository(Protocol):
    @abstractmethod
    async def get(self, category_id: CategoryId) -> Category:
        """Raises CategoryNotFound."""

    @abstractmethod
    async def tree(self) -> Mapping[CategoryId, Category]:
        """All of them."""

    @abstractmethod
    async def lock_tree(self) -> Mapping[CategoryId, Category]:
        """All of them; nobody else changes the tree until this unit of work ends."""

    @abstractmethod
    async def save(self, change: Change[Category]) -> Category:
        """Raises CategoryNameTaken."""


class TaxRateRepository(Protocol):
    @abstractmethod
    async def get(self, tax_rate_id: TaxRateId) -> TaxRate:
        """Raises TaxRateNotFound."""

    @abstractmethod
    async def all(self) -> Sequence[TaxRate]:
        """All of them, by their code."""

    @abstractmethod
    async def find(self, tax_rate_ids: Sequence[TaxRateId]) -> Mapping[TaxRateId, TaxRate]:
        """Those that exist, in one statement."""

    @abstractmethod
    async def save(self, change: Change[TaxRate]) -> TaxRate:
        """Raises TaxRateCodeTaken."""

    @abstractmethod
    async def delete(self, change: Change[TaxRate]) -> None:
        """Raises TaxRateInUse while a product has it, and ChangedMeanwhile when someone else changed it first."""


class PriceListRepository(Protocol):
    @abstractmethod
    async def get(self, price_list_id: PriceListId) -> PriceList:
        """Raises PriceListNotFound."""

    @abstractmethod
    async def lock_prices(self) -> None:
        """From now on nobody else changes price lists or prices, until this unit of work ends."""

    @abstractmethod
    async def find_by_name(self, names: Sequence[str]) -> Mapping[str, PriceList]: ...

    @abstractmethod
    async def for_buyer(self, scope_ids: Sequence[UUID]) -> Sequence[PriceList]:
        """The lists for everyone and for *scope_ids* (a customer and its group), active or not."""

    @abstractmethod
    async def rivals(self, price_list: PriceList) -> Sequence[PriceList]:
        """Other active lists of the same scope, currency and priority, whatever their dates."""

    @abstractmethod
    async def taking_tiers_from(self, price_list_id: PriceListId) -> Sequence[PriceList]: ...

    @abstractmethod
    async def save(self, change: Change[PriceList]) -> PriceList:
        """Raises PriceListNameTaken."""

    @abstractmethod
    async def page(self, search: str, paging: Paging) -> Page[PriceList]:
        """Lists whose name contains *search*, newest first."""


class PriceRepository(Protocol):
    @abstractmethod
    async def of_targets(
        self,
        price_list_ids: Sequence[PriceListId],
        product_ids: Sequence[ProductId],
        category_ids: Sequence[CategoryId],
    ) -> Sequence[Price]:
        """What these lists say about these products, these categories, and all products."""

    @abstractmethod
    async def at(
        self, price_list_id: PriceListId, product_id: ProductId | None, category_id: CategoryId | None
    ) -> Price | None:
        """What one list says about one target."""

    @abstractmethod
    def common(
        self, ours: Sequence[PriceListId], theirs: Sequence[PriceListId], only: Target | None
    ) -> AsyncIterator[Price]:
        """The prices of *ours* and of *theirs* whose target both have, ordered by target; in flat memory.

        *only* looks at one target.
        """

    @abstractmethod
    async def save(self, change: Change[Price]) -> Price: ...

    @abstractmethod
    async def put(self, prices: Sequence[Price]) -> None:
        """Write many at once, new ones and known ones alike, telling the audit nothing: an import tells it for all."""

    @abstractmethod
    async def remove(self, change: Change[Price]) -> None: ...

    @abstractmethod
    async def page(self, price_list_id: PriceListId, paging: Paging) -> Page[Price]:
        """The prices of one list, newest first."""


class CouponRepository(Protocol):
    @abstractmethod
    async def get(self, coupon_id: CouponId) -> Coupon:
        """Raises CouponNotFound."""

    @abstractmethod
    async def find_by_code(self, codes: Sequence[str]) -> Mapping[str, Coupon]: ...

    @abstractmethod
    async def lock(self, coupon_ids: Sequence[CouponId]) -> Mapping[CouponId, Coupon]:
        """Those that exist, in the order of their ids; nobody else redeems them until this unit of work ends."""

    @abstractmethod
    async def save(self, change: Change[Coupon]) -> Coupon:
        """Raises CouponCodeTaken."""

    @abstractmethod
    async def page(self, search: str, paging: Paging) -> Page[Coupon]:
        """Coupons whose code contains *search*, newest first."""

    @abstractmethod
    async def uses(self, coupon_id: CouponId, customer_id: CustomerId) -> CouponUses: ...

    @abstractmethod
    async def held_by(self, quote_id: QuoteId) -> frozenset[CouponId]:
        """The coupons that an offer uses."""

    @abstractmethod
    async def redeem(self, redemption: Redemption) -> None: ...

    @abstractmethod
    async def release(self, coupon_id: CouponId, quote_id: QuoteId) -> None: ...


class ExchangeRateRepository(Protocol):
    @abstractmethod
    async def latest(self, base: Currency, target: Currency, day: date) -> ExchangeRate | None:
        """The rate of the latest day up to *day*; of several of that day the one that was added last."""

    @abstractmethod
    async def save(self, change: Change[ExchangeRate]) -> ExchangeRate:
        """Raises ExchangeRateTaken."""

    @abstractmethod
    async def page(self, paging: Paging) -> Page[ExchangeRate]:
        """Newest first."""
