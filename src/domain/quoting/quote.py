"""The quote: a number, a customer and its revisions. Its verbs are the business; each returns the change."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from src.domain.quoting.content import FrozenRate, QuoteContent
from src.domain.quoting.errors import (
    ContentChanged,
    NotTheSubmitter,
    OpenRevisionExists,
    QuoteChangedMeanwhile,
    QuoteHasNoLines,
    RecipientMissing,
    RevisionNotFound,
    StillValid,
    ValidityOver,
)
from src.domain.quoting.events import (
    QuoteApproved,
    QuoteCancelled,
    QuoteCreated,
    QuoteEdited,
    QuoteEvent,
    QuoteExpired,
    QuoteRecalled,
    QuoteRejected,
    QuoteRepriced,
    QuoteRevised,
    QuoteSent,
    QuoteSubmitted,
    QuoteSuperseded,
)
from src.domain.quoting.revision import CancelReason, Revision
from src.domain.quoting.states import HOLDING_STATUSES, OPEN_STATUSES, SUPERSEDED_BY_REVISING, QuoteStatus, Verb
from src.domain.quoting.validity import is_over
from src.domain.shared.change import Change
from src.domain.shared.ids import CouponId, CustomerId, QuoteId, UserId

_PASSED = frozenset({QuoteStatus.CANCELLED, QuoteStatus.SUPERSEDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One offer through all its revisions. *version* counts saves (the ETag); it is not the revision the buyer sees.

    At most one revision is open (draft, pending, rejected, approved) and at most one is sent.
    """

    id: QuoteId
    number: str
    customer_id: CustomerId
    owner_id: UserId
    created_at: datetime
    revisions: tuple[Revision, ...]
    version: int = 0

    @property
    def current(self) -> Revision:
        """The latest revision that is still of use: a cancelled successor gives way to the revision that was sent."""
        return next(
            (revision for revision in reversed(self.revisions) if revision.status not in _PASSED), self.revisions[-1]
        )

    @property
    def sent(self) -> Revision | None:
        """The revision that the buyer has, if it stands; a successor may be under way."""
        return next((revision for revision in self.revisions if revision.status is QuoteStatus.SENT), None)

    def revision(self, number: int) -> Revision:
        """Raises RevisionNotFound."""
        for revision in self.revisions:
            if revision.number == number:
                return revision
        raise RevisionNotFound(f"Quote {self.number} has no revision {number}.", revision=number)

    def check_version(self, expected: int | None) -> None:
        """Raises QuoteChangedMeanwhile when *expected* is given and is not the stored version."""
        if expected is not None and expected != self.version:
            raise QuoteChangedMeanwhile(
                "Someone else changed this quote meanwhile; read it again.", version=self.version
            )

    @classmethod
    def create(
        cls,
        *,
        quote_id: QuoteId,
        number: str,
        customer_id: CustomerId,
        content: QuoteContent,
        by: UserId,
        at: datetime,
    ) -> Change[Self]:
        """A new quote with its first draft."""
        draft = Revision.draft(number=1, content=content, by=by, at=at)
        return cls.of_draft(draft, quote_id=quote_id, number=number, customer_id=customer_id)

    @classmethod
    def of_draft(cls, draft: Revision, *, quote_id: QuoteId, number: str, customer_id: CustomerId) -> Change[Self]:
        """A new quote of whoever made *draft*, which is its first revision."""
        at, content = draft.created_at, draft.content
        quote = cls(
            id=quote_id,
            number=number,
            customer_id=customer_id,
            owner_id=draft.last_edited_by,
            created_at=at,
            revisions=(draft,),
        )
        created = QuoteCreated(
            resource_id=quote_id,
            at=at,
            revision=draft.number,
            number=number,
            payable=draft.calculation.payable,
            currency=content.currency.code,
        )
        return Change(None, quote, (created,))

    def edit(self, content: QuoteContent, *, by: UserId, at: datetime) -> Change[Self]:
        """Replace the content of the draft and price it anew."""
        self.current.check(Verb.EDIT)
        edited = self.current.edited(content, by)
        event = QuoteEdited(
            resource_id=self.id,
            at=at,
            revision=edited.number,
            payable=edited.calculation.payable,
            currency=content.currency.code,
        )
        return self._with(edited, event)

    def reprice(self, content: QuoteContent, *, lines: int, by: UserId, at: datetime) -> Change[Self]:
        """Take the prices of the catalogue into the draft: *content* has them, on so many *lines*."""
        self.current.check(Verb.REPRICE)
        repriced = self.current.edited(content, by)
        event = QuoteRepriced(
            resource_id=self.id,
            at=at,
            revision=repriced.number,
            lines=lines,
            payable=repriced.calculation.payable,
            currency=content.currency.code,
        )
        return self._with(repriced, event)

    def submit(
        self,
        *,
        by: UserId,
        at: datetime,
        needs_approval: bool,
        explanation_digest: str | None = None,
        exchange_rate: FrozenRate | None = None,
        kept_stale_prices: bool = False,
    ) -> Change[Self]:
        """Freeze figures and texts and ask for approval; without *needs_approval* it is approved at once.

        Raises InvalidTransition, QuoteHasNoLines (also when no line counts), RecipientMissing, ValidityOver.
        """
        draft = self.current
        draft.check(Verb.SUBMIT)
        if not any(line.pricing.counts for line in draft.content.lines):
            raise QuoteHasNoLines(f"Quote {self.number} has no lines.", quote_id=str(self.id))
        if draft.content.recipient is None:
            raise RecipientMissing.of(self.number)
        self._check_validity(draft, at)
        content = draft.content.with_rate(exchange_rate)
        draft = replace(draft, content=content, explanation_digest=explanation_digest)
        digest = draft.digest(self.number)
        submitted = replace(
            draft, status=QuoteStatus.PENDING_APPROVAL, content_digest=digest, submitted_by=by, submitted_at=at
        )
        event = QuoteSubmitted(
            resource_id=self.id,
            at=at,
            revision=draft.number,
            content_digest=digest,
            payable=draft.calculation.payable,
            currency=draft.content.currency.code,
            kept_stale_prices=kept_stale_prices,
        )
        change = self._with(submitted, event)
        if needs_approval:
            return change
        return change.then(change.after.approve(at=at, expected_digest=digest, by_policy=False))

    def recall(self, *, by: UserId, at: datetime, may_recall_any: bool) -> Change[Self]:
        """Take a submitted revision back for editing; what was submitted is no longer frozen.

        Raises InvalidTransition, NotTheSubmitter.
        """
        pending = self.current
        pending.check(Verb.RECALL)
        if pending.submitted_by != by and not may_recall_any:
            raise NotTheSubmitter("Only whoever submitted the quote can recall it.")
        recalled = replace(
            pending,
            status=QuoteStatus.DRAFT,
            content=pending.content.with_rate(None),
            content_digest=None,
            explanation_digest=None,
            submitted_by=None,
            submitted_at=None,
        )
        event = QuoteRecalled(
            resource_id=self.id, at=at, revision=pending.number, dropped_digest=pending.content_digest or ""
        )
        return self._with(recalled, event)

    def approve(self, *, at: datetime, expected_digest: str, by_policy: bool = True) -> Change[Self]:
        """All needed approvals have been given. Raises InvalidTransition, ContentChanged."""
        pending = self.current
        pending.check(Verb.APPROVE)
        self._check_digest(pending, expected_digest)
        event = QuoteApproved(
            resource_id=self.id,
            at=at,
            revision=pending.number,
            content_digest=expected_digest,
            by_policy=by_policy,
        )
        return self._with(replace(pending, status=QuoteStatus.APPROVED), event)

    def reject(self, *, at: datetime, expected_digest: str, reason: str) -> Change[Self]:
        """Somebody has refused the approval. Raises InvalidTransition, ContentChanged."""
        pending = self.current
        pending.check(Verb.REJECT)
        self._check_digest(pending, expected_digest)
        event = QuoteRejected(
            resource_id=self.id, at=at, revision=pending.number, content_digest=expected_digest, reason=reason
        )
        return self._with(replace(pending, status=QuoteStatus.REJECTED, end_reason=reason), event)

    def revise(self, *, by: UserId, at: datetime) -> Change[Self]:
        """Begin a new draft with the content of the current revision.

        A rejected or approved source is superseded at once; a sent one stays sent until the new one is.
        Raises OpenRevisionExists for a draft or pending revision, InvalidTransition for other states.
        """
        source = self.current
        if source.status in OPEN_STATUSES - SUPERSEDED_BY_REVISING:
            raise OpenRevisionExists(
                f"Revision {source.number} is still {source.status.value.replace('_', ' ')}.",
                revision=source.number,
            )
        source.check(Verb.REVISE)
        number = self.revisions[-1].number + 1
        draft = Revision.draft(number=number, content=source.content.with_rate(None), by=by, at=at)
        revised = QuoteRevised(resource_id=self.id, at=at, revision=number, source_revision=source.number)
        change = self._become((*self.revisions, draft), revised)
        if source.status not in SUPERSEDED_BY_REVISING:
            return change
        return change.then(change.after.supersede(source, by_revision=number, at=at))

    def send(self, *, at: datetime, expected_digest: str | None) -> Change[Self]:
        """Issue the approved revision to the buyer; an earlier sent one is superseded with it.

        Raises InvalidTransition, ContentChanged (also when the content no longer has the digest that was approved),
        ValidityOver.
        """
        approved = self.current
        approved.check(Verb.SEND)
        self._check_digest(approved, expected_digest or approved.content_digest)
        self._check_digest(approved, approved.digest(self.number))
        self._check_validity(approved, at)
        recipient = approved.content.recipient
        if approved.content_digest is None or recipient is None:
            raise RecipientMissing(f"Quote {self.number} names no contact to send it to.", quote_id=str(self.id))
        event = QuoteSent(
            resource_id=self.id,
            at=at,
            revision=approved.number,
            content_digest=approved.content_digest,
            recipient=recipient.name,
        )
        change = self._with(replace(approved, status=QuoteStatus.SENT, sent_at=at), event)
        for revision in self.revisions:
            if revision.status is QuoteStatus.SENT:
                change = change.then(change.after.supersede(revision, by_revision=approved.number, at=at))
        return change

    def to_resend(self, *, at: datetime, expected_digest: str | None) -> Revision:
        """The revision that the buyer has and that may be mailed once more; nothing about the offer changes by it.

        Raises InvalidTransition, ContentChanged, ValidityOver.
        """
        sent = self.sent or self.current
        sent.check(Verb.RESEND)
        self._check_digest(sent, expected_digest or sent.content_digest)
        self._check_validity(sent, at)
        return sent

    def cancel(self, *, at: datetime, reason: CancelReason) -> Change[Self]:
        """Give the current revision up for good. A revision that was sent before it still stands, and is current again."""
        cancelled = self.current
        cancelled.check(Verb.CANCEL)
        event = QuoteCancelled(resource_id=self.id, at=at, revision=cancelled.number, reason=reason.value)
        return self._with(replace(cancelled, status=QuoteStatus.CANCELLED, end_reason=reason.value), event)

    def expire(self, *, at: datetime) -> Change[Self]:
        """The last day of what was sent is over; whether a successor is under way does not matter.

        Raises InvalidTransition, StillValid.
        """
        ending = self.sent or self.current
        ending.check(Verb.EXPIRE)
        if not is_over(ending.content.valid_until, ending.content.time_zone, at):
            raise StillValid(f"Quote {self.number} is valid until {ending.content.valid_until.isoformat()}.")
        event = QuoteExpired(
            resource_id=self.id, at=at, revision=ending.number, valid_until=ending.content.valid_until.isoformat()
        )
        return self._with(replace(ending, status=QuoteStatus.EXPIRED), event)

    def coupons_held(self) -> frozenset[CouponId]:
        """The coupons that this offer uses up: those of revisions that are submitted and not given up."""
        return frozenset(
            coupon.coupon_id
            for revision in self.revisions
            if revision.status in HOLDING_STATUSES
            for coupon in revision.content.coupons
        )

    def _with(self, revision: Revision, event: QuoteEvent) -> Change[Self]:
        """The quote with *revision* in the place of the one of the same number."""
        revisions = tuple(revision if old.number == revision.number else old for old in self.revisions)
        return self._become(revisions, event)

    def supersede(self, revision: Revision, *, by_revision: int, at: datetime) -> Change[Self]:
        """*revision* is replaced by a later one and can no longer be accepted."""
        event = QuoteSuperseded(resource_id=self.id, at=at, revision=revision.number, by_revision=by_revision)
        return self._with(replace(revision, status=QuoteStatus.SUPERSEDED), event)

    def _become(self, revisions: tuple[Revision, ...], event: QuoteEvent) -> Change[Self]:
        return Change(self, replace(self, revisions=revisions), (event,))

    def _check_validity(self, revision: Revision, now: datetime) -> None:
        if is_over(revision.content.valid_until, revision.content.time_zone, now):
            raise ValidityOver(
                f"Quote {self.number} was valid until {revision.content.valid_until.isoformat()}.",
                valid_until=revision.content.valid_until.isoformat(),
            )

    def _check_digest(self, revision: Revision, expected: str | None) -> None:
        if revision.content_digest != expected:
            raise ContentChanged(
                "The quote is not what you looked at; read it again.", content_digest=revision.content_digest
            )


def quote_number(year: int, counter: int) -> str:
    """``Q-2026-000123``: the organisation's counter of that year, six digits or more."""
    return f"Q-{year}-{counter:06d}"
