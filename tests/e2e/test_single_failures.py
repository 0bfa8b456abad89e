"""Whichever single call to the database fails in a write, the state is that before it or that after it.

PROFFER_CRASHES=full fails each call in every way; by default the ways take turns.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from dishka import AsyncContainer
from dishka.integrations.litestar import LitestarProvider
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from pyotp import TOTP

from src.adapters.embedded_postgres import ServerAddress
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.ports.storage import ObjectStorage
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.domain.identity.actor import Actor, Role
from src.domain.messaging.message import DeliveryStatus
from src.domain.quoting.quote import Quote
from src.entrypoints.container import AppEngine, make_container
from src.entrypoints.http.access import Door, accesses_of
from src.entrypoints.http.api import create_api
from src.entrypoints.http.app import HttpSettings
from src.entrypoints.http.authentication import HttpActors
from src.entrypoints.settings import read_settings
from tests.builders.pictures import a_logo
from tests.builders.quotes import a_content, a_new_quote
from tests.builders.quotes import a_customer as a_customer_of_domain
from tests.database import SECRET, drop_database, migrated_clone
from tests.e2e.conftest import Caller, Team, log_in_all
from tests.e2e.offers import LINE, a_contact, a_customer
from tests.e2e.single_failures import Failure, Fault, Sweep, failing, faulty_database, faulty_world
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio
API: Final = "/api/v1"
EVERY: Final = os.environ.get("PROFFER_CRASHES") == "full"
# Begun by a mail, without an organisation's data, about what only a worker brings so far, or with attempts that are counted.
# Uploads take several steps, and what a broken one leaves is upkeep's: test_whoever_dies_at_whatever_step_leaves_no_orphan.
ELSEWHERE: Final = {
    "POST /api/v1/approvals/{approval_id}/attachments",
    "POST /api/v1/customers/{customer_id}/attachments",
    "POST /api/v1/quotes/{quote_id}/attachments",
    "POST /api/v1/invitations/accept",
    "POST /api/v1/exports/{export_id}/link",
    "POST /api/v1/jobs/{job_id}/retry",
    "POST /api/v1/login",
    "POST /api/v1/login/provider",
    "POST /api/v1/login/verify",
    "POST /api/v1/me/password",
    "POST /api/v1/me/second-factor/confirm",
    "POST /api/v1/me/second-factor/remove",
    "POST /api/v1/password-resets",
    "POST /api/v1/password-resets/complete",
    "POST /api/v1/session/refresh",
}


@pytest_asyncio.fixture
async def own_container(
    test_home: Path, server: ServerAddress, worker_name: str, tmp_path: Path
) -> AsyncIterator[AsyncContainer]:
    """On a database of its own, where no worker changes anything."""
    name = f"failures_{worker_name}"
    urls = await migrated_clone(test_home, server, name)
    given = {
        "PROFFER_HOME": str(tmp_path),
        "PROFFER_SECRET_KEY": SECRET,
        "PROFFER_LOGINS_PER_ADDRESS": "10000",
        "PROFFER_POOL_SIZE": "2",
        "PROFFER_REQUESTS_PER_MINUTE": "address=0 user=0 key=0 organization=0",
    }
    made = make_container(read_settings(given), urls, HttpActors(), LitestarProvider())
    yield made
    await made.close()
    await drop_database(server, name)


async def test_each_write_is_whole_whichever_call_fails(
    own_container: AsyncContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = await create_api(own_container, HttpSettings())
    engine = await own_container.get(AppEngine)
    made = await new_organization(await own_container.get(OpenUnitOfWork))
    transport = ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]  # Two spellings of ASGI.
    async with AsyncClient(transport=transport, base_url="http://proffer.test") as client:
        team = await log_in_all(client, made)
        sweep = Sweep(app, engine, str(made.organization.id), tuple(Failure), EVERY)
        with faulty_database(monkeypatch):
            await _people(sweep, team)
            await _catalogue(sweep, team)
            await _customers(sweep, team)
            await _quotes(sweep, team)
            await _organization(sweep, team)
        verification = (await team.owner.post(f"{API}/audit/verification", {})).json()
        # The pool has two connections: had one not come back, these would wait for ever.
        answers = [(await team.owner.get(f"{API}/quotes")).status_code for _ in range(3)]

    assert {f"{method} {path}" for method, path in sweep.asked} == _writes(app)
    assert sweep.failed > 8 * len(sweep.asked)
    assert sweep.stored_unheard > len(sweep.asked) / 4
    assert verification["intact"]
    assert answers == [200, 200, 200]


@pytest.mark.parametrize("failure", list(Failure))
async def test_an_offer_is_handed_over_once_whichever_call_fails(
    failure: Failure, own_container: AsyncContainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_uow = await own_container.get(OpenUnitOfWork)
    made = await new_organization(open_uow)
    quote = await _sent(own_container, made)
    job = Actor.job(organization_id=made.organization.id, name="deliver_quote", origin=ORIGIN)
    async with open_uow(job) as uow:
        [message] = await uow.messages.of_quote(quote.id)
    deliver = await own_container.get(DeliverQuote)
    attempts = 0
    with faulty_world(monkeypatch):
        for at in range(1, 200):
            attempts, fault = at, Fault(failure, at)
            with suppress(Exception, asyncio.CancelledError), failing(fault):
                await asyncio.create_task(deliver(job, DeliverQuoteCommand(message_id=message.id)))
            if not fault.reached:
                break
    async with open_uow(job) as uow:
        after = await uow.messages.get(message.id)
        document = await uow.documents.of_revision(quote.id, 1)
    assert document is not None
    content = await (await own_container.get(ObjectStorage)).get(document.storage_key)
    mails = [path.read_bytes() for path in (tmp_path / "mail").glob("*.eml")]

    assert attempts > 3
    assert after.status is DeliveryStatus.HANDED_OVER
    assert sha256(content).hexdigest() == document.sha256
    assert len(mails) == 1  # A mail that is handed over again is the same file.
    assert message.header.encode() in mails[0]


@pytest.mark.parametrize("failure", [one for one in Failure if one is not Failure.CANCELLED])
async def test_an_attempt_that_has_mailed_says_so_itself_whichever_call_fails(
    failure: Failure, own_container: AsyncContainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each may be the last: what it leaves waiting would be told as failed. Only a mail whose answer was lost is in doubt."""
    open_uow = await own_container.get(OpenUnitOfWork)
    made = await new_organization(open_uow)
    job = Actor.job(organization_id=made.organization.id, name="deliver_quote", origin=ORIGIN)
    deliver = await own_container.get(DeliverQuote)
    mailed = doubtful = 0
    for at in range(1, 200):
        quote = await _sent(own_container, made)
        async with open_uow(job) as uow:
            [message] = await uow.messages.of_quote(quote.id)
        fault = Fault(failure, at)
        with faulty_world(monkeypatch), suppress(Exception), failing(fault):
            await deliver(job, DeliverQuoteCommand(message_id=message.id))
        has_left = any(message.header.encode() in path.read_bytes() for path in (tmp_path / "mail").glob("*.eml"))
        async with open_uow(job) as uow:
            after = await uow.messages.get(message.id)
        assert after.status in ({DeliveryStatus.QUEUED} | ({DeliveryStatus.HANDED_OVER} if has_left else set()))
        mailed += has_left
        doubtful += has_left and after.status is DeliveryStatus.QUEUED
        if not fault.reached:
            break

    assert mailed > 3
    assert doubtful == (failure is Failure.ANSWER_IS_LOST)


