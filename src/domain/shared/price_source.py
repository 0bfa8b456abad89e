"""Where a unit price came from, and what it won over: kept with the line, because lists change."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class PriceKind(StrEnum):
    LIST = "list"
    CONTRACT = "contract"
    TIER = "tier"
    GROUP = "group"
    OVERRIDE = "override"


class LosingReason(StrEnum):
    """Why a candidate was not taken; the first that applies."""

    INACTIVE = "inactive"
    OTHER_CUSTOMER = "other_customer"
    WRONG_CURRENCY = "wrong_currency"
    WRONG_UNIT = "wrong_unit"
    NOT_VALID_ON_DATE = "not_valid_on_date"
    BELOW_MIN_QUANTITY = "below_min_quantity"
    LESS_SPECIFIC = "less_specific"
    LOWER_PRIORITY = "lower_priority"
    OLDER = "older"


@dataclass(frozen=True, slots=True, kw_only=True)
class LosingCandidate:
    """A price that might have been taken. *min_quantity* is where its tier begins."""

    source_type: str
    source_id: str
    name: str
    min_quantity: Decimal
    reason: LosingReason


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """The price that won, the circumstances that it was asked under, and at most five that lost.

    *source_type* is ``product``, ``price_list``, ``customer_group`` or ``typed``. *list_price* is what a percentage was
    taken of, in *currency*; *unit_price* what came out, for *price_base_quantity* units. *reason* is why somebody typed
    another price; *catalog_price* is what the catalogue said then (None: nothing).
    """

    kind: PriceKind
    source_type: str
    source_id: str
    name: str
    version: int
    list_price: Decimal | None
    discount_percent: Decimal | None
    unit_price: Decimal
    min_quantity: Decimal
    currency: str
    pricing_date: date
    quantity: Decimal
    customer_id: str
    losers: tuple[LosingCandidate, ...] = ()
    reason: str = ""
    price_base_quantity: Decimal = Decimal(1)
    catalog_price: Decimal | None = None
