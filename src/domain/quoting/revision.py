"""Revisions: what is edited, submitted, approved and sent."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from src.domain.quoting.calculation import Calculation
from src.domain.quoting.calculator import calculate
from src.domain.quoting.content import QuoteContent
from src.domain.quoting.errors import InvalidTransition
from src.domain.quoting.explaining import explain
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.states import STARTS, QuoteStatus, Verb, allowed_verbs
from src.domain.shared.canonical import digest_of
from src.domain.shared.ids import UserId

DIGEST_FORMAT = 2


class CancelReason(StrEnum):
    """Why an offer was given up."""

    CUSTOMER_WITHDREW = "customer_withdrew"
    LOST_TO_COMPETITOR = "lost_to_competitor"
    DUPLICATE = "duplicate"
    MISTAKE = "mistake"
    NO_LONGER_AVAILABLE = "no_longer_available"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One revision of an offer. *number* counts from 1.

    *calculation* always follows from *content*: it is made with it and frozen with it, never made again when read.
    *content_digest* is set from submit on, and dropped by recall; so is *explanation_digest*, of the stored explanation.
    """

    number: int
    status: QuoteStatus
    content: QuoteContent
    calculation: Calculation = field(metadata={"derived": True})
    created_at: datetime
    last_edited_by: UserId
    content_digest: str | None = None
    submitted_by: UserId | None = None
    submitted_at: datetime | None = None
    sent_at: datetime | None = None
    end_reason: str = ""
    explanation_digest: str | None = None

    @classmethod
    def draft(cls, *, number: int, content: QuoteContent, by: UserId, at: datetime) -> Self:
        """A new draft, priced. Raises Invalid when *content* is outside the calculator's limits."""
        return cls(
            number=number,
            status=QuoteStatus.DRAFT,
            content=content,
            calculation=calculate(content.pricing()),
            created_at=at,
            last_edited_by=by,
        )

    def allows(self, verb: Verb) -> bool:
        return self.status in STARTS[verb]

    def check(self, verb: Verb) -> None:
        """Raises InvalidTransition when this state does not allow *verb*."""
        if not self.allows(verb):
            raise InvalidTransition(
                f"A quote that is {self.status.value.replace('_', ' ')} does not allow «{verb.value}».",
                state=self.status.value,
                verb=verb.value,
                allowed_verbs=[allowed.value for allowed in allowed_verbs(self.status)],
            )

    def edited(self, content: QuoteContent, by: UserId) -> Self:
        return replace(self, content=content, calculation=calculate(content.pricing()), last_edited_by=by)

    def explained(self) -> Explanation:
        """How every amount came about. Raises what the calculator raises."""
        return explain(self.content.pricing(), self.content.price_sources())[1]

    def digest(self, quote_number: str) -> str:
        """SHA-256 over all that the buyer sees or that a figure depends on (RFC 8785)."""
        return digest_of(
            {
                "format": DIGEST_FORMAT,
                "quote": quote_number,
                "revision": self.number,
                "content": self.content,
                "calculation": self.calculation,
                "explanation": self.explanation_digest,
            }
        )