async def _sent(container: AsyncContainer, made: TestOrganization) -> Quote:
    sales = made.actor(Role.SALES)
    async with (await container.get(OpenUnitOfWork))(sales) as uow:
        customer = await uow.customers.save(a_customer_of_domain().create())
        content = a_content(valid_until=date(2090, 1, 1))
        quote = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        await uow.commit()
    await (await container.get(SubmitQuote))(sales, SubmitQuoteCommand(quote_id=quote.id))
    return await (await container.get(SendQuote))(sales, SendQuoteCommand(quote_id=quote.id))


def _writes(app: Litestar) -> set[str]:
    return {
        f"{access.method} {access.path}"
        for access in accesses_of(app)
        if access.method != "GET" and access.door is not Door.OPERATORS
    } - ELSEWHERE


async def _people(sweep: Sweep, team: Team) -> None:
    body: dict[str, Any] = {"email": "new@example.com", "name": "New", "role": "viewer"}
    user = await sweep.write(team.admin, "POST", f"{API}/users", body)
    path = f"{API}/users/{user['id']}"
    await sweep.write(team.admin, "PATCH", path, {"name": "Newer"})
    await sweep.write(team.admin, "POST", f"{path}/invite")
    await sweep.write(team.admin, "POST", f"{path}/deactivate")
    await sweep.write(team.admin, "POST", f"{path}/reactivate")
    key = await sweep.write(team.owner, "POST", f"{API}/api-keys", {"name": "K", "scopes": ["quotes.view"]})
    await sweep.write(team.owner, "POST", f"{API}/api-keys/{key['api_key']['id']}/revoke")


