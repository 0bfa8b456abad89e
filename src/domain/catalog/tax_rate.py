"""Tax rates with their dates: what a tax comes to on a given day."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Self

from src.domain.shared.change import Change
from src.domain.shared.errors import Conflict, Invalid, NotFound
from src.domain.shared.events import DomainEvent
from src.domain.shared.figures import HIGHEST_PERCENT, check_figure
from src.domain.shared.ids import TaxRateId
from src.domain.shared.text import TextChecks

MOST_PERIODS = 100


class TaxRateNotFound(NotFound):
    code = "tax_rate_not_found"


class TaxRateCodeTaken(Conflict):
    code = "tax_rate_code_taken"


class TaxRateInUse(Conflict):
    """Products still have it."""

    code = "tax_rate_in_use"


class TaxRateMissing(Invalid):
    """No period of the rate covers the day of a quote."""

    code = "tax_rate_missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRateCreated(DomainEvent):
    action = "tax_rate.created"
    resource_type: str = "tax_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRateChanged(DomainEvent):
    action = "tax_rate.changed"
    resource_type: str = "tax_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRateDeleted(DomainEvent):
    action = "tax_rate.deleted"
    resource_type: str = "tax_rate"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxPeriod:
    """From *valid_from* on (None: always) the rate is *rate_percent* (None: exempt), until the next period begins."""

    valid_from: date | None
    rate_percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """A tax that products carry, such as ``VAT-STANDARD``.

    *category* is a code of UNCL 5305 (``S``, ``Z``, ``E``, ``AE`` …) or a scheme such as ``VAT``; *exemption_code* says
    why an exempt rate is (VATEX). *surcharge_percent* comes on top. *periods* are in the order of their dates.
    """

    id: TaxRateId
    code: str
    name: str
    category: str
    periods: tuple[TaxPeriod, ...]
    created_at: datetime
    exemption_code: str = ""
    surcharge_percent: Decimal | None = None
    retained: bool = False
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("code", self.code, required=True, longest=40)
        checks.line("name", self.name, required=True)
        checks.line("category", self.category, required=True, longest=20)
        checks.line("exemption_code", self.exemption_code, longest=60)
        if self.surcharge_percent is not None:
            check_figure(checks, "surcharge_percent", self.surcharge_percent, below=HIGHEST_PERCENT)
        if not 1 <= len(self.periods) <= MOST_PERIODS:
            checks.refuse("periods", f"From 1 to {MOST_PERIODS} periods are needed.")
        for index, period in enumerate(self.periods):
            if period.rate_percent is not None:
                check_figure(checks, f"periods[{index}].rate_percent", period.rate_percent, below=HIGHEST_PERCENT)
        for index, (earlier, later) in enumerate(pairwise(self.periods), start=1):
            if later.valid_from is None or (earlier.valid_from or date.min) >= later.valid_from:
                checks.refuse(f"periods[{index}].valid_from", "Each period begins after the one before.")
        checks.done()

    def create(self) -> Change["TaxRate"]:
        return Change(None, self, (TaxRateCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: Self, at: datetime) -> Change[Self]:
        """With the values of *changed*; quotes that were priced before keep theirs until they are repriced."""
        return Change(
            self, replace(changed, id=self.id, version=self.version), (TaxRateChanged(resource_id=self.id, at=at),)
        )

    def delete(self, at: datetime) -> Change[Self]:
        return Change(self, self, (TaxRateDeleted(resource_id=self.id, at=at, code=self.code),))

    def on(self, day: date) -> TaxPeriod:
        """The period that *day* lies in. Raises TaxRateMissing before the first."""
        for period in reversed(self.periods):
            if period.valid_from is None or period.valid_from <= day:
                return period
        first = self.periods[0].valid_from
        raise TaxRateMissing(
            f"{self.code} has no rate on {day.isoformat()}; it begins on {first.isoformat() if first else '-'}."
        )
