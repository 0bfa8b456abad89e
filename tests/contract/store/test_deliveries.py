"""Sending an offer again, and what is told when it reaches nobody, on both stores."""

from dataclasses import replace
from uuid import uuid4

import pytest

from src.adapters.memory.mail import MemoryMailer
from src.adapters.memory.system import TickingClock
from src.adapters.smtp import JinjaMailTemplates
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.customers.change_contact import EraseContact, ExportContact, MergeContacts
from src.application.delivery_jobs import after_failures
from src.application.messaging.notices import TellOfFailedDelivery
from src.application.ports.mail import MailDeferred, MailRefused
from src.application.quoting.cancel_quote import CancelQuote, CancelQuoteCommand
from src.application.quoting.revise_quote import ReviseQuote, ReviseQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.customers.contact import Contact, ContactStateConflict
from src.domain.customers.customer import CustomerNotApproved
from src.domain.identity.actor import Actor, Origin, PermissionMissing, Role
from src.domain.messaging.message import (
    MOST_ATTEMPT_GROUPS,
    AttemptGroup,
    DeliveryOutcome,
    Message,
    MessageDoubled,
    StillUnderWay,
    TooManyAttempts,
)
from src.domain.quoting.errors import ContentChanged, InvalidTransition, RecipientMissing, ValidityOver
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.validity import end_of_validity
from src.domain.shared.errors import Invalid
from src.domain.shared.ids import ContactId
from tests.builders.messages import a_queued_message
from tests.builders.sent_offers import KATRIN, PAUL, Offer

pytestmark = pytest.mark.asyncio


def _addresses(group: AttemptGroup) -> list[str]:
    return [message.recipient for message in group.messages]


async def test_sending_again_opens_a_new_group_with_ids_of_its_own(offer: Offer) -> None:
    (first,) = await offer.groups()
    await offer.settle(first)
    assert sorted(_addresses(first)) == [KATRIN, PAUL]

    second = await offer.resend(note="Once more.")

    assert await offer.groups() == (replace(first, messages=(await offer.groups())[0].messages), second)
    assert (second.number, second.outcome, sorted(_addresses(second))) == (2, DeliveryOutcome.QUEUED, [KATRIN, PAUL])
    assert {message.note for message in second.messages} == {"Once more."}
    headers = {message.header for group in await offer.groups() for message in group.messages}
    assert len(headers) == 4
    assert await offer.actions("quote.resent") == 1
    assert await offer.actions("message.queued") == 4


async def test_sending_again_does_not_touch_the_offer(offer: Offer) -> None:
    await offer.settle((await offer.groups())[0])

    await offer.resend()

    async with offer.open(offer.sales) as uow:
        assert (await uow.quotes.get(offer.quote.id)).version == offer.quote.version


async def test_some_can_be_chosen_and_only_those_whom_the_offer_names(offer: Offer) -> None:
    await offer.settle((await offer.groups())[0])

    group = await offer.resend(contact_ids=(offer.paul.id,))
    with pytest.raises(Invalid) as refused:
        await offer.resend(contact_ids=(offer.paul.id, ContactId(uuid4())))

    assert _addresses(group) == [PAUL]
    assert [one.field for one in refused.value.fields] == ["contact_ids[1]"]


async def test_it_goes_to_the_address_that_the_contact_has_now(offer: Offer) -> None:
    await offer.settle((await offer.groups())[0])
    async with offer.open(offer.sales) as uow:
        right = replace(offer.katrin, email="katrin.brandt@brandt.example")
        await uow.contacts.save(offer.katrin.become(right, offer.katrin.created_at))
        ended, _ = offer.paul.merge_into(right, offer.katrin.created_at)
        await uow.contacts.save(ended)
        await uow.commit()

    group = await offer.resend()

    assert _addresses(group) == ["katrin.brandt@brandt.example"]  # Paul goes on in her: once.


async def test_who_was_erased_gets_nothing(offer: Offer) -> None:
    erase = EraseContact(Transactions(offer.open), SystemClock(), Uuid7Ids())
    owner = offer.team.actor(Role.OWNER)
    await erase(owner, offer.katrin.id)
    between = await offer.actions("quote.delivery_failed")

    await erase(owner, offer.paul.id)

    with pytest.raises(RecipientMissing):
        await offer.resend()
    assert (between, await offer.actions("quote.delivery_failed")) == (0, 1)  # Paul's waited still.
    assert await offer.found(failed=True)


