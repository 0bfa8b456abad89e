"""How every amount of an offer came about, step by step, as data: for people, for audits, for the verifier."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from src.domain.quoting.pricing import Tax
from src.domain.shared.price_source import PriceSource
from src.domain.shared.rounding import RoundingSettings

EXPLANATION_FORMAT = 1
GIVEN = "given"  # The note of a rounding that is an amount, and not what leads to a multiple of a step.


class StepKind(StrEnum):
    """What a step does. The list is closed: the verifier knows each of them."""

    LIST = "list"
    CONTRACT = "contract"
    TIER = "tier"
    GROUP = "group"
    OVERRIDE = "override"
    GROSS = "gross"
    LINE_DISCOUNT = "line_discount"
    CHARGE = "charge"
    LINES = "lines"
    DOCUMENT_DISCOUNT = "document_discount"
    COUPON = "coupon"
    DOCUMENT_CHARGE = "document_charge"
    DOCUMENT_DISCOUNT_SHARE = "document_discount_share"
    COUPON_SHARE = "coupon_share"
    DOCUMENT_CHARGE_SHARE = "document_charge_share"
    TAX_BASE = "tax_base"
    INCLUSIVE_EXTRACTION = "inclusive_extraction"
    TAX = "tax"
    SURCHARGE = "surcharge"
    INCLUDED_TAX = "included_tax"
    TAXES = "taxes"
    RETAINED = "retained"
    PREPAID = "prepaid"
    CASH_ROUNDING = "cash_rounding"
    PAYABLE = "payable"
    DEPOSIT = "deposit"
    INSTALMENT = "instalment"
    COST = "cost"


class Step(NamedTuple):
    """One step. A tuple, because a large offer has thousands and making a frozen dataclass takes five times as long.

    *base* is what it looks at and *rate* what it takes of it: percent, a quantity for ``gross``, a weight for shares.
    *amount* is what was given instead of a rate, or what the product of base and rate is divided by (the price base
    quantity, the sum of the weights). *exact* is the outcome before rounding, *rounded* after it, *result* the figure
    that the chain has come to with this step. *note* names what the step is about. All but rates and weights are in
    the offer's currency. A share says *of* which of the document's amounts it is, from 0, discounts before charges.
    """

    kind: StepKind
    base: Decimal | None
    rate: Decimal | None
    amount: Decimal | None
    exact: Decimal
    rounded: Decimal
    result: Decimal
    note: str = ""
    of: int | None = None


class LineExplanation(NamedTuple):
    """From price to net, the last result of *steps*; then *shares* of the document's amounts. *pot* is where it is taxed."""

    counts: bool
    pot: int | None
    source: PriceSource | None
    steps: tuple[Step, ...]
    shares: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class PotExplanation:
    """What is taxed alike: the nets of its lines, then the parts of the document's amounts."""

    taxes: tuple[int, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class TaxExplanation:
    """How the base of one tax and its amount came about."""

    tax: Tax
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The steps of one calculation, and the settings that they were rounded by."""

    settings: RoundingSettings
    minor_digits: int
    prices_include_tax: str | None
    lines: tuple[LineExplanation, ...]
    document: tuple[Step, ...]
    pots: tuple[PotExplanation, ...]
    taxes: tuple[TaxExplanation, ...]
    totals: tuple[Step, ...]
    format: int = EXPLANATION_FORMAT
