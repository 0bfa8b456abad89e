"""What can go wrong with a quote."""

from src.domain.shared.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Stale


class QuoteNotFound(NotFound):
    code = "quote_not_found"


class InvalidTransition(Conflict):
    """The revision's state does not allow this verb; details: ``state``, ``verb``, ``allowed_verbs``."""

    code = "invalid_transition"


class OpenRevisionExists(Conflict):
    """Another revision of the quote is still being worked on; details: ``revision``."""

    code = "open_revision_exists"


class ContentChanged(Conflict):
    """The content is not what the actor looked at; details: ``content_digest``, the one that is stored."""

    code = "content_changed"


class QuoteChangedMeanwhile(Stale):
    """Someone else saved the quote first."""

    code = "stale_version"


class QuoteHasNoLines(Invalid):
    code = "quote_has_no_lines"


class RecipientMissing(Invalid):
    """There is nobody to send an offer to."""

    code = "recipient_missing"

    @classmethod
    def of(cls, number: str) -> "RecipientMissing":
        """For the quote *number*, which names no contact."""
        advice = "Set contact_id to a contact of its customer; add one to the customer first where there is none."
        return cls(
            f"Quote {number} names no contact to send it to. {advice}", fields=(FieldError("contact_id", advice),)
        )


class ValidityOver(Conflict):
    """The last day of validity is over in the organisation's time zone."""

    code = "validity_over"


class NotTheSubmitter(Forbidden):
    code = "not_the_submitter"


class PricesStale(Conflict):
    """The catalogue says something else by now; details: ``lines``, each with ``reasons``, old and new price."""

    code = "prices_stale"


class RevisionNotFound(NotFound):
    code = "revision_not_found"


class ExplanationNotFound(NotFound):
    """The revision was submitted before explanations were kept."""

    code = "explanation_not_found"


class ExplanationTampered(Conflict):
    """What is stored is not what was frozen with the revision."""

    code = "explanation_tampered"


class StillValid(Conflict):
    """The last day of the offer is not over."""

    code = "still_valid"
