"""Proving chains and signing heads, on both stores."""

from datetime import timedelta
from pathlib import Path

import pytest

from src.adapters.audit_heads import StoredHeads, head_of_json, json_of_head
from src.adapters.storage import storage_from
from src.adapters.system import SystemClock
from src.application.audit.sign_heads import ListSignedHeads, SignAuditHead
from src.application.audit.verify_audit import VerifyAudit, VerifyAuditCommand
from src.application.ports.audit import HeadStore
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.audit.chain import ChainHead
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.audit.verification import Tampering
from src.domain.identity.actor import Actor, Origin, PermissionMissing, Role
from tests.builders.audit import OTHER_SIGNER, SIGNER, verifying
from tests.builders.quotes import NOON, a_customer
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio


class KeptHeads(HeadStore):
    def __init__(self) -> None:
        self.kept: list[SignedHead] = []

    async def put(self, signed: SignedHead) -> str:
        self.kept.append(signed)
        return ""


def signing(open_uow: OpenUnitOfWork, store: HeadStore) -> SignAuditHead:
    transactions = Transactions(open_uow)
    return SignAuditHead(transactions, VerifyAudit(transactions, SIGNER), SIGNER, store, SystemClock())


async def add(open_uow: OpenUnitOfWork, actor: Actor) -> ChainHead:
    async with open_uow(actor) as uow:
        await uow.customers.save(a_customer().create())
        await uow.commit()
    async with open_uow(actor) as uow:
        return await uow.audit.head()


async def test_a_chain_is_proven_piece_by_piece(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    owner, told, seen = organization.actor(Role.OWNER), [], 0
    whole = await verifying(open_uow)(owner)
    after = None
    while True:
        part = await verifying(open_uow)(
            owner, VerifyAuditCommand(after=after, limit=2), lambda head, upto: told.append((head.sequence, upto))
        )
        assert part.intact
        seen += part.entries
        after = part.head
        if part.complete:
            break

    assert whole.complete
    assert seen == whole.entries == whole.total
    assert after == whole.head
    assert told[0] == (2, 2)


async def test_it_resumes_only_from_where_the_chain_has_been(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner = organization.actor(Role.OWNER)
    head = (await verifying(open_uow)(owner)).head

    for after, tampering in (
        (ChainHead(2, "0" * 64), Tampering.REWRITTEN),
        (ChainHead(head.sequence + 5, "0" * 64), Tampering.REMOVED),
    ):
        result = await verifying(open_uow)(owner, VerifyAuditCommand(after=after))
        assert result.finding is not None
        assert result.finding.tampering is tampering


async def test_heads_are_signed_kept_and_held_against_the_chain(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner, store = organization.actor(Role.OWNER), KeptHeads()
    first = await signing(open_uow, store).now(owner)
    await add(open_uow, owner)
    second = await signing(open_uow, store).now(owner)

    assert store.kept == [first, second] == list(await ListSignedHeads(Transactions(open_uow))(owner))
    assert second.head.sequence == first.head.sequence + 2  # The customer, and the signing of the first.
    result = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[first, second]))
    assert (result.intact, result.kept_heads) == (True, 2)
    async with open_uow(owner) as uow:
        signings = [entry.record.action for entry in await uow.audit.of_resource("organization", owner.organization_id)]
    assert signings.count("audit.head_signed") == 2


async def test_a_kept_head_that_the_chain_does_not_go_through_is_told(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    owner = organization.actor(Role.OWNER)
    head = (await verifying(open_uow)(owner)).head
    other = SIGNER.sign(owner.organization_id, ChainHead(3, "1" * 64), NOON)
    longer = SIGNER.sign(owner.organization_id, ChainHead(head.sequence + 1, "1" * 64), NOON)

    differs = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[other]))
    resumed = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[other], after=head))
    short = await verifying(open_uow)(owner, VerifyAuditCommand(heads=[longer]))

    assert (differs.first_bad, resumed.first_bad, short.first_bad) == (1, 3, head.sequence + 1)
    assert "shorter than the kept head" in short.problem


async def test_heads_of_others_are_refused(
    open_uow: OpenUnitOfWork, organization: TestOrganization, other: TestOrganization
) -> None:
    owner, foreign = organization.actor(Role.OWNER), other.actor(Role.OWNER)
    head = (await verifying(open_uow)(owner)).head
    good = SIGNER.sign(owner.organization_id, head, NOON)
    for signed in (
        OTHER_SIGNER.sign(owner.organization_id, head, NOON),
        SIGNER.sign(foreign.organization_id, head, NOON),
        SignedHead(
            organization_id=good.organization_id,
            head=good.head,
            signed_at=good.signed_at + timedelta(seconds=1),
            key_id=good.key_id,
            signature=good.signature,
        ),
        SignedHead(
            organization_id=good.organization_id, head=head, signed_at=NOON, key_id=good.key_id, signature="no hex"
        ),
    ):
        with pytest.raises(HeadRefused):
            await verifying(open_uow)(owner, VerifyAuditCommand(heads=[signed]))


async def test_the_daily_head_is_signed_when_something_has_happened(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    store = KeptHeads()
    job = Actor.job(organization_id=organization.organization.id, name="audit heads", origin=Origin(trace_id="1" * 32))
    sign = signing(open_uow, store)

    first = await sign.if_due(job)
    idle = await sign.if_due(job, timedelta(0))
    await add(open_uow, organization.actor(Role.SALES))
    early = await sign.if_due(job)
    later = await sign.if_due(job, timedelta(0))

    assert (idle, early) == (None, None)
    assert store.kept == [first, later]


async def test_who_may_not_verify_is_refused(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    for role in (Role.SALES, Role.APPROVER, Role.VIEWER):
        with pytest.raises(PermissionMissing):
            await verifying(open_uow)(organization.actor(role))


async def test_heads_are_files_that_nobody_overwrites(organization: TestOrganization, tmp_path: Path) -> None:
    storage = storage_from(str(tmp_path))
    signed = SIGNER.sign(organization.organization.id, ChainHead(7, "a" * 64), NOON)

    name = await StoredHeads(storage).put(signed)

    assert head_of_json(await storage.get(name)) == signed
    assert name == f"{organization.organization.id}/{NOON:%Y%m%dT%H%M%S}.000000Z-7.json"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[" * 100_000, json_of_head(SIGNER.sign(NOON, ChainHead(), NOON))],  # type: ignore[arg-type]  # No organisation.
)
async def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(HeadRefused):
        head_of_json(text)