async def _catalogue(sweep: Sweep, team: Team) -> None:
    admin = team.admin
    category = await sweep.write(admin, "POST", f"{API}/categories", {"name": "Desks"})
    await sweep.write(admin, "PATCH", f"{API}/categories/{category['id']}", {"name": "Tables"})
    rate = {"code": "V", "name": "VAT", "category": "VAT", "periods": [{"rate_percent": "19"}]}
    made = await sweep.write(admin, "POST", f"{API}/tax-rates", rate)
    await sweep.write(admin, "PATCH", f"{API}/tax-rates/{made['id']}", {"name": "Value added tax"})
    await sweep.write(admin, "DELETE", f"{API}/tax-rates/{made['id']}")
    body = {"sku": "S", "name": "Desk", "list_price": "100", "cost": "61.37", "tax_rate_percent": "19"}
    product = await sweep.write(admin, "POST", f"{API}/products", body)
    await sweep.write(admin, "PATCH", f"{API}/products/{product['id']}", {"name": "Standing desk"})
    group = await sweep.write(admin, "POST", f"{API}/customer-groups", {"name": "Partners"})
    await sweep.write(admin, "PATCH", f"{API}/customer-groups/{group['id']}", {"name": "Resellers"})
    prices = await sweep.write(admin, "POST", f"{API}/price-lists", {"name": "2026"})
    path = f"{API}/price-lists/{prices['id']}"
    await sweep.write(admin, "PATCH", path, {"name": "2027"})
    tiers = {"product_id": product["id"], "tiers": [{"discount_percent": "5"}]}
    await sweep.write(admin, "PUT", f"{path}/prices", tiers)
    await sweep.write(admin, "DELETE", f"{path}/prices", query=f"?product_id={product['id']}")
    coupon = await sweep.write(admin, "POST", f"{API}/coupons", {"code": "SPRING", "percent": "5"})
    await sweep.write(admin, "PATCH", f"{API}/coupons/{coupon['id']}", {"active": False})
    rates = [{"base": "USD", "target": "EUR", "rate": "0.9", "source": "ECB", "as_of": "2026-01-02"}]
    await sweep.write(admin, "POST", f"{API}/exchange-rates", {"rates": rates})
    customer = (await team.sales.post(f"{API}/customers", {"name": "Asks"})).json()
    asked = {"customer_id": customer["id"], "items": [{"product_id": product["id"]}]}
    await sweep.write(team.sales, "POST", f"{API}/prices", asked)
    await sweep.write(team.sales, "POST", f"{API}/quotes/calculate", {"lines": [LINE]})
    table = (b"sku,name,list_price\n1,a,2\n", "text/csv")
    await sweep.write(admin, "POST", f"{API}/imports", query="?kind=products&dry_run=true", content=table)


