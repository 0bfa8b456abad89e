"""What other mail servers tell of a mail that they took: delivery status notifications (RFC 3464)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from src.domain.shared.errors import Invalid

LARGEST_REPORT: Final = 1024 * 1024  # Bytes.
LONGEST_ANSWER: Final = 500  # Characters.


class NoDeliveryReport(Invalid):
    """It is no report on a delivery, or none that can be read."""

    code = "no_delivery_report"


class ReportedAction(StrEnum):
    """RFC 3464, 2.3.3. *relayed*: handed to a server that tells no more; *expanded*: handed on to several addresses."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


UNDER_WAY: Final = frozenset({ReportedAction.DELAYED, ReportedAction.RELAYED, ReportedAction.EXPANDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientReport:
    """About one address. *status* is a code of RFC 3463, *diagnostic* what a server said, *reporter* who tells; the texts
    are single lines, and may be empty.
    """

    action: ReportedAction
    status: str = ""
    diagnostic: str = ""
    reporter: str = ""

    @property
    def answer(self) -> str:
        """One line for people, of at most LONGEST_ANSWER characters: ``failed 5.1.1: 550 No such user (mx.example.com)``."""
        head = f"{self.action.value} {self.status}".strip()
        told = f"{head}: {self.diagnostic}" if self.diagnostic else head
        whole = f"{told} ({self.reporter})" if self.reporter else told
        return whole if len(whole) <= LONGEST_ANSWER else f"{whole[: LONGEST_ANSWER - 1]}\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """About one mail. *envelope_id* (RFC 3461) and *message_id*, a header with its angle brackets, name it; either may be
    empty. *recipients* never is: there are several where an address stands for more.
    """

    envelope_id: str
    message_id: str
    recipients: tuple[RecipientReport, ...]

    @property
    def strongest(self) -> RecipientReport:
        """What counts: one mailbox that has it is enough, then one that will never have it; of equals the first."""
        return min(self.recipients, key=lambda one: _RANKS[one.action])


_RANKS: Final = {ReportedAction.DELIVERED: 0, ReportedAction.FAILED: 1, **dict.fromkeys(UNDER_WAY, 2)}