async def _move(offer: Offer, contact: Contact, email: str) -> Contact:
    async with offer.open(offer.sales) as uow:
        stored = await uow.contacts.save(contact.become(replace(contact, email=email), contact.created_at))
        await uow.commit()
    return stored


async def test_whoever_is_erased_is_gone_from_where_their_mails_went_before(offer: Offer) -> None:
    owner, transactions = offer.team.actor(Role.OWNER), Transactions(offer.open)
    await offer.settle((await offer.groups())[0], taken=[PAUL])
    moved = await _move(offer, offer.katrin, "katrin.brandt@brandt.example")
    await offer.settle(await offer.resend(contact_ids=(moved.id,)), taken=[moved.email])

    told = await ExportContact(transactions, SystemClock())(owner, moved.id)
    await EraseContact(transactions, SystemClock(), Uuid7Ids())(owner, moved.id)

    assert [one.recipient for one in told.correspondence] == [KATRIN, moved.email]
    left = [message for group in await offer.groups() for message in group.messages]
    assert sorted({one.recipient for one in left}) == ["erased@erased.invalid", PAUL]
    assert not [one for one in left if one.contact_id == moved.id and (one.recipient_name or one.answer)]
    assert [one.answer for one in left if one.recipient == PAUL] == ["250 OK"]


async def test_whoever_was_merged_has_the_mails_of_both(offer: Offer) -> None:
    owner, transactions = offer.team.actor(Role.OWNER), Transactions(offer.open)
    await offer.settle((await offer.groups())[0])
    moved = await _move(offer, offer.paul, "p.brandt@brandt.example")
    await MergeContacts(transactions, SystemClock())(owner, offer.katrin.id, moved.id)
    await offer.settle(await offer.resend(contact_ids=(moved.id,)))

    export = ExportContact(transactions, SystemClock())
    of_both = [await export(owner, one) for one in (moved.id, offer.katrin.id)]
    await EraseContact(transactions, SystemClock(), Uuid7Ids())(owner, offer.katrin.id)

    for told in of_both:
        assert sorted(one.recipient for one in told.correspondence) == [KATRIN, KATRIN, PAUL]
    assert {address for group in await offer.groups() for address in _addresses(group)} == {"erased@erased.invalid"}


async def test_what_an_erasure_of_before_left_of_a_person_can_still_be_erased(offer: Offer) -> None:
    """Once, those who were merged into somebody kept their names when that one was erased."""
    owner, transactions, clock = offer.team.actor(Role.OWNER), Transactions(offer.open), SystemClock()
    survivor = await MergeContacts(transactions, clock)(owner, offer.katrin.id, offer.paul.id)
    async with offer.open(owner) as uow:
        await uow.contacts.save(survivor.erase(clock.now()))
        await uow.commit()
    erase = EraseContact(transactions, clock, Uuid7Ids())

    asked = await erase(owner, offer.katrin.id)
    with pytest.raises(ContactStateConflict):
        await erase(owner, offer.paul.id)

    async with offer.open(owner) as uow:
        left = await uow.contacts.get(offer.paul.id)
    assert (asked.id, left.name, left.email) == (offer.katrin.id, "Erased person", "erased@erased.invalid")


async def test_mails_of_before_are_found_by_the_address_but_not_by_that_of_the_erased(offer: Offer) -> None:
    erase = EraseContact(Transactions(offer.open), SystemClock(), Uuid7Ids())
    owner = offer.team.actor(Role.OWNER)
    (group,) = await offer.groups()
    async with offer.open(offer.sales) as uow:
        for message in group.messages:
            stored = await uow.messages.get(message.id)
            again = stored.queued_again(at=stored.created_at)
            await uow.messages.save(replace(again, after=replace(again.after, contact_id=None)))
        await uow.commit()

    await erase(owner, offer.katrin.id)
    async with offer.open(offer.sales) as uow:
        to_katrin, to_paul = [await uow.messages.to_person(one.id) for one in (offer.katrin, offer.paul)]

    assert to_katrin == []
    assert [one.recipient for one in to_paul] == [PAUL]