async def _customers(sweep: Sweep, team: Team) -> None:
    sales, approver = team.sales, team.approver
    made = [await sweep.write(sales, "POST", f"{API}/customers", {"name": name}) for name in ("Brandt", "Brand")]
    path, other = (f"{API}/customers/{one['id']}" for one in made)
    await sweep.write(sales, "PATCH", path, {"notes": "Old friends"})
    await sweep.write(approver, "POST", f"{path}/reject", {"reason": "Who is it?"})
    await sweep.write(sales, "POST", f"{path}/register")
    await sweep.write(approver, "POST", f"{path}/approve")
    await sweep.write(approver, "POST", f"{path}/suspend", {"reason": "Owes us"})
    await sweep.write(approver, "POST", f"{path}/reinstate")
    await sweep.write(sales, "PUT", f"{path}/group", {"group_id": None})
    await sweep.write(sales, "DELETE", path)
    await sweep.write(sales, "POST", f"{path}/restore")
    people = [{"name": "Ann", "email": "ann@example.com"}, {"name": "Anne", "email": "anne@example.com"}]
    ann, anne = [await sweep.write(sales, "POST", f"{path}/contacts", one) for one in people]
    contact = f"{API}/contacts/{ann['id']}"
    await sweep.write(sales, "PATCH", contact, {"name": "Ann Brandt"})
    await sweep.write(sales, "DELETE", contact)
    await sweep.write(sales, "POST", f"{contact}/restore")
    await sweep.write(team.admin, "POST", f"{contact}/merge", {"duplicate_id": anne["id"]})
    await sweep.write(team.owner, "POST", f"{contact}/erase")
    await sweep.write(team.admin, "POST", f"{path}/merge", {"duplicate_id": made[1]["id"]})
    assert (await sales.get(other)).status_code in {200, 404}


async def _quotes(sweep: Sweep, team: Team) -> None:
    sales, approver, admin = team.sales, team.approver, team.admin
    policy = {"name": "All", "steps": [{"name": "Management", "roles": ["approver"]}]}
    made = await sweep.write(admin, "POST", f"{API}/approval-policies", policy)
    await sweep.write(admin, "PATCH", f"{API}/approval-policies/{made['id']}", {"name": "Everything"})
    days = {"from": "2026-01-01", "to": "2026-01-02"}
    await sweep.write(admin, "POST", f"{API}/approval-policies/{made['id']}/simulate", days)
    away = {
        "to_user_id": str(team.organization.users[Role.ADMIN].id),
        "starts_on": "2090-01-01",
        "ends_on": "2090-01-02",
    }
    delegation = await sweep.write(approver, "POST", f"{API}/delegations", away)
    await sweep.write(approver, "DELETE", f"{API}/delegations/{delegation['id']}")

    customer = await a_customer(sales)
    contact = await a_contact(sales, customer["id"])
    body = {"customer_id": customer["id"], "contact_id": contact["id"], "title": "Fit-out", "lines": [LINE]}
    quote = await sweep.write(sales, "POST", f"{API}/quotes", body)
    path = f"{API}/quotes/{quote['id']}"
    await sweep.write(sales, "PATCH", path, {"title": "Fit-out of the office"})
    await sweep.write(sales, "POST", f"{path}/reprice", {})
    added = await sales.send("POST", f"{path}/attachments?file_name=a.txt", b"x", "text/plain")
    file = f"{API}/attachments/{added.json()['id']}"
    await sweep.write(sales, "POST", f"{file}/link", {})
    await sweep.write(sales, "DELETE", file)
    await sweep.write(sales, "POST", f"{path}/approval-preview")
    await sweep.write(sales, "POST", f"{path}/submit")
    await sweep.write(sales, "POST", f"{path}/recall")
    pending = await sweep.write(sales, "POST", f"{path}/submit")
    no = {"content_digest": pending["content_digest"], "reason": "Too dear."}
    await sweep.write(approver, "POST", f"{path}/reject", no)
    await sweep.write(sales, "POST", f"{path}/revise")
    pending = await sweep.write(sales, "POST", f"{path}/submit")
    yes = {"content_digest": pending["content_digest"]}
    approval = await _approval_of(approver, quote)
    await sweep.write(sales, "POST", f"{approval}/comments", {"text": "Please."})
    await sweep.write(approver, "POST", f"{approval}/approve", yes)
    await sweep.write(sales, "POST", f"{path}/send", yes)
    # Elsewhere, for the first mail still waits.
    moved = await sales.patch(f"{API}/contacts/{contact['id']}", {"email": "office@brandt.example"})
    assert moved.status_code == 200, moved.text
    await sweep.write(sales, "POST", f"{path}/resend", {})
    await sweep.write(sales, "POST", f"{path}/cancel", {"reason": "mistake"})
    for decision, more in (("reject", {"reason": "No."}), ("approve", {})):
        quote = await sweep.write(sales, "POST", f"{API}/quotes", body)
        path = f"{API}/quotes/{quote['id']}"
        pending = await sweep.write(sales, "POST", f"{path}/submit")
        said = {"content_digest": pending["content_digest"]} | more
        if decision == "approve":
            await sweep.write(approver, "POST", f"{path}/approve", said)
        else:
            await sweep.write(approver, "POST", f"{await _approval_of(approver, quote)}/reject", said)


