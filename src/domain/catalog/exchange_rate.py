"""Exchange rates: dated, per organisation, never guessed."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Conflict, Invalid
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ExchangeRateId
from src.domain.shared.text import TextChecks

HIGHEST_RATE = Decimal(10) ** 9
MOST_RATE_DECIMALS = 12


class ExchangeRateMissing(Invalid):
    """No rate between two currencies up to a day."""

    code = "exchange_rate_missing"


class ExchangeRateTaken(Conflict):
    """There is a rate of that source for that day already."""

    code = "exchange_rate_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRateAdded(DomainEvent):
    action = "exchange_rate.added"
    resource_type: str = "exchange_rate"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """One unit of *base* is *rate* units of *target*, as *source* said for the day *as_of*."""

    id: ExchangeRateId
    base: Currency
    target: Currency
    rate: Decimal
    source: str
    as_of: date
    created_at: datetime
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("source", self.source, required=True, longest=60)
        if self.base == self.target:
            checks.refuse("target", "A currency needs no rate to itself.")
        if not self.rate.is_finite() or not 0 < self.rate < HIGHEST_RATE:
            checks.refuse("rate", f"A rate is more than 0 and less than {HIGHEST_RATE:f}.")
        else:
            exponent = self.rate.normalize().as_tuple().exponent
            if isinstance(exponent, int) and -exponent > MOST_RATE_DECIMALS:
                checks.refuse("rate", f"At most {MOST_RATE_DECIMALS} decimals are allowed.")
        checks.done()

    def add(self) -> Change["ExchangeRate"]:
        return Change(None, self, (ExchangeRateAdded(resource_id=self.id, at=self.created_at),))
