"""What one revision of an offer says otherwise than another."""

from dataclasses import dataclass

from src.application.quoting.read_quotes import without_costs
from src.application.transactions import Transactions
from src.domain.audit.differences import differences
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import Revision
from src.domain.shared.ids import QuoteId


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionDifference:
    """*changes* in what was typed, field by field as ``{field, before, after}``; the revisions have the figures."""

    quote: Quote
    before: Revision
    after: Revision
    changes: tuple[dict[str, object], ...]


class CompareRevisions:
    """*after* None is the current one. Costs only for those who may see them. Raises QuoteNotFound, RevisionNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId, before: int, after: int | None) -> RevisionDifference:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            quote = await uow.quotes.get(quote_id)
        old, new = quote.revision(before), quote.current if after is None else quote.revision(after)
        changes = without_costs(actor, differences(old.content, new.content))
        return RevisionDifference(quote=quote, before=old, after=new, changes=tuple(changes))
