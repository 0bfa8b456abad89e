"""``proffer audit …``: read the chain, prove it, sign its heads, remove what is old enough."""

import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter
from dishka import AsyncContainer

from src.adapters.audit_heads import head_of_json, json_of_head
from src.application.audit.read_audit import ListAuditEntries
from src.application.audit.retain_audit import RetainAudit, RetentionPlan
from src.application.audit.sign_heads import ChainBroken, SignAuditHead
from src.application.audit.verify_audit import VerifyArchive, VerifyAudit, VerifyAuditCommand
from src.application.identity.get_organization import GetOrganization
from src.application.ports.audit import AuditFilter, HeadSigner
from src.application.ports.clock import Clock
from src.application.ports.identity import OrganizationDirectory
from src.application.ports.paging import Paging
from src.domain.audit.chain import ChainHead
from src.domain.audit.entry import AuditEntry
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.audit.verification import Verification
from src.domain.documents.export import ExportFilters, ExportKind
from src.domain.identity.actor import Actor, ActorKind
from src.domain.identity.organization import OrganizationUnknown
from src.domain.shared.errors import Conflict, invalid_field
from src.domain.shared.ids import OrganizationId
from src.entrypoints.cli.exports import export_to
from src.entrypoints.cli.failures import BROKEN_CHAIN, fail
from src.entrypoints.cli.files import FileRefused
from src.entrypoints.cli.naming import user_of
from src.entrypoints.cli.output import counted, print_json, print_table, progress
from src.entrypoints.cli.pages import every
from src.entrypoints.cli.session import (
    As,
    CliSession,
    Limit,
    MaybeAs,
    Organization,
    cli_origin,
    installation,
    session_of,
)
from src.entrypoints.settings import read_settings


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Which entries."""

    action: Annotated[str | None, Parameter(help="Only this action, such as quote.sent.")] = None
    resource: Annotated[str | None, Parameter(help="Only this thing: quote, or quote:ID.")] = None
    by: Annotated[str, Parameter(help="Only what this user did: e-mail or id.")] = ""
    kind: Annotated[ActorKind | None, Parameter(help="Only what such an actor did.")] = None
    trace: Annotated[str | None, Parameter(help="Only what belongs to this trace.")] = None
    since: Annotated[datetime | None, Parameter(help="From here on (UTC), included.")] = None
    before: Annotated[datetime | None, Parameter(help="Up to here (UTC), not included.")] = None

    async def criteria(self, session: CliSession) -> AuditFilter:
        resource_type, _, identity = (self.resource or "").partition(":")
        try:
            resource_id = UUID(identity) if identity else None
        except ValueError:
            raise invalid_field("resource", f"{identity!r} is no id.") from None
        return AuditFilter(
            action=self.action,
            resource_type=resource_type or None,
            resource_id=resource_id,
            user_id=(await user_of(session, self.by)).id if self.by else None,
            actor_kind=self.kind,
            trace_id=self.trace,
            since=None if self.since is None else self.since.replace(tzinfo=self.since.tzinfo or UTC),
            before=None if self.before is None else self.before.replace(tzinfo=self.before.tzinfo or UTC),
        )

    async def filters(self, session: CliSession) -> ExportFilters:
        criteria = await self.criteria(session)
        return ExportFilters(
            action=criteria.action,
            resource_type=criteria.resource_type,
            resource_id=criteria.resource_id,
            user_id=criteria.user_id,
            actor_kind=criteria.actor_kind,
            trace_id=criteria.trace_id,
            since=criteria.since,
            before=criteria.before,
        )


_ALL = Conditions()


async def list_entries(
    *,
    user: As,
    organization: Organization = None,
    conditions: Conditions = _ALL,
    limit: Limit = 20,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """List audit entries, newest first.

    Example: proffer audit list --as owner@nordlicht.example --action quote.sent
    """
    paging = Paging(limit=limit)
    async with session_of(user, organization) as session:
        criteria = await conditions.criteria(session)
        page = await (await session.get(ListAuditEntries))(session.actor, criteria, paging)
    if json:
        print_json([_as_json(entry) for entry in page.items])
        return 0
    columns = (("No.", "right"), ("At (UTC)", "left"), ("Action", "left"), ("Actor", "left"), ("Resource", "left"))
    print_table(columns, [_as_row(entry) for entry in page.items])
    print(f"{len(page.items)} of {counted(page.total, 'entry', 'entries')}.")
    return 0


async def export(
    file: Annotated[Path, Parameter(help="Where to write; .xlsx, .csv or .jsonl decides the format.")],
    *,
    user: As,
    organization: Organization = None,
    conditions: Conditions = _ALL,
    force: Annotated[bool, Parameter(help="Write over a file that is there.", negative="")] = False,
) -> int:
    """Export audit entries, oldest first, with the text that their hashes cover.

    Example: proffer audit export audit.jsonl --as owner@nordlicht.example --since 2026-01-01
    """
    return await export_to(
        file, ExportKind.AUDIT, conditions.filters, "entry", user, organization, force=force, plural="entries"
    )


async def verify(
    *,
    user: MaybeAs = None,
    organization: Organization = None,
    head: Annotated[
        list[Path] | None, Parameter(help="File with signed heads that were kept, one a line; may be repeated.")
    ] = None,
    checkpoint: Annotated[
        Path | None, Parameter(help="File to resume from, and to note how far the proof got, even when interrupted.")
    ] = None,
    archive: Annotated[
        list[Path] | None, Parameter(help="File with entries that retention has removed; may be repeated.")
    ] = None,
) -> int:
    """Replay the audit chain; exit code 5 when it is broken. Without --as: of all organisations, or of --organization.

    A chain that is shorter than a kept head, or differs from it, is broken. A head is trusted when this installation
    has signed it. With --archive, for one organisation: the archives and then the rest.

    Example: proffer audit verify --head heads.jsonl --checkpoint proven.jsonl
    """
    kept = [signed for path in head or () for signed in _read_heads(path)]
    proven = _read_heads(checkpoint) if checkpoint is not None and checkpoint.exists() else []
    code = 0
    async with _chains(user, organization) as (container, actors, others):
        refused = _misfit(kept, archive or (), actors)
        if refused:
            return fail(refused, BROKEN_CHAIN)
        for path in archive or ():
            [(slug, actor)] = actors.items()
            code = await _verify_archive(container, slug, actor, path, _of(actor, kept))
            if code:
                return code
        notes = _Checkpoint(checkpoint, proven, await container.get(HeadSigner), await container.get(Clock))
        for slug, actor in actors.items():
            command = VerifyAuditCommand(after=notes.of(actor), heads=_of(actor, kept), others=others)
            code = await _verify_chain(await container.get(VerifyAudit), slug, actor, command, notes) or code
    return code


def _misfit(kept: Sequence[SignedHead], archives: Sequence[Path], actors: Mapping[str, Actor]) -> str:
    """Why these files do not belong to these chains, or nothing."""
    here = {actor.organization_id for actor in actors.values()}
    unknown = {signed.organization_id for signed in kept} - here
    if len(actors) > 1 and unknown:
        return f"a head is of an organisation that is not here: {unknown.pop()}"
    if len(actors) > 1 and archives:
        return "an archive is one organisation's: name it with --organization"
    if len(actors) == 1 and kept and not any(signed.organization_id in here for signed in kept):
        return f"no head in these files is one of {next(iter(actors))}"
    return ""


def _of(actor: Actor, kept: Sequence[SignedHead]) -> list[SignedHead]:
    return [one for one in kept if one.organization_id == actor.organization_id]


async def _verify_archive(
    container: AsyncContainer, slug: str, actor: Actor, path: Path, kept: Sequence[SignedHead]
) -> int:
    archived = await (await container.get(VerifyArchive))(actor, path, kept)
    if not archived.intact:
        return fail(f"the archive {path.name} of {slug} is broken: {archived.problem}", BROKEN_CHAIN)
    entries = counted(archived.entries, "entry", "entries")
    print(f"The archive {path.name} of {slug} is intact: {entries} up to {archived.head.sequence}.")
    return 0


async def _verify_chain(
    verify_audit: VerifyAudit, slug: str, actor: Actor, command: VerifyAuditCommand, notes: "_Checkpoint"
) -> int:
    proof = _Proof(command.after)
    try:
        with progress() as bar:
            task = bar.add_task(f"Verifying {slug}", total=None)

            def tell(proven: ChainHead, upto: int) -> None:
                proof.head = proven
                bar.update(task, completed=proven.sequence, total=upto)

            verification = await verify_audit(actor, command, tell)
        proof.head = verification.head if verification.intact else proof.head
    finally:  # After Ctrl-C as well.
        notes.note(actor, proof.head)
    if not verification.intact:
        return fail(f"the audit chain of {slug} is broken: {verification.problem}", BROKEN_CHAIN)
    print(_praise(slug, verification, command.after))
    return 0


class _Checkpoint:
    """Up to where chains were proven, in a file if there is one; what was not signed here does not count, and is told of."""

    def __init__(self, path: Path | None, proven: Sequence[SignedHead], signer: HeadSigner, clock: Clock) -> None:
        self._path, self._signer, self._clock = path, signer, clock
        self._done = {signed.organization_id: signed for signed in proven if signer.is_ours(signed)}
        if len(self._done) < len(proven):
            print(f"What {path} says was not all signed here: that is proven from the start.", file=sys.stderr)

    def of(self, actor: Actor) -> ChainHead | None:
        done = self._done.get(actor.organization_id)
        return None if done is None else done.head

    def note(self, actor: Actor, head: ChainHead | None) -> None:
        if self._path is not None and head is not None:
            self._done[actor.organization_id] = self._signer.sign(actor.organization_id, head, self._clock.now())
            self._path.write_text("".join(f"{json_of_head(one)}\n" for one in self._done.values()), encoding="utf-8")


@dataclass(slots=True)
class _Proof:
    """How far it got."""

    head: ChainHead | None


def _praise(slug: str, verification: Verification, resumed: ChainHead | None) -> str:
    told = counted(verification.entries, "entry", "entries")
    if resumed is not None:
        new = told if verification.entries else "nothing new"
        told = f"{new} since entry {resumed.sequence}, up to which it was proven before"
    told = f"The audit chain of {slug} is intact: {told}, head {verification.head.hash}."
    if verification.anchor is not None:
        told += f" {verification.anchor.sentence()}"
    if verification.kept_heads:
        told += f" It goes through {counted(verification.kept_heads, 'signed head')}."
    if verification.older_heads:
        heads = counted(verification.older_heads, "head")
        told += f" {heads} {'is' if verification.older_heads == 1 else 'are'} older than what retention has left."
    return told


def _read_heads(path: Path) -> list[SignedHead]:
    """Raises HeadRefused."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise HeadRefused(f"{path} cannot be read.") from None
    return [head_of_json(line) for line in lines if line.strip()]


