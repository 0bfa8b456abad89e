"""What people say to each other about a request."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from src.domain.approvals.events import ApprovalCommented
from src.domain.approvals.request import ApprovalRequest
from src.domain.shared.change import Change
from src.domain.shared.ids import CommentId, RequestId, UserId
from src.domain.shared.text import TextChecks

LONGEST_COMMENT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One remark; it is never rewritten."""

    id: CommentId
    request_id: RequestId
    user_id: UserId
    text: str
    created_at: datetime

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.paragraphs("text", self.text, longest=LONGEST_COMMENT)
        if not self.text.strip():
            checks.refuse("text", "This must not be empty.")
        checks.done()

    def say(self, request: ApprovalRequest) -> Change["Comment"]:
        """About *request*; it may be over by then."""
        subject = request.subject
        resource_id: UUID = subject.id
        event = ApprovalCommented(
            resource_type=subject.resource_type,
            resource_id=resource_id,
            at=self.created_at,
            request_id=request.id,
            revision=subject.revision,
        )
        return Change(None, self, (event,))
