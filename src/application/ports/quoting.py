"""Quotes in the store, and how lists show them."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from src.application.ports.documents import Column, CopiedRows
from src.application.ports.paging import Page, Paging
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import Values
from src.domain.shared.ids import ContactId, CustomerId, QuoteId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteFilter:
    """Conditions that must all hold; an absent one does not count.

    *created_from* is included, *created_before* is not (instants in UTC). *search* is contained in number, title or
    customer name, no matter the case. *delivery_failed*: of the revision that was mailed last the
    newest mail to each recipient has failed; False: any other.
    """

    statuses: tuple[QuoteStatus, ...] = ()
    customer_id: CustomerId | None = None
    owner_id: UserId | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    search: str = ""
    custom: tuple[str, str] | None = None
    delivery_failed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSummary:
    """A quote as one row, showing its current revision. Amounts in *currency*."""

    id: QuoteId
    number: str
    revision: int
    status: QuoteStatus
    title: str
    customer_id: CustomerId
    customer_name: str
    owner_id: UserId
    currency: Currency
    total_without_tax: Decimal
    tax_total: Decimal
    payable: Decimal
    valid_until: date
    created_at: datetime
    version: int
    custom: Values = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteLine:
    """One line of the current revision of *quote*. *position* counts from 1, *net* is in the quote's currency.

    A line that is *optional* and not *chosen* is in no total. *unit_cost* is for *price_base_quantity* units.
    """

    quote: QuoteSummary
    position: int
    sku: str
    description: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    price_base_quantity: Decimal
    net: Decimal
    optional: bool
    chosen: bool
    section: str
    unit_cost: Decimal | None


class QuoteRepository(Protocol):
    @abstractmethod
    async def drafts_to(self, contact_id: ContactId) -> Sequence[QuoteId]:
        """Quotes with a draft that names this contact, in whatever role."""

    @abstractmethod
    async def get(self, quote_id: QuoteId) -> Quote:
        """The quote with all its revisions. Raises QuoteNotFound."""

    @abstractmethod
    async def lock(self, quote_id: QuoteId) -> Quote:
        """As ``get``, and nobody else can change the quote until this unit of work ends. Raises QuoteNotFound."""

    @abstractmethod
    async def save(self, change: Change[Quote]) -> Quote:
        """The quote as stored, its version raised by one, once in a unit of work.

        Raises QuoteChangedMeanwhile when someone else saved it first.
        """

    @abstractmethod
    async def keep_explanation(self, quote_id: QuoteId, revision: int, explanation: str) -> None:
        """Store it, as canonical JSON, with the revision for good."""

    @abstractmethod
    async def explanation(self, quote_id: QuoteId, revision: int, digest: str) -> Explanation:
        """What was stored under *digest*, unchanged. Raises ExplanationNotFound, ExplanationTampered."""

    @abstractmethod
    async def add_draft(self, quote_id: QuoteId, draft: Revision) -> None:
        """Store the first revision of a quote that is going to be saved in this unit of work: what takes long, before its
        number is taken. Without the quote the unit of work cannot be committed.
        """

    @abstractmethod
    async def next_number(self, year: int) -> int:
        """The organisation's next counter of *year*, from 1. Last, directly before the quote is saved: others wait for it."""

    @abstractmethod
    async def page(self, criteria: QuoteFilter, paging: Paging) -> Page[QuoteSummary]:
        """The quotes that meet *criteria*, newest first."""

    @abstractmethod
    def stream(self, criteria: QuoteFilter) -> AsyncIterator[QuoteSummary]:
        """All quotes that meet *criteria*, oldest first, in flat memory."""

    @abstractmethod
    def copied(
        self, criteria: QuoteFilter, columns: Sequence[Column], on_rows: Callable[[int], None], *, lines: bool
    ) -> CopiedRows | None:
        """A source of the rows of ``stream``, or of ``stream_lines``, with *columns* of the exports, known by their names.

        *on_rows* is told how many have come, now and then. None where the store knows no quicker way than row by row.
        """

    @abstractmethod
    async def count(self, criteria: QuoteFilter, at_most: int, *, lines: bool) -> int:
        """How many rows ``stream`` has, or ``stream_lines``; *at_most* for more."""

    @abstractmethod
    def stream_lines(self, criteria: QuoteFilter) -> AsyncIterator[QuoteLine]:
        """The lines of the current revisions of all quotes that meet *criteria*, in the order of ``stream``, then of the
        lines, in flat memory.
        """
