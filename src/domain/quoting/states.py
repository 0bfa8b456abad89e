"""A revision's life as a table: which verb leads from where."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class QuoteStatus(StrEnum):
    DRAFT = "draft"
    PENDING_APPROVAL = "pending_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class Verb(StrEnum):
    EDIT = "edit"
    REPRICE = "reprice"
    SUBMIT = "submit"
    RECALL = "recall"
    APPROVE = "approve"
    REJECT = "reject"
    REVISE = "revise"
    SEND = "send"
    RESEND = "resend"
    CANCEL = "cancel"
    EXPIRE = "expire"


OPEN_STATUSES = frozenset({QuoteStatus.DRAFT, QuoteStatus.PENDING_APPROVAL, QuoteStatus.REJECTED, QuoteStatus.APPROVED})
FINAL_STATUSES = frozenset({QuoteStatus.ACCEPTED, QuoteStatus.DECLINED, QuoteStatus.CANCELLED, QuoteStatus.SUPERSEDED})

# From submission on, until it is refused or given up, a revision uses its coupons.
HOLDING_STATUSES = frozenset(
    {QuoteStatus.PENDING_APPROVAL, QuoteStatus.APPROVED, QuoteStatus.SENT, QuoteStatus.ACCEPTED}
)

# Revising a rejected or approved revision supersedes it at once; the others stay as they are.
SUPERSEDED_BY_REVISING = frozenset({QuoteStatus.REJECTED, QuoteStatus.APPROVED})

STARTS: Mapping[Verb, frozenset[QuoteStatus]] = MappingProxyType(
    {
        Verb.EDIT: frozenset({QuoteStatus.DRAFT}),
        Verb.REPRICE: frozenset({QuoteStatus.DRAFT}),
        Verb.SUBMIT: frozenset({QuoteStatus.DRAFT}),
        Verb.RECALL: frozenset({QuoteStatus.PENDING_APPROVAL}),
        Verb.APPROVE: frozenset({QuoteStatus.PENDING_APPROVAL}),
        Verb.REJECT: frozenset({QuoteStatus.PENDING_APPROVAL}),
        Verb.REVISE: frozenset(
            {
                QuoteStatus.REJECTED,
                QuoteStatus.APPROVED,
                QuoteStatus.SENT,
                QuoteStatus.DECLINED,
                QuoteStatus.EXPIRED,
            }
        ),
        Verb.SEND: frozenset({QuoteStatus.APPROVED}),
        Verb.RESEND: frozenset({QuoteStatus.SENT}),
        Verb.CANCEL: frozenset(set(QuoteStatus) - FINAL_STATUSES),
        Verb.EXPIRE: frozenset({QuoteStatus.SENT}),
    }
)


# What nobody does: the clock does.
_OF_THE_CLOCK = frozenset({Verb.EXPIRE})


def allowed_verbs(status: QuoteStatus) -> tuple[Verb, ...]:
    """What one can do from here, in the order of a quote's life."""
    return tuple(verb for verb in Verb if status in STARTS[verb] and verb not in _OF_THE_CLOCK)