async def test_only_what_is_sent_and_not_over_can_be_sent_again(offer: Offer) -> None:
    await offer.settle((await offer.groups())[0])
    transactions, content = Transactions(offer.open), offer.quote.current.content
    async with offer.open(offer.sales) as uow:
        customer = await uow.customers.get(offer.quote.customer_id)
        suspended = await uow.customers.save(customer.suspend(reason="Unpaid.", at=customer.created_at))
        await uow.commit()
    with pytest.raises(CustomerNotApproved):
        await offer.resend()
    async with offer.open(offer.sales) as uow:
        await uow.customers.save(suspended.reinstate(at=customer.created_at))
        await uow.commit()
    over = TickingClock(end_of_validity(content.valid_until, content.time_zone))

    with pytest.raises(PermissionMissing):
        await offer.resend(role=Role.VIEWER)
    with pytest.raises(ValidityOver):
        await offer.resend(over)
    with pytest.raises(ContentChanged):
        await offer.resend(content_digest="0" * 64)
    revised = await ReviseQuote(transactions, SystemClock())(offer.sales, ReviseQuoteCommand(quote_id=offer.quote.id))
    group = await offer.resend()
    assert (revised.current.number, group.revision) == (2, 1)  # The one that the buyer has.
    await offer.settle(group)
    for _ in range(2):  # The draft, then what had been sent.
        command = CancelQuoteCommand(quote_id=offer.quote.id, reason=CancelReason.MISTAKE)
        await CancelQuote(transactions, SystemClock())(offer.sales, command)
    with pytest.raises(InvalidTransition) as refused:
        await offer.resend()
    assert refused.value.details["state"] == "cancelled"


async def test_whoever_still_waits_for_the_mail_is_not_sent_another(offer: Offer) -> None:
    (first,) = await offer.groups()
    with pytest.raises(StillUnderWay) as refused:
        await offer.resend()
    async with offer.open(offer.sales) as uow:
        to_paul = next(one for one in first.messages if one.recipient == PAUL)
        stored = await uow.messages.get(to_paul.id)
        await uow.messages.save(stored.failed(answer="550 No.", at=stored.created_at))
        await uow.commit()

    group = await offer.resend(contact_ids=(offer.paul.id,))

    assert refused.value.details == {"attempt_group": 1}
    assert _addresses(group) == [PAUL]


async def test_a_machine_gone_wild_is_stopped(offer: Offer) -> None:
    for _ in range(MOST_ATTEMPT_GROUPS - 1):
        await offer.settle((await offer.groups())[-1])
        await offer.resend()
    await offer.settle((await offer.groups())[-1])

    with pytest.raises(TooManyAttempts):
        await offer.resend()


async def test_nobody_is_in_a_group_twice_but_those_who_were_erased(offer: Offer) -> None:
    async def queue(recipient: str, group: int) -> None:
        async with offer.open(offer.sales) as uow:
            await uow.messages.save(a_queued_message(offer.quote.id, recipient=recipient, attempt_group=group))
            await uow.commit()

    for address, group in ((KATRIN, 7), (PAUL, 7), (KATRIN, 8)):
        await queue(address, group)
    with pytest.raises(MessageDoubled):
        await queue(KATRIN, 7)
    async with offer.open(offer.sales) as uow:
        for contact in (offer.katrin, offer.paul):
            await uow.messages.erase_person(contact.id)
        await uow.commit()

    left = {address for group in await offer.groups() for address in _addresses(group)}
    assert left == {"erased@erased.invalid"}


async def test_lists_find_what_reached_nobody(offer: Offer) -> None:
    assert (await offer.found(failed=True), await offer.found(failed=False)) == (False, True)
    (first,) = await offer.groups()
    async with offer.open(offer.sales) as uow:
        stored = await uow.messages.get(first.messages[0].id)
        await uow.messages.save(stored.failed(answer="550 No.", at=stored.created_at))
        await uow.commit()
    assert not await offer.found(failed=True)  # The other waits.
    second = await _with_the_other_failed(offer, first)
    assert (await offer.found(failed=True), await offer.found(failed=False)) == (True, False)
    assert second.outcome is DeliveryOutcome.FAILED
    third = await offer.resend(contact_ids=(offer.paul.id,))
    assert not await offer.found(failed=True)
    await offer.settle(third)
    assert await offer.found(failed=True)
    fourth = await offer.resend()
    await offer.settle(fourth, taken=[PAUL])
    assert (await offer.found(failed=True), await offer.found(failed=None)) == (False, True)
    await offer.settle(await offer.resend(contact_ids=(offer.katrin.id,)))
    assert not await offer.found(failed=True)  # Paul has it.


