"""Signed links on both stores: they open one file, for as long as whoever was given them may come in."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from src.adapters.memory.storage import MemoryStorage
from src.adapters.security import KeyRing, SignedDownloadLinks
from src.adapters.system import SystemClock
from src.application.documents.open_download import Download, DownloadableFile, DownloadKinds, OpenDownload
from src.application.identity.platform import Operator
from src.application.ports.audit import AuditFilter
from src.application.ports.paging import Paging
from src.application.ports.security import DownloadGrant
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, ActorKind, Role
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import OrganizationId
from tests.organizations import ORIGIN, TestOrganization

pytestmark = pytest.mark.asyncio
LINKS = SignedDownloadLinks(KeyRing(["k" * 32]))
FILE_ID = uuid4()


async def _find(uow: UnitOfWork, _: Actor, file_id: UUID) -> DownloadableFile:
    organization = await uow.organizations.current()
    if file_id != FILE_ID:
        raise NotFound("There is no such file, and its name is a secret.")
    return DownloadableFile(
        storage_key=f"{organization.id}/things/{file_id}",
        file_name="a.txt",
        content_type="text/plain",
        size=5,
        sha256="0" * 64,
        resource_type="quote",
        resource_id=file_id,
    )


def _token(made: TestOrganization, **changes: object) -> str:
    values: dict[str, object] = {
        "organization_id": made.organization.id,
        "kind": "thing",
        "file_id": FILE_ID,
        "issued_to": made.users[Role.SALES].id,
        "expires_at": SystemClock().now() + timedelta(minutes=5),
    }
    return LINKS.token(DownloadGrant(**values | changes))  # type: ignore[arg-type]  # As the fields want them.


async def _open(open_uow: OpenUnitOfWork, made: TestOrganization, token: str) -> Download:
    storage = MemoryStorage()
    await storage.put(f"{made.organization.id}/things/{FILE_ID}", b"hello", content_type="text/plain")
    kinds = DownloadKinds({"thing": _find})
    return await OpenDownload(Transactions(open_uow), LINKS, kinds, storage, SystemClock())(token, ORIGIN)


async def test_a_link_opens_its_file_and_that_is_audited(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    opened = await _open(open_uow, organization, _token(organization))

    assert b"".join([piece async for piece in opened.content]) == b"hello"
    async with open_uow(organization.actor(Role.OWNER)) as uow:
        (entry,) = (await uow.audit.page(AuditFilter(action="file.downloaded"), Paging())).items
    assert (entry.record.resource_type, entry.record.resource_id) == ("quote", FILE_ID)
    assert (entry.record.actor_kind, entry.record.user_id) == (ActorKind.ANONYMOUS, None)
    assert f'"issued_to":"{organization.users[Role.SALES].id}"' in entry.record.text


async def test_every_refusal_looks_alike(
    open_uow: OpenUnitOfWork, organization: TestOrganization, other: TestOrganization
) -> None:
    tokens = [
        "nonsense",
        _token(organization, expires_at=SystemClock().now() - timedelta(seconds=1)),
        _token(organization, kind="nothing"),
        _token(organization, file_id=uuid4()),
        _token(organization, issued_to=uuid4()),
        _token(organization, issued_to=other.users[Role.SALES].id),
        _token(organization, organization_id=OrganizationId(uuid4())),
    ]
    told = set()
    for token in tokens:
        with pytest.raises(NotFound) as refused:
            await _open(open_uow, organization, token)
        told.add((refused.value.code, refused.value.message))

    assert len(told) == 1


async def test_a_link_ends_with_the_account_of_whoever_was_given_it(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    async with open_uow(organization.actor(Role.OWNER)) as uow:
        sales = await uow.users.get(organization.users[Role.SALES].id)
        await uow.users.save(sales.deactivate(by=organization.actor(Role.OWNER), owners=1, at=SystemClock().now()))
        await uow.commit()

    with pytest.raises(NotFound):
        await _open(open_uow, organization, _token(organization))
    other_link = _token(organization, issued_to=organization.users[Role.ADMIN].id)
    assert (await _open(open_uow, organization, other_link)).file.size == 5


async def test_a_link_ends_while_the_organisation_is_suspended(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    operator = Operator(name="olga", origin=ORIGIN).actor(organization.organization.id)
    async with open_uow(operator) as uow:
        current = await uow.organizations.current(lock=True)
        await uow.organizations.save(current.suspend(reason="Unpaid", at=SystemClock().now()))
        await uow.commit()

    with pytest.raises(NotFound):
        await _open(open_uow, organization, _token(organization))