@asynccontextmanager
async def _chains(
    user: str | None, organization: str | None
) -> AsyncIterator[tuple[AsyncContainer, dict[str, Actor], Sequence[OrganizationId]]]:
    """The actor for each chain, by the organisation's slug; and all organisations, where nobody in particular asks.

    Whoever may read the secret key of the installation is trusted to look at all of them.
    """
    if user is not None:
        async with session_of(user, organization) as session:
            name = organization or (await (await session.get(GetOrganization))(session.actor)).slug
            yield session.container, {name: session.actor}, ()
        return
    async with installation() as container:
        directory = await container.get(OrganizationDirectory)
        everybody = [one async for one in every(partial(directory.page, ""))]
        wanted = {one.slug for one in everybody} if organization is None else {organization}
        if unknown := wanted - {one.slug for one in everybody}:
            raise OrganizationUnknown(f"There is no organisation {unknown.pop()}.")
        origin = cli_origin()
        actors = {
            one.slug: Actor.job(organization_id=one.id, name="audit", origin=origin)
            for one in everybody
            if one.slug in wanted
        }
        yield container, actors, [one.id for one in everybody]


def _folder_of(archive: Path | None) -> Path:
    """Raises FileRefused."""
    if archive is None:
        raise FileRefused("Say with --archive in which folder to keep what is removed.")
    if not archive.is_dir():
        raise FileRefused(f"The folder {archive} does not exist.")
    return archive


