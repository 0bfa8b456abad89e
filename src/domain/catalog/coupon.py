"""Coupons: a code that takes something off an offer, as often as it may be used."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Self

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Conflict, Invalid, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.figures import HIGHEST_AMOUNT, check_figure, check_percent
from src.domain.shared.ids import CategoryId, CouponId, CustomerId, ProductId, QuoteId
from src.domain.shared.text import TextChecks

HIGHEST_LIMIT = 1_000_000_000
MOST_TARGETS = 1000
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{1,39}", re.ASCII)


class CouponNotFound(NotFound):
    code = "coupon_not_found"


class CouponCodeTaken(Conflict):
    code = "coupon_code_taken"


class CouponUnknown(Invalid):
    """No coupon has this code."""

    code = "coupon_unknown"


class CouponNotValid(Invalid):
    """Not today, not for this, or not active."""

    code = "coupon_not_valid"


class CouponExpired(Invalid):
    code = "coupon_expired"


class CouponExhausted(Conflict):
    """It has been used as often as it may be."""

    code = "coupon_exhausted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponCreated(DomainEvent):
    action = "coupon.created"
    resource_type: str = "coupon"


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponChanged(DomainEvent):
    action = "coupon.changed"
    resource_type: str = "coupon"


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponRedeemed(DomainEvent):
    """*uses* counts this one."""

    action = "coupon.redeemed"
    resource_type: str = "coupon"
    quote_id: QuoteId
    uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponReleased(DomainEvent):
    """The offer that used it was taken back or given up."""

    action = "coupon.released"
    resource_type: str = "coupon"
    quote_id: QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """Off an offer: either *percent* or *amount* in *currency*.

    It counts from the first to the last day (both included; None: open), for offers whose lines come to *minimum* or
    more (in *currency*, before document discounts), at most *total_limit* times in all and *customer_limit* times for
    each customer (None: no limit). With *product_ids* or *category_ids* it is taken of just these lines.
    """

    id: CouponId
    code: str
    created_at: datetime
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
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        if not _CODE.fullmatch(self.code):
            checks.refuse("code", "A code has 2 to 40 capital letters, digits, hyphens and underscores.")
        if (self.percent is None) == (self.amount is None):
            checks.refuse("percent", "A coupon has either a percentage or an amount.")
        if self.percent is not None:
            check_percent(checks, "percent", self.percent)
        self._check_amounts(checks)
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            checks.refuse("valid_until", "The last day cannot be before the first.")
        self._check_limits(checks)
        checks.done()

    def _check_amounts(self, checks: TextChecks) -> None:
        for field, value in (("amount", self.amount), ("minimum", self.minimum)):
            if value is not None:
                check_figure(checks, field, value, below=HIGHEST_AMOUNT)
                if self.currency is None:
                    checks.refuse("currency", "An amount needs its currency.")

    def _check_limits(self, checks: TextChecks) -> None:
        for field, limit in (("total_limit", self.total_limit), ("customer_limit", self.customer_limit)):
            if limit is not None and not 1 <= limit <= HIGHEST_LIMIT:
                checks.refuse(field, f"A limit lies between 1 and {HIGHEST_LIMIT}.")
        for field, targets in (("product_ids", self.product_ids), ("category_ids", self.category_ids)):
            if len(targets) > MOST_TARGETS:
                checks.refuse(field, f"At most {MOST_TARGETS} are allowed.")

    def create(self) -> Change["Coupon"]:
        return Change(None, self, (CouponCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: Self, at: datetime) -> Change[Self]:
        changed = replace(changed, id=self.id, version=self.version)
        return Change(self, changed, (CouponChanged(resource_id=self.id, at=at),))

    @property
    def is_for_everything(self) -> bool:
        return not self.product_ids and not self.category_ids

    def covers(self, product_id: ProductId | None, lineage: tuple[CategoryId, ...]) -> bool:
        """Whether it is taken of lines with this product, whose category and ancestors are *lineage*."""
        return (
            self.is_for_everything or product_id in self.product_ids or not set(lineage).isdisjoint(self.category_ids)
        )

    def check_usable(self, currency: Currency, day: date) -> None:
        """Raises CouponNotValid and CouponExpired for an offer in *currency* of *day*."""
        if not self.active:
            raise CouponNotValid(f"The coupon {self.code} is not active.")
        if self.currency not in {None, currency}:
            raise CouponNotValid(f"The coupon {self.code} is in {self.currency}, the offer in {currency}.")
        if self.valid_from and day < self.valid_from:
            raise CouponNotValid(f"The coupon {self.code} is valid from {self.valid_from.isoformat()} on.")
        if self.valid_until and day > self.valid_until:
            raise CouponExpired(f"The coupon {self.code} was valid until {self.valid_until.isoformat()}.")

    def check_minimum(self, total: Decimal) -> None:
        """Raises CouponNotValid when the lines come to less than the minimum."""
        if self.minimum is not None and total < self.minimum:
            raise CouponNotValid(
                f"The coupon {self.code} needs lines of {self.minimum:f} {self.currency} or more; these come to {total:f}."
            )

    def check_uses(self, uses: "CouponUses") -> None:
        """Raises CouponExhausted when one more would be too many."""
        if self.total_limit is not None and uses.total >= self.total_limit:
            raise CouponExhausted(f"The coupon {self.code} has been used {uses.total} times and may not be again.")
        if self.customer_limit is not None and uses.of_customer >= self.customer_limit:
            raise CouponExhausted(
                f"This customer has used the coupon {self.code} {uses.of_customer} times and may not again."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponUses:
    """How many other offers use a coupon: in all, and of one customer."""

    total: int
    of_customer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One offer's use of a coupon: from its submission on, until it is recalled or given up."""

    coupon_id: CouponId
    quote_id: QuoteId
    customer_id: CustomerId
    at: datetime
