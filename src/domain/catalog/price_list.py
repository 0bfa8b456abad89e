"""Price lists: what products cost for whom, when, and from which quantity on."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Self
from uuid import UUID

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Conflict, FieldError, Invalid, NotFound, invalid_field
from src.domain.shared.events import DomainEvent
from src.domain.shared.figures import HIGHEST_PRICE, HIGHEST_QUANTITY, check_figure, check_percent
from src.domain.shared.ids import CategoryId, PriceId, PriceListId, ProductId
from src.domain.shared.text import TextChecks

# A product, or a category, or (both None) all products.
Target = tuple[ProductId | None, CategoryId | None]
MOST_TIERS = 50
HIGHEST_PRIORITY = 1_000_000


class PriceListNotFound(NotFound):
    code = "price_list_not_found"


class PriceListNameTaken(Conflict):
    code = "price_list_name_taken"


class PriceListInUse(Conflict):
    """Another list takes its tiers from it."""

    code = "price_list_in_use"


class AmbiguousPrice(Conflict):
    """Two prices would hold for the same sale with nothing to tell which wins."""

    code = "ambiguous_price"


class TiersOverlap(Invalid):
    code = "tiers_overlap"


class TierGap(Invalid):
    code = "tier_gap"


class Scope(StrEnum):
    """Whom a price list is for. The nearest to the customer wins."""

    CUSTOMER = "customer"
    GROUP = "group"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListCreated(DomainEvent):
    action = "price_list.created"
    resource_type: str = "price_list"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListChanged(DomainEvent):
    action = "price_list.changed"
    resource_type: str = "price_list"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSet(DomainEvent):
    action = "price.set"
    resource_type: str = "price_list"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRemoved(DomainEvent):
    action = "price.removed"
    resource_type: str = "price_list"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Prices in one *currency* for one scope, valid from the first to the last day (both included; None: open).

    *scope_id* is the customer or the group, None for everyone. Among equals the higher *priority* wins. With
    *tiers_from* whatever has no price of its own here costs what it costs there, under this list's scope and dates.
    """

    id: PriceListId
    name: str
    currency: Currency
    scope: Scope
    created_at: datetime
    scope_id: UUID | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    priority: int = 0
    active: bool = True
    tiers_from: PriceListId | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.name, required=True)
        if (self.scope is Scope.EVERYONE) != (self.scope_id is None):
            checks.refuse("scope_id", "A list for a customer or a group names it; a list for everyone names nobody.")
        if self.valid_from and self.valid_until and self.valid_from > self.valid_until:
            checks.refuse("valid_until", "The last day cannot be before the first.")
        if not -HIGHEST_PRIORITY <= self.priority <= HIGHEST_PRIORITY:
            checks.refuse("priority", f"A priority lies between -{HIGHEST_PRIORITY} and {HIGHEST_PRIORITY}.")
        if self.tiers_from == self.id:
            checks.refuse("tiers_from", "A list cannot take its tiers from itself.")
        checks.done()

    def create(self) -> Change["PriceList"]:
        return Change(None, self, (PriceListCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: Self, at: datetime) -> Change[Self]:
        """With the values of *changed*, but for the currency: the prices in it would mean something else.

        Raises Invalid when the currency differs.
        """
        if changed.currency != self.currency:
            raise invalid_field("currency", "The currency of a price list never changes; make another list.")
        changed = replace(changed, id=self.id, version=self.version)
        return Change(self, changed, (PriceListChanged(resource_id=self.id, at=at),))

    def is_valid_on(self, day: date) -> bool:
        return (self.valid_from or date.min) <= day <= (self.valid_until or date.max)

    def competes_with(self, other: "PriceList") -> bool:
        """Whether only their prices' targets and tiers can tell which of the two lists wins on some day."""
        return (
            self.active
            and other.active
            and (self.scope, self.scope_id, self.currency, self.priority)
            == (other.scope, other.scope_id, other.currency, other.priority)
            and (self.valid_from or date.min) <= (other.valid_until or date.max)
            and (other.valid_from or date.min) <= (self.valid_until or date.max)
        )


def check_source(price_list: PriceList, source: PriceList) -> None:
    """Raises Invalid when *price_list* cannot take its tiers from *source*."""
    if source.currency != price_list.currency:
        raise invalid_field(
            "tiers_from",
            f"{source.name} is in {source.currency}, this list in {price_list.currency}: tiers are not converted.",
        )
    if source.tiers_from is not None:
        raise invalid_field("tiers_from", f"{source.name} takes its tiers from another list; name that one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTier:
    """From *min_quantity* on: a *unit_price* in the list's currency, or *discount_percent* off the product's list price.

    *unit_price* is for *price_base_quantity* units.
    """

    min_quantity: Decimal
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    price_base_quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one target costs in one list: a product, or all products of a category, or (neither) all products.

    *unit* None is the product's own; *tiers* are in the order of their quantities.
    """

    id: PriceId
    price_list_id: PriceListId
    tiers: tuple[PriceTier, ...]
    created_at: datetime
    product_id: ProductId | None = None
    category_id: CategoryId | None = None
    unit: str | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        if self.product_id is not None and self.category_id is not None:
            checks.refuse("category_id", "A price is for a product or for a category, not for both.")
        if not 1 <= len(self.tiers) <= MOST_TIERS:
            checks.refuse("tiers", f"From 1 to {MOST_TIERS} tiers are needed.")
        for index, tier in enumerate(self.tiers):
            self._check_tier(checks, f"tiers[{index}]", tier)
        checks.done()
        for earlier, later in pairwise(self.tiers):
            if earlier.min_quantity >= later.min_quantity:
                raise TiersOverlap(
                    f"Two tiers begin at {later.min_quantity:f}.", fields=(FieldError("tiers", "Tiers overlap."),)
                )

    def _check_tier(self, checks: TextChecks, place: str, tier: PriceTier) -> None:
        check_figure(checks, f"{place}.min_quantity", tier.min_quantity, below=HIGHEST_QUANTITY)
        check_figure(
            checks, f"{place}.price_base_quantity", tier.price_base_quantity, below=HIGHEST_QUANTITY, above=Decimal(0)
        )
        if (tier.unit_price is None) == (tier.discount_percent is None):
            checks.refuse(place, "A tier has either a unit price or a discount in percent.")
        if tier.unit_price is not None:
            check_figure(checks, f"{place}.unit_price", tier.unit_price, below=HIGHEST_PRICE)
            if self.product_id is None:
                checks.refuse(f"{place}.unit_price", "Several products have no common price; give a discount.")
        if tier.discount_percent is not None:
            check_percent(checks, f"{place}.discount_percent", tier.discount_percent)

    @property
    def target(self) -> Target:
        return self.product_id, self.category_id

    def set_over(self, before: "Price | None", at: datetime) -> Change["Price"]:
        """Put this price in the place of *before*, the one that the list had for the same target."""
        event = PriceSet(resource_id=self.price_list_id, at=at)
        if before is None:
            return Change(None, self, (event,))
        return Change(
            before, replace(self, id=before.id, created_at=before.created_at, version=before.version), (event,)
        )

    def remove(self, at: datetime) -> Change[Self]:
        return Change(self, self, (PriceRemoved(resource_id=self.price_list_id, at=at),))

    def tier_for(self, quantity: Decimal) -> PriceTier | None:
        """The tier that *quantity* has reached, by its size; None below the first."""
        return next((tier for tier in reversed(self.tiers) if tier.min_quantity <= abs(quantity)), None)

    def shares_a_tier_with(self, other: "Price") -> bool:
        return self.target == other.target and not {tier.min_quantity for tier in self.tiers}.isdisjoint(
            tier.min_quantity for tier in other.tiers
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRange:
    """A tier as people write it, with the quantity *below* which it ends (None: open)."""

    tier: PriceTier
    below: Decimal | None = None


def tiers_of(ranges: tuple[TierRange, ...]) -> tuple[PriceTier, ...]:
    """The tiers in order. Raises TiersOverlap and TierGap naming the range where ends were given and do not meet."""
    places = sorted(enumerate(ranges), key=lambda placed: placed[1].tier.min_quantity)
    for (_, earlier), (index, later) in pairwise(places):
        starts = later.tier.min_quantity
        ends = earlier.below
        overlap = starts == earlier.tier.min_quantity or (ends is not None and ends > starts)
        if overlap or (ends is not None and ends < starts):
            kind = TiersOverlap if overlap else TierGap
            what = "begins before the one below it ends" if overlap else "leaves a gap to the one below it"
            message = f"The tier from {starts:f} {what}."
            raise kind(message, fields=(FieldError(f"tiers[{index}].min_quantity", message),))
    if places and places[-1][1].below is not None:
        index, last = places[-1]
        message = f"Nothing has a price from {last.below:f} on: leave the last tier open."
        raise TierGap(message, fields=(FieldError(f"tiers[{index}].below", message),))
    return tuple(one.tier for _, one in places)
