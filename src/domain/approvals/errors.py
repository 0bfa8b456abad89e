"""What can go wrong with approvals."""

from src.domain.shared.errors import Conflict, FieldError, Forbidden, Invalid, NotFound


class RequestNotFound(NotFound):
    code = "approval_request_not_found"


class NoEligibleApprover(Conflict):
    """Nobody could decide a step; details: ``policy``, ``step``."""

    code = "no_eligible_approver"


class NotAnApprover(Forbidden):
    code = "not_an_approver"


class AlreadyDecided(Conflict):
    """Details: ``decided_by``, ``decided_at``, ``approved``."""

    code = "already_decided"


class RequestClosed(Conflict):
    code = "approval_request_closed"


class RequestContentChanged(Conflict):
    """Details: ``content_digest``, the one that was submitted."""

    code = "content_changed"


class ReasonMissing(Invalid):
    code = "reason_missing"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields=(FieldError("reason", message),))
