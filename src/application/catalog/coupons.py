"""Keep coupons."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypedDict

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.paging import Page, Paging
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.catalog.coupon import Coupon
from src.domain.catalog.product import ProductNotFound
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CategoryId, CouponId, ProductId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCouponCommand:
    code: str
    percent: Decimal | None = None
    amount: Decimal | None = None
    currency: Currency | None = None
    minimum: Decimal | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    total_limit: int | None = None
    customer_limit: int | None = None
    product_ids: tuple[ProductId, ...] = ()
    category_ids: tuple[CategoryId, ...] = ()
    active: bool = True


class CreateCoupon:
    """Raises CouponCodeTaken, ProductNotFound, CategoryNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: CreateCouponCommand) -> Coupon:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            coupon = Coupon(
                id=CouponId(self._ids.new()),
                code=command.code,
                percent=command.percent,
                amount=command.amount,
                currency=command.currency,
                minimum=command.minimum,
                valid_from=command.valid_from,
                valid_until=command.valid_until,
                total_limit=command.total_limit,
                customer_limit=command.customer_limit,
                product_ids=command.product_ids,
                category_ids=command.category_ids,
                active=command.active,
                created_at=self._clock.now(),
            )
            await _check_targets(uow, coupon)
            stored = await uow.coupons.save(coupon.create())
            await uow.commit()
        return stored


class CouponChanges(TypedDict, total=False):
    percent: Decimal | None
    amount: Decimal | None
    currency: Currency | None
    minimum: Decimal | None
    valid_from: date | None
    valid_until: date | None
    total_limit: int | None
    customer_limit: int | None
    product_ids: tuple[ProductId, ...]
    category_ids: tuple[CategoryId, ...]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCouponCommand:
    coupon_id: CouponId
    changes: CouponChanges
    expected_version: int | None = None


class ChangeCoupon:
    """Offers that have it keep its terms. Raises CouponNotFound, VersionChanged, ProductNotFound, CategoryNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeCouponCommand) -> Coupon:
        async with self._transactions.begin(actor, Permission.MANAGE_PRICES) as uow:
            coupon = await uow.coupons.get(command.coupon_id)
            check_version(coupon, command.expected_version)
            changed = replace(coupon, **command.changes)
            await _check_targets(uow, changed)
            stored = await uow.coupons.save(coupon.become(changed, self._clock.now()))
            await uow.commit()
        return stored


class GetCoupon:
    """Raises CouponNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, coupon_id: CouponId) -> Coupon:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.coupons.get(coupon_id)


class ListCoupons:
    """Newest first. Raises CursorRefused."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, search: str, paging: Paging) -> Page[Coupon]:
        async with self._transactions.begin(actor, Permission.VIEW_PRODUCTS) as uow:
            return await uow.coupons.page(search, paging)


async def _check_targets(uow: UnitOfWork, coupon: Coupon) -> None:
    if len(await uow.products.find(coupon.product_ids)) < len(set(coupon.product_ids)):
        raise ProductNotFound("There is no such product.")
    for category_id in coupon.category_ids:
        await uow.categories.get(category_id)
