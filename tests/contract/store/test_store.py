"""What every store promises, in memory and in PostgreSQL."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy.exc import IntegrityError

from src.application.audit.verify_audit import VerifyAudit
from src.application.ports.approvals import RequestFilter
from src.application.ports.audit import AuditFilter
from src.application.ports.catalog import ProductFilter
from src.application.ports.jobs import Job
from src.application.ports.paging import CursorRefused, Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.application.transactions import Transactions
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.errors import AlreadyDecided, RequestNotFound
from src.domain.approvals.policy import Quorum, StepRule
from src.domain.approvals.request import RequestStatus
from src.domain.catalog.product import ProductNotFound, SkuTaken
from src.domain.customers.contact import ContactNotFound
from src.domain.customers.customer import CustomerNotFound
from src.domain.documents.stored_document import StoredDocument
from src.domain.identity.actor import Role
from src.domain.identity.user import EmailTaken, UserLoginFailed, UserNotFound
from src.domain.messaging.message import DeliveryStatus, MessageNotFound
from src.domain.quoting.content import QuoteContent
from src.domain.quoting.errors import QuoteChangedMeanwhile, QuoteNotFound
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason, Revision
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.change import Change
from src.domain.shared.ids import CustomerId, DocumentId, QuoteId
from tests.builders.approvals import a_subject, a_submission, asked, decision
from tests.builders.audit import SIGNER
from tests.builders.messages import a_queued_message
from tests.builders.quotes import (
    NOON,
    a_contact,
    a_content,
    a_customer,
    a_line,
    a_new_quote,
    a_policy,
    a_product,
    a_user,
)
from tests.builders.rich_content import contents
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio


async def _a_stored_quote(open_uow: OpenUnitOfWork, organization: TestOrganization, **changes: Any) -> Quote:
    """A draft for a customer of its own; *changes* are those of its content."""
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        customer = await uow.customers.save(a_customer().create())
        content = a_content(**changes)
        creation = a_new_quote(customer_id=customer.id, by=actor.person, content=content)
        quote = await uow.quotes.save(creation)
        await uow.commit()
    return quote


async def test_without_commit_nothing_is_kept(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    customer = a_customer()
    async with open_uow(organization.actor(Role.SALES)) as uow:
        before = await uow.audit.head()
        await uow.customers.save(customer.create())

    async with open_uow(organization.actor(Role.SALES)) as uow:
        assert await uow.audit.head() == before
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customer.id)


async def test_after_an_error_nothing_is_kept(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    customer = a_customer()

    async def fail() -> None:
        async with open_uow(organization.actor(Role.SALES)) as uow:
            await uow.customers.save(customer.create())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with open_uow(organization.actor(Role.SALES)) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customer.id)


async def test_a_unit_of_work_commits_once(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    async with open_uow(organization.actor(Role.SALES)) as uow:
        await uow.commit()
        with pytest.raises(RuntimeError):
            await uow.commit()


async def test_what_has_changed_something_is_not_settled_and_what_is_settled_changes_nothing(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    customer = a_customer()
    async with open_uow(organization.actor(Role.SALES)) as uow:
        await uow.customers.save(customer.create())
        with pytest.raises(RuntimeError, match="is committed"):
            await uow.settle()
    async with open_uow(organization.actor(Role.SALES)) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.customers.get(customer.id)
        await uow.settle()
        with pytest.raises(RuntimeError, match="already"):
            await uow.commit()


@pytest.mark.parametrize(
    ("look", "refusal"),
    [
        (lambda uow, quote: uow.quotes.get(quote.id), QuoteNotFound),
        (lambda uow, quote: uow.quotes.lock(quote.id), QuoteNotFound),
        (lambda uow, quote: uow.customers.get(quote.customer_id), CustomerNotFound),
        (lambda uow, quote: uow.users.get(quote.owner_id), UserNotFound),
        (lambda uow, quote: uow.approvals.latest("quote", quote.id), RequestNotFound),
        (lambda uow, quote: uow.contacts.get(quote.id), ContactNotFound),
        (lambda uow, quote: uow.products.get(quote.id), ProductNotFound),
        (lambda uow, quote: uow.messages.get(quote.id), MessageNotFound),
    ],
    ids=["quote", "locked quote", "customer", "user", "request", "contact", "product", "message"],
)
async def test_what_is_another_organisations_is_not_found(
    look: Callable[[UnitOfWork, Quote], Awaitable[Any]],
    refusal: type[Exception],
    open_uow: OpenUnitOfWork,
    organization: TestOrganization,
    other: TestOrganization,
) -> None:
    quote = await _a_stored_quote(open_uow, organization)

    async with open_uow(other.actor(Role.ADMIN)) as uow:
        with pytest.raises(refusal):
            await look(uow, quote)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=contents)
async def test_a_quote_comes_back_as_it_was_stored(
    content: QuoteContent, open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        customer = await uow.customers.save(a_customer().create())
        stored = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=actor.person, content=content))
        await uow.commit()

    async with open_uow(actor) as uow:
        read = await uow.quotes.get(stored.id)

    assert read == stored
    assert read.current.digest(read.number) == stored.current.digest(stored.number)


async def test_every_change_of_a_quote_is_kept(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    """Through revisions, with lines added, changed and removed."""
    quote = await _a_stored_quote(open_uow, organization)
    actor = organization.actor(Role.SALES)
    one, two, three = a_line(sku="1"), a_line(sku="2"), a_line(sku="3")
    for lines in ((one, two, three), (one, three), (replace(one, description="Other"), three), ()):
        async with open_uow(actor) as uow:
            locked = await uow.quotes.lock(quote.id)
            quote = await uow.quotes.save(locked.edit(a_content(lines=lines), by=actor.person, at=NOON))
            await uow.commit()
        async with open_uow(actor) as uow:
            assert await uow.quotes.get(quote.id) == quote

    verbs: tuple[Callable[[Quote], Change[Quote]], ...] = (
        lambda q: q.edit(a_content(), by=actor.person, at=NOON),
        lambda q: q.submit(by=actor.person, at=NOON, needs_approval=False),
        lambda q: q.send(at=NOON, expected_digest=None),
        lambda q: q.revise(by=actor.person, at=NOON),
        lambda q: q.submit(by=actor.person, at=NOON, needs_approval=False),
        lambda q: q.send(at=NOON, expected_digest=None),
        lambda q: q.revise(by=actor.person, at=NOON),
        lambda q: q.cancel(at=NOON, reason=CancelReason.MISTAKE),
    )
    for verb in verbs:
        async with open_uow(actor) as uow:
            quote = await uow.quotes.save(verb(await uow.quotes.lock(quote.id)))
            await uow.commit()
        async with open_uow(actor) as uow:
            assert await uow.quotes.get(quote.id) == quote

    assert [revision.status for revision in quote.revisions] == [
        QuoteStatus.SUPERSEDED,
        QuoteStatus.SENT,
        QuoteStatus.CANCELLED,
    ]


async def test_the_version_counts_units_of_work(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    quote = await _a_stored_quote(open_uow, organization)
    actor = organization.actor(Role.SALES)

    async with open_uow(actor) as uow:
        once = await uow.quotes.save(quote.edit(a_content(title="1"), by=actor.person, at=NOON))
        twice = await uow.quotes.save(once.edit(a_content(title="2"), by=actor.person, at=NOON))
        await uow.commit()

    assert (quote.version, once.version, twice.version) == (1, 2, 2)


async def test_who_looked_at_an_older_version_cannot_save(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    quote = await _a_stored_quote(open_uow, organization)
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        await uow.quotes.save(quote.edit(a_content(title="Mine"), by=actor.person, at=NOON))
        await uow.commit()

    async with open_uow(actor) as uow:
        with pytest.raises(QuoteChangedMeanwhile):
            await uow.quotes.save(quote.edit(a_content(title="Yours"), by=actor.person, at=NOON))


async def test_numbers_count_by_organisation_and_year(
    open_uow: OpenUnitOfWork, organization: TestOrganization, other: TestOrganization
) -> None:
    taken = []
    for who, year in ((organization, 2026), (organization, 2026), (other, 2026), (organization, 2027)):
        async with open_uow(who.actor(Role.SALES)) as uow:
            taken.append(await uow.quotes.next_number(year))
            await uow.commit()

    assert taken == [1, 2, 1, 1]


async def test_a_draft_that_was_added_before_is_the_first_revision_of_its_quote(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    actor = organization.actor(Role.SALES)
    customer = (await _a_stored_quote(open_uow, organization)).customer_id
    draft = Revision.draft(number=1, content=a_content(title="Added"), by=actor.person, at=NOON)
    quote_id = QuoteId(uuid4())

    async with open_uow(actor) as uow:
        await uow.quotes.add_draft(quote_id, draft)
        change = Quote.of_draft(draft, quote_id=quote_id, number="Q-2026-900001", customer_id=customer)
        saved = await uow.quotes.save(change)
        await uow.commit()

    async with open_uow(actor) as uow:
        assert await uow.quotes.get(quote_id) == saved
        told = await uow.audit.of_resource("quote", quote_id)
    assert saved.revisions == (draft,)
    assert saved.owner_id == actor.person
    assert [entry.record.action for entry in told] == ["quote.created"]


async def test_a_draft_without_its_quote_cannot_be_committed(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    actor = organization.actor(Role.SALES)
    draft = Revision.draft(number=1, content=a_content(), by=actor.person, at=NOON)

    async with open_uow(actor) as uow:
        await uow.quotes.add_draft(QuoteId(uuid4()), draft)
        await uow.customers.save(a_customer().create())
        with pytest.raises((IntegrityError, AssertionError)):
            await uow.commit()


async def test_every_event_has_its_entry_and_the_chain_holds(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    quote = await _a_stored_quote(open_uow, organization)
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        await uow.quotes.save(quote.submit(by=actor.person, at=NOON, needs_approval=False))
        uow.record(UserLoginFailed(resource_id=actor.person, at=NOON))
        await uow.commit()

    async with open_uow(actor) as uow:
        told = await uow.audit.of_resource("quote", quote.id)
        page = await uow.audit.page(AuditFilter(action="user.login_failed"), Paging())
    verification = await VerifyAudit(Transactions(open_uow), SIGNER)(organization.actor(Role.OWNER))

    assert [entry.record.action for entry in told] == ["quote.created", "quote.submitted", "quote.approved"]
    assert page.total == 1
    assert verification.intact
    assert verification.entries == page.items[0].sequence
    assert str(organization.users[Role.SALES].password_hash) not in "".join(entry.record.text for entry in told)


async def test_the_audit_is_walked_by_cursor(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    seen: list[int] = []
    cursor = None
    async with open_uow(organization.actor(Role.OWNER)) as uow:
        while True:
            page = await uow.audit.page(AuditFilter(), Paging(limit=2, cursor=cursor))
            seen += [entry.sequence for entry in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(CursorRefused):
            await uow.audit.page(AuditFilter(), Paging(cursor="ä"))

    assert seen == list(range(len(seen), 0, -1))


async def test_taken_names_are_refused(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    product, user = a_product(), organization.users[Role.SALES]
    actor = organization.actor(Role.ADMIN)
    async with open_uow(actor) as uow:
        await uow.products.save(product.create())
        await uow.commit()

    async with open_uow(actor) as uow:
        with pytest.raises(SkuTaken):
            await uow.products.save(a_product(sku=product.sku).create())
    async with open_uow(actor) as uow:
        with pytest.raises(EmailTaken):
            await uow.users.save(a_user(email=user.email).create())
    async with open_uow(actor) as uow:
        with pytest.raises(CustomerNotFound):
            await uow.contacts.save(a_contact(uuid4()).create())


async def test_pages_show_each_thing_once_while_others_are_added(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    actor = organization.actor(Role.ADMIN)
    first = [a_product(created_at=NOON + timedelta(seconds=number // 2)) for number in range(7)]
    async with open_uow(actor) as uow:
        for product in first:
            await uow.products.save(product.create())
        await uow.commit()

    seen, cursor = [], None
    while True:
        async with open_uow(actor) as uow:
            page = await uow.products.page(ProductFilter(search=""), Paging(limit=2, cursor=cursor))
            await uow.products.save(a_product(created_at=NOON + timedelta(hours=1)).create())
            await uow.commit()
        seen += [product.id for product in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break

    expected = sorted(first, key=lambda product: (product.created_at, product.id), reverse=True)
    assert seen == [product.id for product in expected]


@pytest.mark.parametrize("cursor", ["", "x", "ä", "AAAA", "2026|x", "bnVsbA==", "MQ=="])
async def test_cursors_that_nobody_gave_are_refused(
    cursor: str, open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    async with open_uow(organization.actor(Role.ADMIN)) as uow:
        with pytest.raises(CursorRefused):
            await uow.products.page(ProductFilter(search=""), Paging(cursor=cursor))


@pytest.mark.parametrize(
    ("search", "found"), [("%", ["50 %"]), ("_", ["a_b"]), ("\\", ["c\\d"]), ("A", ["a_b"]), ("", 3)]
)
async def test_searches_take_every_character_as_it_is(
    search: str, found: list[str] | int, open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    async with open_uow(organization.actor(Role.ADMIN)) as uow:
        for name in ("50 %", "a_b", "c\\d"):
            await uow.products.save(a_product(name=name, sku=uuid4().hex.translate(_NO_A)).create())
        page = await uow.products.page(ProductFilter(search=search), Paging())

    assert [product.name for product in page.items] == found or page.total == found


async def test_quotes_are_found_by_every_filter_and_streamed(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    quote = await _a_stored_quote(open_uow, organization, title="Fit-out 100 %")
    await _a_stored_quote(open_uow, organization, title="Other")
    nobody = uuid4()
    matching = QuoteFilter(
        statuses=(QuoteStatus.DRAFT, QuoteStatus.SENT),
        customer_id=quote.customer_id,
        owner_id=quote.owner_id,
        created_from=NOON,
        created_before=NOON + timedelta(seconds=1),
        search="100 %",
    )
    missing = (
        replace(matching, statuses=(QuoteStatus.SENT,)),
        replace(matching, customer_id=CustomerId(nobody)),
        replace(matching, created_from=NOON + timedelta(microseconds=1)),
        replace(matching, created_before=NOON),
        replace(matching, search="200 %"),
    )

    async with open_uow(organization.actor(Role.SALES)) as uow:
        page = await uow.quotes.page(matching, Paging())
        streamed = [summary async for summary in uow.quotes.stream(matching)]
        totals = [(await uow.quotes.page(criteria, Paging())).total for criteria in missing]
        everything = [summary async for summary in uow.quotes.stream(QuoteFilter())]

    assert [summary.id for summary in page.items] == [quote.id]
    assert streamed == list(page.items)
    assert totals == [0] * len(missing)
    assert len(everything) == 2
    assert page.items[0].payable == Decimal("365.93")


async def test_approvals_are_kept_with_their_decisions(
    open_uow: OpenUnitOfWork, organization: TestOrganization
) -> None:
    quote = await _a_stored_quote(open_uow, organization)
    policy = a_policy(
        Condition(fact="total", operator=Operator.GREATER, values=(Decimal("0.5"),)),
        Condition(fact="currency", operator=Operator.IN, values=("EUR", "CHF")),
        steps=(StepRule(name="Two", roles=(Role.APPROVER, Role.ADMIN), quorum=Quorum.COUNT, count=2),),
    )
    facts = {"total": Decimal("307.50"), "currency": "EUR", "customer_tags": ("vip", "new")}
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        stored_policy = await uow.policies.save(policy.create())
        users = list(await uow.users.all())
        submission = a_submission(actor.person, subject=a_subject(quote.id), facts=facts)
        request = await uow.approvals.save(asked(submission, [policy], users))
        await uow.commit()
    change = decision(request, organization.users[Role.APPROVER], users, reason="Fine")
    assert change is not None

    async with open_uow(organization.actor(Role.APPROVER)) as uow:
        decided = await uow.approvals.save(change)
        await uow.commit()
    async with open_uow(actor) as uow:
        assert await uow.policies.all() == [stored_policy]
        assert await uow.approvals.latest("quote", quote.id) == decided
        assert list(await uow.approvals.of_subject("quote", quote.id)) == [decided]
        assert (await uow.approvals.page(RequestFilter(status=RequestStatus.OPEN), Paging())).total == 1
        assert (await uow.approvals.page(RequestFilter(status=RequestStatus.REJECTED), Paging())).total == 0
        with pytest.raises(AlreadyDecided):
            await uow.approvals.save(change)


async def test_messages_and_documents_are_kept(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    quote = await _a_stored_quote(open_uow, organization)
    queued = a_queued_message(quote.id, note="Hello")
    document = _a_document(quote.id, "a" * 64)
    actor = organization.actor(Role.SALES)
    async with open_uow(actor) as uow:
        message = await uow.messages.save(queued)
        first = await uow.documents.save(document.create())
        await uow.commit()

    async with open_uow(actor) as uow:
        second = await uow.documents.save(_a_document(quote.id, "b" * 64).create())
        handed = await uow.messages.save(message.handed_over(answer="250 ok", at=NOON))
        await uow.commit()
    async with open_uow(actor) as uow:
        assert await uow.messages.get(message.id) == handed
        assert [one.status for one in await uow.messages.of_quote(quote.id)] == [DeliveryStatus.HANDED_OVER]
        assert await uow.documents.of_revision(quote.id, 1) == first == second
        assert await uow.documents.of_revision(quote.id, 2) is None


async def test_a_job_can_be_enqueued(open_uow: OpenUnitOfWork, organization: TestOrganization) -> None:
    """Whether it then exists only after the commit, each queue's own tests look."""
    sales = organization.actor(Role.SALES)
    async with open_uow(sales) as uow:
        await uow.jobs.enqueue(Job.asked_by(sales, uuid4(), "nobody_does_this", uuid4()))
        await uow.commit()


def _a_document(quote_id: QuoteId, sha256: str) -> StoredDocument:
    return StoredDocument(
        id=DocumentId(uuid4()),
        quote_id=quote_id,
        revision=1,
        content_digest="d" * 64,
        sha256=sha256,
        size=1,
        storage_key=f"x/{sha256}",
        created_at=NOON,
    )


_NO_A = str.maketrans("aA", "bB")
