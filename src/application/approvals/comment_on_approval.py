"""Say something about a request, for the others to read."""

from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.approvals.comment import Comment
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import CommentId, RequestId


class CommentOnApproval:
    """Also after it has ended. Raises RequestNotFound, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, request_id: RequestId, text: str) -> Comment:
        comment = Comment(
            id=CommentId(self._ids.new()),
            request_id=request_id,
            user_id=actor.person,
            text=text,
            created_at=self._clock.now(),
        )
        async with self._transactions.begin(actor, Permission.COMMENT_APPROVALS) as uow:
            request = await uow.approvals.get(request_id)
            stored = await uow.approvals.comment(comment.say(request))
            await uow.commit()
        return stored
