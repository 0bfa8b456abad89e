"""What happens to quotes."""

from dataclasses import dataclass, field
from decimal import Decimal

from src.domain.shared.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteEvent(DomainEvent):
    """Something that happened to one revision of a quote."""

    resource_type: str = "quote"
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCreated(QuoteEvent):
    action = "quote.created"
    number: str
    payable: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteEdited(QuoteEvent):
    action = "quote.edited"
    payable: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSubmitted(QuoteEvent):
    """*kept_stale_prices*: somebody with the permission insisted on prices that the catalogue no longer has."""

    action = "quote.submitted"
    content_digest: str
    payable: Decimal
    currency: str
    kept_stale_prices: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteApproved(QuoteEvent):
    """*by_policy* is false when no policy asked anybody."""

    action = "quote.approved"
    content_digest: str
    by_policy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRejected(QuoteEvent):
    action = "quote.rejected"
    content_digest: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRecalled(QuoteEvent):
    """*dropped_digest* is what had been submitted."""

    action = "quote.recalled"
    dropped_digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRevised(QuoteEvent):
    action = "quote.revised"
    source_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSent(QuoteEvent):
    action = "quote.sent"
    content_digest: str
    recipient: str = field(metadata={"personal": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteResent(QuoteEvent):
    """Mailed once more, to so many *recipients*."""

    action = "quote.resent"
    attempt_group: int
    recipients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteSuperseded(QuoteEvent):
    action = "quote.superseded"
    by_revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteCancelled(QuoteEvent):
    action = "quote.cancelled"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRepriced(QuoteEvent):
    """*lines* is how many got another price from the catalogue."""

    action = "quote.repriced"
    lines: int
    payable: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExpired(QuoteEvent):
    """*valid_until* is the last day on which it stood, in the organisation's time zone."""

    action = "quote.expired"
    valid_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteExpiryReminded(QuoteEvent):
    """The seller was told that it ends soon. *answer* is the mail server's last line, which may name the seller."""

    action = "quote.expiry_reminded"
    valid_until: str
    answer: str = field(metadata={"personal": True})
