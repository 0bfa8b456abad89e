"""The clock's own work on offers, on both stores: expiring them, and telling the seller before."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from src.adapters.memory.mail import MemoryMailer
from src.adapters.memory.system import TickingClock
from src.adapters.smtp import JinjaMailTemplates
from src.adapters.system import Uuid7Ids
from src.application.ports.audit import AuditFilter
from src.application.ports.mail import MailDeferred, MailRefused
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.expire_quote import ExpireQuote, RemindOfExpiry
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, PermissionMissing, Role
from src.domain.quoting.quote import Quote
from src.domain.quoting.states import QuoteStatus
from src.domain.quoting.validity import end_of_validity
from tests.builders.quotes import a_content, a_customer, a_new_quote
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio


def _worker(team: TestOrganization) -> Actor:
    return Actor.job(organization_id=team.organization.id, name="worker", origin=Origin(trace_id="0" * 32))


async def _sent(open_uow: OpenUnitOfWork, team: TestOrganization) -> Quote:
    sales, transactions, clock, ids = team.actor(Role.SALES), Transactions(open_uow), TickingClock(), Uuid7Ids()
    async with open_uow(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        content = a_content(valid_until=clock.now().date())
        draft = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        await uow.commit()
    await SubmitQuote(transactions, clock, ids)(sales, SubmitQuoteCommand(quote_id=draft.id))
    return await SendQuote(transactions, clock, ids)(sales, SendQuoteCommand(quote_id=draft.id))


def _end(quote: Quote) -> datetime:
    return end_of_validity(quote.current.content.valid_until, quote.current.content.time_zone)


async def _actions(open_uow: OpenUnitOfWork, team: TestOrganization, action: str) -> int:
    async with open_uow(team.actor(Role.OWNER)) as uow:
        return (await uow.audit.page(AuditFilter(action=action), Paging())).total


async def test_what_is_over_expires_once(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    quote, transactions = await _sent(open_uow, organization), Transactions(open_uow)
    before = TickingClock(_end(quote) - timedelta(hours=1))
    after = TickingClock(_end(quote))

    with pytest.raises(PermissionMissing):
        await ExpireQuote(transactions, after)(organization.actor(Role.OWNER), quote.id)
    await ExpireQuote(transactions, before)(_worker(organization), quote.id)
    async with open_uow(organization.actor(Role.SALES)) as uow:
        early = await uow.quotes.get(quote.id)
    for _ in range(2):
        await ExpireQuote(transactions, after)(_worker(organization), quote.id)
    async with open_uow(organization.actor(Role.SALES)) as uow:
        late = await uow.quotes.get(quote.id)

    assert early.current.status is QuoteStatus.SENT
    assert late.current.status is QuoteStatus.EXPIRED
    assert await _actions(open_uow, organization, "quote.expired") == 1


async def test_the_seller_is_told_before(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    quote, mailer, job_id = await _sent(open_uow, organization), MemoryMailer(), uuid4()
    templates = JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals")
    clock = TickingClock(_end(quote) - timedelta(hours=1))
    remind = RemindOfExpiry(Transactions(open_uow), templates, mailer, clock)

    mailer.fail_with(MailDeferred("451 later"))
    with pytest.raises(MailDeferred):
        await remind(_worker(organization), quote.id, job_id)
    for _ in range(2):  # It runs at least once; who gets it twice can tell.
        await remind(_worker(organization), quote.id, job_id)

    first, second = mailer.sent
    assert first.message_id == second.message_id
    assert first.recipient == organization.users[Role.SALES].email
    assert quote.number in first.subject
    assert await _actions(open_uow, organization, "quote.expiry_reminded") == 2


async def test_nobody_is_told_of_what_is_over_or_refuses_mail(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    quote, mailer = await _sent(open_uow, organization), MemoryMailer()
    templates, transactions = (
        JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals"),
        Transactions(open_uow),
    )

    await RemindOfExpiry(transactions, templates, mailer, TickingClock(_end(quote)))(
        _worker(organization), quote.id, uuid4()
    )
    over = await _actions(open_uow, organization, "quote.expiry_reminded")
    mailer.fail_with(MailRefused("550 canary: no such user"))
    await RemindOfExpiry(transactions, templates, mailer, TickingClock(datetime(2026, 1, 1, tzinfo=UTC)))(
        _worker(organization), quote.id, uuid4()
    )

    async with open_uow(organization.actor(Role.OWNER)) as uow:
        entries = await uow.audit.of_resource("quote", quote.id)
    assert mailer.sent == []
    assert "canary" not in " ".join(entry.record.text for entry in entries)
    assert (over, await _actions(open_uow, organization, "quote.expiry_reminded")) == (0, 1)