async def test_whoever_was_reached_by_one_group_is_not_forgotten_by_the_next(offer: Offer) -> None:
    moved = await _move(offer, offer.katrin, "katrin.brandt@brandt.example")
    await offer.settle((await offer.groups())[0], taken=[KATRIN, PAUL])
    (failing,) = (await offer.resend(contact_ids=(offer.paul.id,))).messages

    async def fail(message: Message) -> None:
        worker = Actor.job(organization_id=offer.team.organization.id, name="worker", origin=Origin(trace_id="0" * 32))
        async with offer.open(worker) as uow:
            await uow.quotes.lock(offer.quote.id)
            stored = await uow.messages.get(message.id)
            failed = await uow.messages.save(stored.failed(answer="550 No.", at=stored.created_at))
            await after_failures(uow, worker, Uuid7Ids(), [failed], stored.created_at)
            await uow.commit()

    await fail(failing)
    partly = (await offer.found(failed=True), await offer.actions("quote.delivery_failed"))
    (failing,) = (await offer.resend(contact_ids=(moved.id,))).messages  # She had it at another address.
    await fail(failing)

    assert partly == (False, 0)
    assert (await offer.found(failed=True), await offer.actions("quote.delivery_failed")) == (True, 1)


async def _with_the_other_failed(offer: Offer, group: AttemptGroup) -> AttemptGroup:
    """The group, with what waited failed."""
    async with offer.open(offer.sales) as uow:
        stored = await uow.messages.get(group.messages[1].id)
        await uow.messages.save(stored.failed(answer="550 No.", at=stored.created_at))
        await uow.commit()
    return (await offer.groups())[0]


async def test_an_earlier_failure_does_not_count_once_a_later_revision_is_sent(offer: Offer) -> None:
    await offer.settle((await offer.groups())[0])
    transactions, clock, ids = Transactions(offer.open), SystemClock(), Uuid7Ids()
    assert await offer.found(failed=True)

    await ReviseQuote(transactions, clock)(offer.sales, ReviseQuoteCommand(quote_id=offer.quote.id))
    await SubmitQuote(transactions, clock, ids)(offer.sales, SubmitQuoteCommand(quote_id=offer.quote.id))
    await SendQuote(transactions, clock, ids)(offer.sales, SendQuoteCommand(quote_id=offer.quote.id))

    assert not await offer.found(failed=True)


async def test_the_owner_is_told_who_was_not_reached_and_why(offer: Offer) -> None:
    (group,) = await offer.groups()
    mailer, job_id = MemoryMailer(), uuid4()
    templates = JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals")
    tell = TellOfFailedDelivery(Transactions(offer.open), templates, mailer)
    worker = Actor.job(organization_id=offer.team.organization.id, name="worker", origin=Origin(trace_id="0" * 32))

    await tell(worker, offer.quote.id, 1, job_id)
    assert mailer.sent == []  # They still wait.
    await offer.settle(group)
    mailer.fail_with(MailDeferred("451 later"))
    with pytest.raises(MailDeferred):
        await tell(worker, offer.quote.id, 1, job_id)
    for _ in range(2):
        await tell(worker, offer.quote.id, 1, job_id)
    mailer.fail_with(MailRefused("550 no such user"))
    await tell(worker, offer.quote.id, 1, job_id)

    first, second = mailer.sent
    assert first.message_id == second.message_id
    assert first.recipient == offer.team.users[Role.SALES].email
    assert offer.quote.number in first.subject
    assert f"{KATRIN}: 550 No." in first.text
    assert f"{PAUL}: 550 No." in first.html


async def test_without_an_owner_the_organisations_owners_are_told(offer: Offer) -> None:
    await offer.settle((await offer.groups())[0])
    mailer = MemoryMailer()
    templates = JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals")
    worker = Actor.job(organization_id=offer.team.organization.id, name="worker", origin=Origin(trace_id="0" * 32))
    async with offer.open(offer.team.actor(Role.OWNER)) as uow:
        seller = await uow.users.get(offer.quote.owner_id)
        await uow.users.save(seller.deactivate(by=offer.team.actor(Role.OWNER), at=seller.created_at, owners=1))
        await uow.commit()

    await TellOfFailedDelivery(Transactions(offer.open), templates, mailer)(worker, offer.quote.id, 1, uuid4())

    assert [mail.recipient for mail in mailer.sent] == [offer.team.users[Role.OWNER].email]