async def _retain(retain_audit: RetainAudit, actor: Actor, months: int, file: Path, kept: list[SignedHead]) -> None:
    if (anchor := await retain_audit(actor, months, file, kept)) is not None:
        print(f"{counted(anchor.entries, 'entry', 'entries')} went to {file}. {anchor.sentence()}")


async def retain(
    *,
    archive: Annotated[
        Path | None, Parameter(help="Folder for what is removed, a file for each organisation; --apply needs it.")
    ] = None,
    months: Annotated[
        int | None, Parameter(help="Keep so many whole months, 12 at least; otherwise PROFFER_AUDIT_MONTHS.")
    ] = None,
    organization: Organization = None,
    head: Annotated[
        list[Path] | None, Parameter(help="File with more signed heads that were kept, one a line; may be repeated.")
    ] = None,
    apply: Annotated[bool, Parameter(help="Do it; without, only tell.", negative="")] = False,
) -> int:
    """Remove audit entries of months that are older, of all organisations or of --organization.

    Each chain is proven through the heads at PROFFER_AUDIT_HEADS_URL and those of --head, what goes is archived as JSON
    Lines and proven again, and an anchor is signed from which the rest verifies. Nothing is removed that no such head
    covers. Without --apply it only tells what it would do.

    Example: proffer audit retain --months 120 --archive archive/ --apply
    """
    wanted = read_settings().audit_months if months is None else months
    if not wanted:
        return fail("entries are kept for ever: say --months, or set PROFFER_AUDIT_MONTHS")
    folder = _folder_of(archive) if apply else None
    kept = [signed for path in head or () for signed in _read_heads(path)]
    code = 0
    async with _chains(None, organization) as (container, actors, others):
        if unknown := {signed.organization_id for signed in kept} - set(others):
            return fail(f"a head is of an organisation that is not here: {unknown.pop()}", BROKEN_CHAIN)
        retain_audit = await container.get(RetainAudit)
        for slug, job in actors.items():
            actor = Actor.operator(organization_id=job.organization_id, name="audit retention", origin=job.origin)
            try:
                own = [one for one in kept if one.organization_id == actor.organization_id]
                plan = await retain_audit.plan(actor, wanted, own)
                print(_planned(slug, plan))
                # Also where nothing is old enough: an earlier time may have been cut short.
                if folder is not None:
                    await _retain(retain_audit, actor, wanted, folder / f"{slug}-{_span(plan)}.jsonl", own)
            except Conflict as error:  # One that is not sound does not keep the others.
                code = fail(f"{slug}: {error}", BROKEN_CHAIN if isinstance(error, ChainBroken) else 1)
        if apply:
            empty = await retain_audit.drop_empty_months(wanted)
            print(f"{counted(len(empty.dropped), 'month')} without any entries removed.")
            for month, why in empty.left.items():
                print(f"{month:%Y-%m} is left for the next time: {why}.")
        else:
            print("This was a trial, and nothing was removed; with --apply it is.")
    return code


