"""Show how every amount of a revision came about."""

from dataclasses import dataclass

from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.explanation import Explanation
from src.domain.quoting.revision import Revision
from src.domain.quoting.verification import Fault, verify
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedRevision:
    """*fault* is the first step that does not follow; None: everything does."""

    revision: Revision
    explanation: Explanation
    fault: Fault | None


class ExplainQuote:
    """What was stored when the revision was submitted; for a draft what holds now.

    Raises QuoteNotFound, RevisionNotFound, ExplanationNotFound, ExplanationTampered.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId, number: int | None) -> ExplainedRevision:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            quote = await uow.quotes.get(quote_id)
            revision = quote.current if number is None else quote.revision(number)
            if revision.explanation_digest is None:
                explanation = revision.explained()
            else:
                explanation = await uow.quotes.explanation(quote.id, revision.number, revision.explanation_digest)
        fault = verify(explanation, revision.calculation)
        return ExplainedRevision(revision=revision, explanation=explanation, fault=fault)
