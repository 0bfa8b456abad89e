"""Customers, contacts, products, policies, requests, messages and documents come back as they were saved."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from src.adapters.postgres.transaction import ChangedMeanwhile
from src.application.ports.approvals import RequestFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.approvals.conditions import OPERATORS, Condition, FactKind, Operator
from src.domain.approvals.errors import AlreadyDecided, RequestNotFound
from src.domain.approvals.policy import ApprovalPolicy, Quorum, StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.catalog.product import ProductNotFound
from src.domain.customers.contact import ContactNotFound
from src.domain.documents.stored_document import StoredDocument
from src.domain.identity.actor import Role
from src.domain.identity.user import UserNotFound
from src.domain.messaging.message import Message, MessageNotFound
from src.domain.quoting.facts import facts_of
from src.domain.quoting.quote import Quote
from src.domain.shared.canonical import canonical_text
from src.domain.shared.ids import ContactId, DocumentId, MessageId, PolicyId, ProductId, UserId
from src.domain.shared.party import Address
from tests.builders.approvals import a_subject, a_submission, asked, decision
from tests.builders.offers import IDS, NOON, Shop, a_contact, a_customer, a_product, new_shop

_words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20).filter(str.strip)
_numbers = st.decimals(Decimal(-1000), Decimal(1000), places=4) | st.sampled_from([Decimal("1E+3"), Decimal("0.50")])


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(open_postgres: OpenUnitOfWork) -> Shop:
    return await new_shop(open_postgres)


def _assert_same(loaded: object, saved: object) -> None:
    assert loaded == saved
    assert canonical_text(loaded) == canonical_text(saved)


@st.composite
def _conditions(draw: st.DrawFn) -> Condition:
    kind = draw(st.sampled_from(FactKind))
    operator = draw(st.sampled_from(sorted(OPERATORS[kind])))
    value: st.SearchStrategy[Any] = _numbers if kind is FactKind.NUMBER else _words
    values = draw(st.lists(value, min_size=1, max_size=3 if operator in {Operator.IN, Operator.NOT_IN} else 1))
    return Condition(fact=draw(_words), operator=operator, values=tuple(values))


_step_rules = st.builds(
    StepRule,
    name=_words,
    roles=st.lists(st.sampled_from(Role), min_size=1, max_size=3).map(tuple),
    users=st.lists(st.uuids(version=4).map(UserId), max_size=2).map(tuple),
    quorum=st.sampled_from(Quorum),
    count=st.integers(1, 100),
)


@pytest.mark.asyncio
@settings(max_examples=40)
@given(
    name=_words,
    conditions=st.lists(_conditions(), max_size=3),
    steps=st.lists(_step_rules, min_size=1, max_size=3),
    order=st.integers(0, 1_000_000),
    active=st.booleans(),
)
async def test_any_policy_comes_back_as_it_was_saved(
    shop: Shop,
    open_postgres: OpenUnitOfWork,
    name: str,
    conditions: list[Condition],
    steps: list[StepRule],
    order: int,
    active: bool,
) -> None:
    policy = ApprovalPolicy(
        id=PolicyId(IDS.new()),
        name=name,
        order=order,
        conditions=tuple(conditions),
        steps=tuple(steps),
        created_at=NOON,
        active=active,
    )
    async with open_postgres(shop.actor) as uow:
        saved = await uow.policies.save(policy.create())
        [loaded] = await uow.policies.all()

    _assert_same(loaded, saved)


@pytest.mark.asyncio
async def test_policies_come_by_order_and_then_id(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    async with open_postgres(shop.actor) as uow:
        for name, order in (("third", 2), ("first", 1), ("second", 1)):
            await uow.policies.save(_a_policy(name, order).create())
        names = [policy.name for policy in await uow.policies.all()]

    assert names == ["first", "second", "third"]


def _a_policy(name: str = "Always", order: int = 0) -> ApprovalPolicy:
    steps = (StepRule(name="Boss", roles=(Role.ADMIN, Role.OWNER), quorum=Quorum.COUNT, count=2),)
    return ApprovalPolicy(id=PolicyId(IDS.new()), name=name, order=order, conditions=(), steps=steps, created_at=NOON)


async def _ask(uow: UnitOfWork, shop: Shop, quote: Quote, *, minute: int = 0) -> ApprovalRequest:
    policy = _a_policy()
    facts = facts_of(quote.current.calculation, quote.current.content.pricing())
    submission = a_submission(shop.user_id, subject=a_subject(quote.id), facts=facts)
    users = list(shop.made.users.values())
    change = asked(submission, [policy], users, at=NOON + timedelta(minutes=minute))
    return await uow.approvals.save(change)


@pytest.mark.asyncio
async def test_a_request_comes_back_with_every_decision(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as uow:
        with pytest.raises(RequestNotFound):
            await uow.approvals.latest("quote", quote.id)
        older = await _ask(uow, shop, quote)
        saved = await _ask(uow, shop, quote, minute=1)
        await uow.commit()
    _assert_same((older.version, saved.version), (1, 1))

    for role, approved in ((Role.ADMIN, True), (Role.OWNER, False)):
        async with open_postgres(shop.actor) as uow:
            latest = await uow.approvals.latest("quote", quote.id)
            _assert_same(latest, saved)
            change = decision(
                latest,
                shop.made.users[role],
                list(shop.made.users.values()),
                approved=approved,
                reason="«Why?»\n\t— \\ because.",
                at=NOON + timedelta(microseconds=7),
            )
            assert change is not None
            saved = await uow.approvals.save(change)
            await uow.commit()

    async with open_postgres(shop.actor) as uow:
        _assert_same(await uow.approvals.of_subject("quote", quote.id), [older, saved])
        rejected = await uow.approvals.page(RequestFilter(status=RequestStatus.REJECTED), Paging())
        everything = await uow.approvals.page(RequestFilter(), Paging())
    assert rejected.items == (saved,)
    assert everything.items == (saved, older)


@pytest.mark.asyncio
async def test_of_two_who_decide_the_same_state_the_second_is_told(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    quote = await shop.stored_quote(open_postgres)
    async with open_postgres(shop.actor) as uow:
        request = await _ask(uow, shop, quote)
        await uow.commit()
    async with open_postgres(shop.actor) as uow:
        await uow.approvals.save(request.withdraw(at=NOON))
        await uow.commit()

    async with open_postgres(shop.actor) as uow:
        with pytest.raises(AlreadyDecided):
            await uow.approvals.save(request.withdraw(at=NOON))


@pytest.mark.asyncio
async def test_a_message_comes_back_with_the_answer_of_the_mail_server(
    shop: Shop, open_postgres: OpenUnitOfWork
) -> None:
    quote = await shop.stored_quote(open_postgres)
    change = Message.queue(
        message_id=MessageId(IDS.new()),
        quote_id=quote.id,
        revision=1,
        recipient="berta@buyer.example",
        contact_id=ContactId(IDS.new()),
        recipient_name="Berta",
        note="Hello\nBerta",
        at=NOON,
    )
    async with open_postgres(shop.actor) as uow:
        queued = await uow.messages.save(change)
        await uow.commit()
    async with open_postgres(shop.actor) as uow:
        _assert_same(await uow.messages.get(queued.id), queued)
        handed = await uow.messages.save(queued.handed_over(answer="250 2.0.0 Ok", at=NOON))
        await uow.commit()

    async with open_postgres(shop.actor) as uow:
        _assert_same(await uow.messages.of_quote(quote.id), [handed])
        with pytest.raises(ChangedMeanwhile):
            await uow.messages.save(queued.failed(answer="550", at=NOON))
        with pytest.raises(MessageNotFound):
            await uow.messages.get(MessageId(IDS.new()))


@pytest.mark.asyncio
async def test_a_revision_keeps_its_first_document(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    quote = await shop.stored_quote(open_postgres)
    first = StoredDocument(
        id=DocumentId(IDS.new()),
        quote_id=quote.id,
        revision=1,
        content_digest="d" * 64,
        sha256="a" * 64,
        size=2**40,
        storage_key="key",
        created_at=NOON,
    )
    async with open_postgres(shop.actor) as uow:
        assert await uow.documents.of_revision(quote.id, 1) is None
        await uow.documents.save(first.create())
        await uow.commit()

    async with open_postgres(shop.actor) as uow:
        head = await uow.audit.head()
        again = replace(first, id=DocumentId(IDS.new()), sha256="b" * 64)
        assert await uow.documents.save(again.create()) == first
        await uow.commit()
    async with open_postgres(shop.actor) as uow:
        _assert_same(await uow.documents.of_revision(quote.id, 1), first)
        assert await uow.audit.head() == head  # Nothing changed, nothing is told.


@pytest.mark.asyncio
@settings(max_examples=25)
@given(
    name=_words,
    street=_words,
    price=st.decimals(Decimal(0), Decimal(10**12 - 1), places=6),
    rate=st.none() | st.decimals(Decimal(0), Decimal(999), places=3),
)
async def test_any_customer_contact_and_product_comes_back_as_it_was_saved(
    shop: Shop, open_postgres: OpenUnitOfWork, name: str, street: str, price: Decimal, rate: Decimal | None
) -> None:
    usual = a_customer(name)
    customer = replace(usual, party=replace(usual.party, address=Address(street=street, country="KR")))
    product = a_product(name=name, list_price=price, tax_rate_percent=rate)
    contact = a_contact(customer.id, name)
    async with open_postgres(shop.actor) as uow:
        await uow.customers.save(customer.create())
        await uow.contacts.save(contact.create())
        await uow.products.save(product.create())

        _assert_same(await uow.customers.get(customer.id), replace(customer, version=1))
        _assert_same(await uow.contacts.get(contact.id), replace(contact, version=1))
        _assert_same(await uow.products.get(product.id), replace(product, version=1))


@pytest.mark.asyncio
async def test_organisation_and_users_come_back_as_they_were_made(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    async with open_postgres(shop.actor) as uow:
        _assert_same(await uow.organizations.current(), shop.made.organization)
        everybody = await uow.users.all()
        _assert_same(await uow.users.get(shop.user_id), shop.made.users[Role.SALES])

    assert list(everybody) == sorted(shop.made.users.values(), key=lambda user: user.email)


@pytest.mark.asyncio
async def test_what_is_not_there_is_not_found(shop: Shop, open_postgres: OpenUnitOfWork) -> None:
    async with open_postgres(shop.actor) as uow:
        with pytest.raises(ContactNotFound):
            await uow.contacts.get(ContactId(IDS.new()))
        with pytest.raises(ProductNotFound):
            await uow.products.get(ProductId(IDS.new()))
        with pytest.raises(UserNotFound):
            await uow.users.get(UserId(IDS.new()))
        assert await uow.products.find([]) == {}
