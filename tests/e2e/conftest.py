"""The whole API in this process, on the real database, with a worker beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
import pytest_asyncio
from dishka import AsyncContainer
from dishka.integrations.litestar import LitestarProvider
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar

from src.adapters.postgres.addresses import DatabaseUrls
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from src.entrypoints.container import AppEngine, make_container
from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.http.readiness import DatabaseReady, StorageReady
from src.entrypoints.settings import Settings, read_settings
from src.entrypoints.worker.handlers import run_jobs
from tests.database import SECRET
from tests.organizations import PASSWORD, TestOrganization, new_organization

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token; or, with an empty one, without."""

    client: AsyncClient
    token: str = ""
    colleague: "Caller | None" = None  # Somebody else, who may decide about what this one has begun.

    async def get(self, path: str, **params: Any) -> Response:
        return await self.client.get(path, params=params, headers=self._headers({}))

    async def post(self, path: str, body: Any = None, **headers: str) -> Response:
        """Each with a key of its own, as careful clients send it: so that every route is tried with one."""
        given = {"idempotency_key": uuid4().hex} | headers
        return await self.client.post(path, json=body, headers=self._headers(given))

    async def patch(self, path: str, body: Any, **headers: str) -> Response:
        """Made from what is there now, unless *if_match* says otherwise."""
        headers = headers or {"if_match": await self.tag_of(path)}
        return await self.client.patch(path, json=body, headers=self._headers(headers))

    async def put(self, path: str, body: Any, **headers: str) -> Response:
        return await self.client.put(path, json=body, headers=self._headers(headers))

    async def delete(self, path: str, **query: str) -> Response:
        headers = self._headers({} if query else {"if_match": await self.tag_of(path)})
        return await self.client.delete(path, params=query, headers=headers)

    async def tag_of(self, path: str) -> str:
        """The ETag of what is there; any, where there is none."""
        return str((await self.get(path)).headers.get("etag", '"1"'))

    async def send(self, method: str, path: str, content: bytes, content_type: str = "application/json") -> Response:
        """Exactly these bytes."""
        headers = self._headers({"content-type": content_type})
        return await self.client.request(method, path, content=content, headers=headers)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        given = {name.replace("_", "-"): value for name, value in more.items()}
        return given | ({"authorization": f"Bearer {self.token}"} if self.token else {})


@dataclass(frozen=True, slots=True)
class Team:
    """An organisation of its own, and its people logged in."""

    organization: TestOrganization
    owner: Caller
    admin: Caller
    approver: Caller
    sales: Caller
    viewer: Caller


@pytest.fixture(scope="session")
def api_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("home")
    return read_settings(
        {
            "PROFFER_HOME": str(home),
            "PROFFER_SECRET_KEY": SECRET,
            "PROFFER_LOGINS_PER_ADDRESS": "10000",
            "PROFFER_PRIVATE_NETWORKS": "127.0.0.0/8",
            "PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0",
        }
    )


@pytest_asyncio.fixture(scope="session")
async def container(api_settings: Settings, database: DatabaseUrls) -> AsyncIterator[AsyncContainer]:
    made = make_container(api_settings, database, HttpActors(), LitestarProvider())
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="session")
async def app(container: AsyncContainer) -> Litestar:
    checks = (DatabaseReady(await container.get(AppEngine)), StorageReady(await container.get(ObjectStorage)))
    return await create_api(container, HttpSettings(), checks)


@pytest_asyncio.fixture(scope="session")
async def client(app: Litestar) -> AsyncIterator[AsyncClient]:
    # Not Litestar's own test client: that one serves from a loop of its own, apart from the pools' and the worker's.
    transport = ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Two spellings of ASGI.
    async with AsyncClient(transport=transport, base_url="http://proffer.test") as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def worker(container: AsyncContainer, database: DatabaseUrls) -> AsyncIterator[None]:
    """Jobs are run while this is there: no longer than the module, because others ask in the same database what jobs wait."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_jobs(container, database.worker, stop))
    yield
    stop.set()
    await running


@pytest_asyncio.fixture
async def team(client: AsyncClient, open_postgres: OpenUnitOfWork) -> Team:
    return await log_in_all(client, await new_organization(open_postgres))


@pytest_asyncio.fixture
async def strangers(client: AsyncClient, open_postgres: OpenUnitOfWork) -> Team:
    """Another organisation."""
    return await log_in_all(client, await new_organization(open_postgres))


@pytest.fixture
def nobody(client: AsyncClient) -> Caller:
    return Caller(client)


@pytest.fixture
def mail_folder(api_settings: Settings) -> Path:
    return api_settings.home / "mail"


async def eventually(look: Callable[[], Awaitable[Found | None]]) -> Found:
    """What *look* finds, once it does: for what a worker does beside the test. Raises TimeoutError."""
    async with asyncio.timeout(30):
        while (found := await look()) is None:  # noqa: ASYNC110 — what happens elsewhere sets no event here.
            await asyncio.sleep(0.05)
        return found


async def log_in_all(client: AsyncClient, made: TestOrganization) -> Team:
    callers = {}
    for role in Role:
        body = {"email": made.users[role].email, "password": PASSWORD}
        answer = await client.post("/api/v1/login", json=body)
        assert answer.status_code == 200, answer.text
        callers[role.value] = Caller(client, answer.json()["access_token"])
    approver = callers["approver"]
    others = {role: replace(caller, colleague=approver) for role, caller in callers.items() if caller is not approver}
    return Team(made, approver=approver, **others)
