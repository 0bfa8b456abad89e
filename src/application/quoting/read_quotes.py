"""Look at quotes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from src.application.approvals.subjects.quote import KIND
from src.application.ports.paging import Page, Paging
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.transactions import Transactions
from src.domain.approvals.request import ApprovalRequest
from src.domain.audit.entry import AuditEntry
from src.domain.documents.attachment import UPKEEP_ACTIONS
from src.domain.identity.actor import Actor, Permission
from src.domain.messaging.message import Message
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import QuoteId, UserId

_COSTS: Final = frozenset({"unit_cost"})


class GetQuote:
    """Raises QuoteNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> Quote:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            return await uow.quotes.get(quote_id)


class ListQuotes:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, criteria: QuoteFilter, paging: Paging) -> Page[QuoteSummary]:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            return await uow.quotes.page(criteria, paging)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """*who* is a user's name, or the kind of actor; *changes* are told field by field, as ``{field, before, after}``."""

    entry: AuditEntry
    who: str
    details: Mapping[str, object]
    changes: tuple[Mapping[str, object], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteTimeline:
    """Everything that happened to a quote, oldest first, with its approvals and mails as they stand now.

    An attachment has one entry for each thing done with it; the steps of that are in the audit alone.
    """

    entries: tuple[TimelineEntry, ...]
    approvals: tuple[ApprovalRequest, ...]
    messages: tuple[Message, ...]


class GetQuoteTimeline:
    """Raises QuoteNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, quote_id: QuoteId) -> QuoteTimeline:
        async with self._transactions.begin(actor, Permission.VIEW_QUOTES) as uow:
            await uow.quotes.get(quote_id)
            approvals = tuple(await uow.approvals.of_subject(KIND, quote_id))
            messages = tuple(await uow.messages.of_quote(quote_id))
            # Last, so that no state is shown whose entry is missing: others commit between these reads.
            entries = await uow.audit.of_resource("quote", quote_id)
            names = {user.id: user.name for user in await uow.users.all()}
        told = tuple(
            _timeline_entry(actor, entry, names) for entry in entries if entry.record.action not in UPKEEP_ACTIONS
        )
        return QuoteTimeline(entries=told, approvals=approvals, messages=messages)


def _timeline_entry(actor: Actor, entry: AuditEntry, names: Mapping[UserId, str]) -> TimelineEntry:
    record, told = entry.record, json.loads(entry.record.text)
    who = record.actor_kind if record.user_id is None else names.get(UserId(record.user_id), record.actor_kind)
    changes = tuple(without_costs(actor, told["changes"]))
    return TimelineEntry(entry=entry, who=who, details=told["details"], changes=changes)


def _tells_costs(field: str) -> bool:
    """Costs themselves, and the facts of an approval, among which margins are."""
    return field.partition(".")[0].partition("[")[0] == "facts" or field.rpartition(".")[2] in _COSTS


def without_costs(actor: Actor, changes: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """*changes* that *actor* may see."""
    return (change for change in changes if actor.may(Permission.VIEW_COSTS) or not _tells_costs(str(change["field"])))
