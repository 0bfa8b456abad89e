"""``proffer audit list`` and ``proffer audit verify``."""

from typing import Annotated

from cyclopts import Parameter

from src.application.audit.read_audit import ListAuditEntries, VerifyAudit
from src.application.ports.audit import AuditFilter
from src.application.ports.paging import LARGEST_PAGE, Paging
from src.domain.audit.entry import AuditEntry
from src.entrypoints.cli.failures import BROKEN_CHAIN, fail
from src.entrypoints.cli.output import print_json, print_table, progress
from src.entrypoints.cli.session import As, Organization, session_of


async def list_entries(
    *,
    user: As,
    organization: Organization = None,
    action: Annotated[str | None, Parameter(help="Only this action, such as quote.sent.")] = None,
    limit: Annotated[int, Parameter(help="At most so many, from 1 to 100.")] = 20,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """List audit entries, newest first.

    Example: proffer audit list --as owner@nordlicht.example --action quote.sent
    """
    paging = Paging(limit=min(max(limit, 1), LARGEST_PAGE))
    async with session_of(user, organization) as session:
        page = await (await session.get(ListAuditEntries))(session.actor, AuditFilter(action=action), paging)
    if json:
        print_json([_as_json(entry) for entry in page.items])
        return 0
    columns = (("No.", "right"), ("At (UTC)", "left"), ("Action", "left"), ("Actor", "left"), ("Resource", "left"))
    print_table(columns, [_as_row(entry) for entry in page.items])
    print(f"{len(page.items)} of {page.total} entries.")
    return 0


async def verify(*, user: As, organization: Organization = None) -> int:
    """Replay the audit chain; exit code 5 when it is broken.

    Example: proffer audit verify --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        verify_audit = await session.get(VerifyAudit)
        with progress() as bar:
            task = bar.add_task("Verifying entries", total=None)
            verification = await verify_audit(
                session.actor, lambda done, total: bar.update(task, completed=done, total=total)
            )
    if not verification.intact:
        return fail(f"the audit chain is broken: {verification.problem}", BROKEN_CHAIN)
    print(f"The audit chain is intact: {verification.entries} entries, head {verification.head.hash}.")
    return 0


def _as_row(entry: AuditEntry) -> tuple[str, ...]:
    record = entry.record
    actor = str(record.user_id) if record.user_id else record.actor_kind
    return (
        str(entry.sequence),
        f"{record.at:%Y-%m-%d %H:%M:%S}",
        record.action,
        actor,
        f"{record.resource_type} {record.resource_id}",
    )


def _as_json(entry: AuditEntry) -> dict[str, object]:
    return {
        "sequence": entry.sequence,
        "text": entry.record.text,
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }
