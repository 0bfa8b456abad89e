"""``proffer quote list``, ``timeline``, ``diff``, ``resend`` and ``deliveries``."""

import sys
from json import dumps
from typing import Annotated, Final

from cyclopts import Parameter

from src.application.messaging.read_deliveries import GetDeliveries
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.quoting.compare_revisions import CompareRevisions
from src.application.quoting.read_quotes import GetQuoteTimeline, ListQuotes, QuoteTimeline, TimelineEntry
from src.application.quoting.resend_quote import ResendQuote, ResendQuoteCommand
from src.domain.messaging.message import AttemptGroup
from src.domain.shared.calendar import instant_text
from src.entrypoints.cli.exports import Status
from src.entrypoints.cli.naming import contact_of, quote_of
from src.entrypoints.cli.output import counted, print_json, print_table
from src.entrypoints.cli.session import As, Limit, Organization, session_of
from src.entrypoints.schemas.pricing import amount_text

_SHOWN: Final = 60  # Characters of a value on a terminal.


async def list_quotes(
    *,
    user: As,
    organization: Organization = None,
    status: Status = [],  # noqa: B006 — cyclopts reads the default; nobody changes it.
    search: Annotated[str, Parameter(help="Text in number, title or customer.")] = "",
    delivery_failed: Annotated[bool, Parameter(help="Only those whose mails reached nobody.", negative="")] = False,
    limit: Limit = 20,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """List quotes, newest first.

    Example: proffer quote list --as sales@nordlicht.example --status sent
    """
    criteria = QuoteFilter(statuses=tuple(status), search=search, delivery_failed=delivery_failed or None)
    paging = Paging(limit=limit)
    async with session_of(user, organization) as session:
        page = await (await session.get(ListQuotes))(session.actor, criteria, paging)
    if json:
        print_json([_as_json(quote) for quote in page.items])
        return 0
    columns = (
        ("Number", "left"),
        ("Rev.", "right"),
        ("Status", "left"),
        ("Customer", "left"),
        ("Title", "left"),
        ("Payable", "right"),
        ("Valid until", "left"),
    )
    print_table(columns, [_as_row(quote) for quote in page.items])
    print(f"{len(page.items)} of {counted(page.total, 'quote')}.")
    return 0


async def timeline(
    number: Annotated[str, Parameter(help="The quote's number, such as Q-2026-000123.")],
    *,
    user: As,
    organization: Organization = None,
    changes: Annotated[bool, Parameter(help="Also print what changed, field by field.", negative="")] = False,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """Show everything that happened to a quote, oldest first.

    Example: proffer quote timeline Q-2026-000001 --as sales@nordlicht.example --changes
    """
    async with session_of(user, organization) as session:
        quote = await quote_of(session, number)
        told = await (await session.get(GetQuoteTimeline))(session.actor, quote.id)
    if json:
        print_json([_entry_as_json(one) for one in told.entries])
        return 0
    print_table((("No.", "right"), ("At (UTC)", "left"), ("Action", "left"), ("Who", "left")), _told(told, changes))
    for message in told.messages:
        print(f"Mail to {message.recipient} about revision {message.revision}: {message.status.value}.")
    return 0


async def diff(
    number: Annotated[str, Parameter(help="The quote's number, such as Q-2026-000123.")],
    before: Annotated[int, Parameter(help="A revision, counted from 1.")],
    after: Annotated[int, Parameter(help="Another one.")],
    *,
    user: As,
    organization: Organization = None,
) -> int:
    """Show what one revision of a quote says otherwise than another.

    Example: proffer quote diff Q-2026-000001 1 2 --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        quote = await quote_of(session, number)
        found = await (await session.get(CompareRevisions))(session.actor, quote.id, before, after)
    rows = [(str(one["field"]), _short(one["before"]), _short(one["after"])) for one in found.changes]
    print_table((("Field", "left"), (f"Revision {before}", "left"), (f"Revision {after}", "left")), rows)
    for revision in (found.before, found.after):
        currency = revision.content.currency
        payable = amount_text(revision.calculation.payable, currency.minor_digits)
        print(f"Revision {revision.number}: payable {payable} {currency}.")
    return 0


async def resend(
    number: Annotated[str, Parameter(help="The quote's number, such as Q-2026-000123.")],
    *,
    user: As,
    organization: Organization = None,
    contact: Annotated[
        list[str],
        Parameter(
            help="Only this contact that the offer names: name, e-mail or id; may be given several times.", negative=""
        ),
    ] = [],  # noqa: B006 — cyclopts reads the default; nobody changes it.
    note: Annotated[str, Parameter(help="A sentence of yours in the mail.")] = "",
) -> int:
    """Mail a sent offer once more, at the addresses that its contacts have now.

    Example: proffer quote resend Q-2026-000001 --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        quote = await quote_of(session, number)
        contacts = tuple([await contact_of(session, quote.customer_id, one) for one in contact]) or None
        command = ResendQuoteCommand(quote_id=quote.id, contact_ids=contacts, note=note)
        group = await (await session.get(ResendQuote))(session.actor, command)
    addresses = ", ".join(message.recipient for message in group.messages)
    print(f"Attempt {group.number} of revision {group.revision} is queued for {addresses}; a worker mails it.")
    return 0


async def deliveries(
    number: Annotated[str, Parameter(help="The quote's number, such as Q-2026-000123.")],
    *,
    user: As,
    organization: Organization = None,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """Show what became of a quote's mails, by revision and attempt.

    Example: proffer quote deliveries Q-2026-000001 --as sales@nordlicht.example
    """
    async with session_of(user, organization) as session:
        quote = await quote_of(session, number)
        groups = await (await session.get(GetDeliveries))(session.actor, quote.id)
    if json:
        print_json([_group_as_json(group) for group in groups])
        return 0
    columns = (("Rev.", "right"), ("Attempt", "right"), ("To", "left"), ("Status", "left"), ("Answer", "left"))
    rows = [
        (str(group.revision), str(group.number), message.recipient, message.status.value, message.answer)
        for group in groups
        for message in group.messages
    ]
    print_table(columns, rows)
    return 0


def _group_as_json(group: AttemptGroup) -> dict[str, object]:
    return {
        "revision": group.revision,
        "attempt_group": group.number,
        "outcome": group.outcome.value,
        "messages": [
            {"recipient": message.recipient, "status": message.status.value, "answer": message.answer}
            for message in group.messages
        ],
    }


def _told(told: QuoteTimeline, changes: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for one in told.entries:
        record = one.entry.record
        rows.append((str(one.entry.sequence), f"{record.at:%Y-%m-%d %H:%M:%S}", record.action, one.who))
        if changes:
            rows += [
                ("", "", f"  {change['field']}", f"{_short(change['before'])} → {_short(change['after'])}")
                for change in one.changes
            ]
    return rows


def _short(value: object) -> str:
    text = value if isinstance(value, str) else dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN or not sys.stdout.isatty() else f"{text[: _SHOWN - 1]}…"


def _entry_as_json(told: TimelineEntry) -> dict[str, object]:
    return {
        "sequence": told.entry.sequence,
        "at": instant_text(told.entry.record.at),
        "action": told.entry.record.action,
        "who": told.who,
        "details": dict(told.details),
        "changes": [dict(change) for change in told.changes],
    }


def _as_row(quote: QuoteSummary) -> tuple[str, ...]:
    return (
        quote.number,
        str(quote.revision),
        quote.status.value,
        quote.customer_name,
        quote.title,
        f"{amount_text(quote.payable, quote.currency.minor_digits)} {quote.currency}",
        quote.valid_until.isoformat(),
    )


def _as_json(quote: QuoteSummary) -> dict[str, object]:
    digits = quote.currency.minor_digits
    return {
        "id": str(quote.id),
        "number": quote.number,
        "revision": quote.revision,
        "status": quote.status.value,
        "customer": quote.customer_name,
        "title": quote.title,
        "currency": quote.currency.code,
        "total_without_tax": amount_text(quote.total_without_tax, digits),
        "tax_total": amount_text(quote.tax_total, digits),
        "payable": amount_text(quote.payable, digits),
        "valid_until": quote.valid_until.isoformat(),
        "created_at": instant_text(quote.created_at),
    }