def _span(plan: RetentionPlan) -> str:
    return f"{plan.base.sequence + 1}-{plan.upto.sequence if plan.upto else plan.base.sequence}"


def _planned(slug: str, plan: RetentionPlan) -> str:
    if plan.upto is None and not plan.uncovered:
        return f"{slug}: no entry is from before {plan.before:%Y-%m}, so nothing is to be removed."
    which = "" if plan.upto is None else f", {_span(plan)}"
    told = f"{slug}: {counted(plan.entries, 'entry', 'entries')} of before {plan.before:%Y-%m}{which}."
    return (
        told if not plan.uncovered else f"{told} {plan.uncovered} more without a signed head yet: proffer audit sign."
    )


async def sign(*, user: MaybeAs = None, organization: Organization = None) -> int:
    """Sign heads now, keep them at PROFFER_AUDIT_HEADS_URL, and print them, one a line.

    Example: proffer audit sign > heads.jsonl
    """
    async with _chains(user, organization) as (container, actors, _):
        sign_head = await container.get(SignAuditHead)
        for actor in actors.values():
            print(json_of_head(await sign_head.now(actor)))
    return 0


async def keys() -> int:
    """Print the public keys (Ed25519) that heads are signed with, the newest first, each after its id.

    Example: proffer audit keys
    """
    async with installation() as container:
        for identity, key in (await container.get(HeadSigner)).public_keys().items():
            print(identity, key)
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