async def _approval_of(approver: Caller, quote: dict[str, Any]) -> str:
    waiting = (await approver.get(f"{API}/approvals", waiting_for="me")).json()["items"]
    [request] = [one for one in waiting if one["subject_id"] == quote["id"]]
    return f"{API}/approvals/{request['id']}"


async def _organization(sweep: Sweep, team: Team) -> None:
    owner = team.owner
    field = {"subject": "quote", "key": "k", "label": "K", "kind": "text"}
    made = await sweep.write(owner, "POST", f"{API}/custom-fields", field)
    await sweep.write(owner, "PATCH", f"{API}/custom-fields/{made['id']}", {"label": "Kind"})
    await sweep.write(owner, "PATCH", f"{API}/organization", {"locale": "en"})
    words = {"kind": "offer", "language": "de", "subject": "Angebot {{ number }}", "text": "Anbei."}
    made = await sweep.write(owner, "POST", f"{API}/mail-templates", words)
    template = f"{API}/mail-templates/{made['id']}"
    await sweep.write(owner, "PATCH", template, {"text": "Im Anhang."})
    await sweep.write(owner, "POST", f"{API}/mail-templates/preview", words)
    await sweep.write(owner, "POST", f"{template}/preview", {})
    await sweep.write(owner, "DELETE", template)
    await sweep.write(
        owner, "PUT", f"{API}/organization/logo", content=(a_logo(), "image/png"), tagged=f"{API}/organization"
    )
    await sweep.write(owner, "DELETE", f"{API}/organization/logo", tagged=f"{API}/organization")
    provider = {"issuer": "https://login.example.com", "client_id": "x", "client_secret": "x"}
    await sweep.write(owner, "PUT", f"{API}/organization/identity-provider", provider)
    await sweep.write(owner, "POST", f"{API}/audit/heads")
    await sweep.write(owner, "POST", f"{API}/audit/verification", {})
    export = await sweep.write(owner, "POST", f"{API}/exports", {"kind": "quotes"})
    await sweep.write(owner, "POST", f"{API}/exports/{export['id']}/cancel")
    waiting = (await owner.get(f"{API}/jobs", state="queued")).json()["items"]
    await sweep.write(owner, "POST", f"{API}/jobs/{waiting[0]['id']}/cancel")
    begun = await sweep.write(team.viewer, "POST", f"{API}/me/second-factor")
    code = TOTP(begun["secret"]).now()
    assert (await team.viewer.post(f"{API}/me/second-factor/confirm", {"code": code})).is_success
    viewer = f"{API}/users/{team.organization.users[Role.VIEWER].id}"
    await sweep.write(team.admin, "POST", f"{viewer}/second-factor/reset")
    sessions = (await team.admin.get(f"{API}/me/sessions")).json()["items"]
    await sweep.write(team.admin, "DELETE", f"{API}/me/sessions/{sessions[0]['id']}")
    await sweep.write(team.sales, "POST", f"{API}/logout")
