"""Delivering a sent quote: a job that may run again at any point, and that must never leave the seller in doubt."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from src.adapters.memory.documents import PlainTextRenderer
from src.adapters.memory.mail import MemoryMailer
from src.adapters.memory.state import OrganizationState
from src.adapters.memory.storage import MemoryStorage
from src.adapters.memory.system import SequentialIds, TickingClock
from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.smtp import JinjaMailTemplates
from src.application.jobs.manage_jobs import ClearUpAfterJob, RetryJob
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.ports.documents import QuoteDocument, QuoteRenderer, RenderedDocument
from src.application.ports.mail import NO_ANSWER, MailDeferred, MailRefused, RecipientRefused
from src.application.ports.storage import StorageUnavailable
from src.application.quoting.cancel_quote import CancelQuote, CancelQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Role
from src.domain.identity.user import UserStatus
from src.domain.jobs.record import JobState
from src.domain.messaging.message import DeliveryStatus, Message
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.states import QuoteStatus
from src.domain.quoting.validity import end_of_validity
from src.domain.shared.ids import MessageId
from tests.builders.mail import ENVELOPES
from tests.builders.quotes import NOON, a_content, a_customer, a_new_quote
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio
UNKNOWN = "Whether the mail has left before that is not known."


class BrokenRenderer(QuoteRenderer):
    def render(self, document: QuoteDocument) -> RenderedDocument:
        raise ArithmeticError("secret inner life")


@dataclass
class Post:
    """A sent quote, its job, and everything that the job uses."""

    store: MemoryStore
    team: TestOrganization
    message_id: MessageId
    mailer: MemoryMailer
    storage: MemoryStorage
    clock: TickingClock
    ids: SequentialIds

    async def deliver(self, *, renderer: QuoteRenderer | None = None) -> None:
        deliver = DeliverQuote(
            Transactions(OpenMemoryUnitOfWork(self.store)),
            renderer or PlainTextRenderer(),
            self.storage,
            JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals"),
            self.mailer,
            ENVELOPES,
            self.clock,
            self.ids,
        )
        actor = Actor.job(organization_id=self.team.organization.id, name="deliver_quote", origin=ORIGIN)
        await deliver(actor, DeliverQuoteCommand(message_id=self.message_id))

    @property
    def state(self) -> OrganizationState:
        return self.store.states[self.team.organization.id]

    def message(self) -> Message:
        return self.state.messages[self.message_id]

    def actions(self) -> list[str]:
        return [entry.record.action for entry in self.store.states[self.team.organization.id].entries]


@pytest_asyncio.fixture
async def post() -> Post:
    store, clock, ids = MemoryStore(), TickingClock(), SequentialIds()
    open_uow = OpenMemoryUnitOfWork(store)
    team = await new_organization(open_uow, clock=clock, ids=ids)
    sales = team.actor(Role.SALES)
    async with open_uow(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        content = a_content(valid_until=clock.now().date())
        quote = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        await uow.commit()
    transactions = Transactions(open_uow)
    await SubmitQuote(transactions, clock, ids)(sales, SubmitQuoteCommand(quote_id=quote.id))
    await SendQuote(transactions, clock, ids)(sales, SendQuoteCommand(quote_id=quote.id, note="Hello."))
    (job,) = store.take_jobs()
    return Post(store, team, MessageId(job.subject_id), MemoryMailer(), MemoryStorage(), clock, ids)


async def test_the_mail_carries_the_stored_document_and_the_note(post: Post) -> None:
    await post.deliver()

    (mail,) = post.mailer.sent
    (document,) = post.store.states[post.team.organization.id].documents.values()
    assert mail.attachments[0].content == await post.storage.get(document.storage_key)
    assert mail.message_id == f"<{post.message_id}@proffer.invalid>"
    assert "Hello." in mail.text
    assert post.message().status is DeliveryStatus.HANDED_OVER
    assert post.actions()[-2:] == ["quote.rendered", "message.handed_over"]


async def test_whoever_answers_writes_to_the_seller(post: Post) -> None:
    await post.deliver()

    assert [mail.reply_to for mail in post.mailer.sent] == [post.team.users[Role.SALES].email]


async def test_answers_go_to_the_owners_where_the_seller_is_gone(post: Post) -> None:
    seller = post.team.users[Role.SALES]
    post.state.users[seller.id] = replace(seller, status=UserStatus.DEACTIVATED)

    await post.deliver()

    assert [mail.reply_to for mail in post.mailer.sent] == [post.team.users[Role.OWNER].email]


async def test_an_address_that_no_mail_may_name_holds_none_back(post: Post) -> None:
    seller = post.team.users[Role.SALES]
    post.state.users[seller.id] = replace(seller, email="jürgen@nordwerk.example")

    await post.deliver()

    assert [mail.reply_to for mail in post.mailer.sent] == [post.team.users[Role.OWNER].email]
    assert post.message().status is DeliveryStatus.HANDED_OVER


async def test_run_again_it_does_nothing(post: Post) -> None:
    await post.deliver()
    told = post.actions()

    await post.deliver()

    assert len(post.mailer.sent) == 1
    assert post.actions() == told


async def test_a_deferred_mail_is_tried_again_with_the_same_document_and_id(post: Post) -> None:
    post.mailer.fail_with(MailDeferred("451 later"))
    with pytest.raises(MailDeferred):
        await post.deliver()
    assert post.message().status is DeliveryStatus.QUEUED

    await post.deliver()

    assert post.message().status is DeliveryStatus.HANDED_OVER
    assert post.actions().count("quote.rendered") == 1


async def test_a_mail_that_is_refused_has_failed_and_says_why(post: Post) -> None:
    post.mailer.fail_with(MailRefused("550 nobody"))

    await post.deliver()

    assert post.message().status is DeliveryStatus.FAILED
    assert post.message().answer == "550 nobody"
    assert post.actions().count("message.failed") == 1


async def test_a_document_that_cannot_be_made_fails_the_attempt_and_not_the_message(post: Post) -> None:
    with pytest.raises(ArithmeticError):
        await post.deliver(renderer=BrokenRenderer())

    assert post.message().status is DeliveryStatus.QUEUED


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (RecipientRefused("550 5.1.1 No such user"), DeliveryStatus.BOUNCED),
        (MailRefused("554 5.7.1 Spam"), DeliveryStatus.FAILED),
    ],
)
async def test_an_address_that_is_refused_for_good_has_bounced_and_a_mail_that_is_refused_has_failed(
    post: Post, refusal: MailRefused, status: DeliveryStatus
) -> None:
    post.mailer.fail_with(refusal)

    await post.deliver()

    assert (post.message().status, post.message().answer) == (status, str(refusal))
    assert post.actions()[-2:] == [f"message.{status.value}", "quote.delivery_failed"]


async def test_the_mail_goes_by_an_envelope_id_that_names_its_message(post: Post) -> None:
    post.mailer.fail_with(MailDeferred("451 later"))
    with pytest.raises(MailDeferred):
        await post.deliver()

    await post.deliver()

    (mail,) = post.mailer.sent
    assert ENVELOPES.message_of(mail.envelope_id) == post.message_id


async def test_what_failed_with_its_job_tells_why_until_it_is_tried_again(post: Post) -> None:
    open_uow, admin = OpenMemoryUnitOfWork(post.store), post.team.actor(Role.ADMIN)
    [job] = [one for one in post.state.jobs.values() if one.subject_id == post.message_id]
    clear_up = ClearUpAfterJob(Transactions(open_uow), post.clock, post.ids)
    worker = Actor.job(organization_id=post.team.organization.id, name="clear_up_after_job", origin=ORIGIN)

    await clear_up(worker, job.id)
    assert post.message().status is DeliveryStatus.QUEUED  # The job waits: somebody has it tried again.

    post.state.jobs[job.id] = replace(job, state=JobState.FAILED, error="451 later")
    for _ in range(2):
        await clear_up(worker, job.id)
    assert (post.message().status, post.message().answer) == (DeliveryStatus.FAILED, "451 later")
    assert [post.actions().count(one) for one in ("message.failed", "quote.delivery_failed")] == [1, 1]

    await RetryJob(Transactions(open_uow), post.clock)(admin, job.id)
    await post.deliver()
    assert post.message().status is DeliveryStatus.HANDED_OVER


@pytest.mark.parametrize(
    ("ended", "answer"),
    [
        ({"state": JobState.CANCELLED}, "Not sent: The job was cancelled."),
        # Begun once, and given back because its worker stopped.
        ({"state": JobState.CANCELLED, "started_at": NOON, "attempt": 0}, f"The job was cancelled. {UNKNOWN}"),
        (
            {"state": JobState.FAILED, "error": "It took longer than 0:10:00."},
            f"It took longer than 0:10:00. {UNKNOWN}",
        ),
        ({"state": JobState.FAILED, "error": f"{NO_ANSWER}: lost."}, f"{NO_ANSWER}: lost. {UNKNOWN}"),
        ({"state": JobState.FAILED, "error": "451 later"}, "451 later"),
    ],
)
async def test_a_mail_that_was_given_up_is_not_said_to_have_stayed_unless_that_is_known(
    post: Post, ended: dict[str, Any], answer: str
) -> None:
    [job] = [one for one in post.state.jobs.values() if one.subject_id == post.message_id]
    worker = Actor.job(organization_id=post.team.organization.id, name="clear_up_after_job", origin=ORIGIN)
    post.state.jobs[job.id] = replace(job, **ended)

    await ClearUpAfterJob(Transactions(OpenMemoryUnitOfWork(post.store)), post.clock, post.ids)(worker, job.id)

    assert (post.message().status, post.message().answer) == (DeliveryStatus.FAILED, answer)


async def test_the_figures_are_those_of_the_revision(post: Post) -> None:
    await post.deliver()

    (quote,) = post.store.states[post.team.organization.id].quotes.values()
    assert quote.current.calculation.payable == Decimal("365.93")
    assert b"365.93" in post.mailer.sent[0].attachments[0].content


async def test_an_offer_that_was_cancelled_meanwhile_does_not_leave_the_house(post: Post) -> None:
    (quote,) = post.store.states[post.team.organization.id].quotes.values()
    cancel = CancelQuote(Transactions(OpenMemoryUnitOfWork(post.store)), post.clock)
    await cancel(post.team.actor(Role.SALES), CancelQuoteCommand(quote_id=quote.id, reason=CancelReason.MISTAKE))

    await post.deliver()

    assert post.mailer.sent == []
    assert post.message().status is DeliveryStatus.FAILED
    assert "cancelled" in post.message().answer


@pytest.mark.parametrize("status", [QuoteStatus.CANCELLED, QuoteStatus.SUPERSEDED, QuoteStatus.EXPIRED])
async def test_what_is_no_longer_offered_does_not_leave_the_house(status: QuoteStatus, post: Post) -> None:
    state = post.store.states[post.team.organization.id]
    (quote,) = state.quotes.values()
    state.quotes[quote.id] = replace(quote, revisions=(replace(quote.current, status=status),))

    await post.deliver()

    assert post.mailer.sent == []
    assert post.message().status is DeliveryStatus.FAILED
    assert post.message().answer == f"Not sent: the offer is {status.value}."


@pytest.mark.parametrize("status", [QuoteStatus.SENT, QuoteStatus.ACCEPTED, QuoteStatus.DECLINED])
async def test_what_the_buyer_has_or_has_answered_is_still_delivered(status: QuoteStatus, post: Post) -> None:
    state = post.store.states[post.team.organization.id]
    (quote,) = state.quotes.values()
    state.quotes[quote.id] = replace(quote, revisions=(replace(quote.current, status=status),))

    await post.deliver()

    assert len(post.mailer.sent) == 1


@pytest.mark.parametrize(("late", "mails"), [(timedelta(), 0), (timedelta(minutes=-1), 1)])
async def test_what_is_over_is_not_mailed_whether_or_not_it_has_been_called_expired(
    late: timedelta, mails: int, post: Post
) -> None:
    (quote,) = post.store.states[post.team.organization.id].quotes.values()
    content = quote.current.content
    post.clock = TickingClock(end_of_validity(content.valid_until, content.time_zone) + late)

    await post.deliver()

    assert len(post.mailer.sent) == mails
    assert post.message().status is (DeliveryStatus.HANDED_OVER if mails else DeliveryStatus.FAILED)


@pytest.mark.parametrize("taken", [True, False])
async def test_what_mail_servers_say_of_people_stays_out_of_the_chain(taken: bool, post: Post) -> None:
    """*canary* is in the answer, the recipient's address in the message."""
    post.mailer.fail_with(*([] if taken else [MailRefused("550 canary <katrin@brandt.example> is unknown")]))

    await post.deliver()

    entries = post.store.states[post.team.organization.id].entries
    told = json.loads(
        next(one for one in entries if one.record.action.startswith("message.h" if taken else "message.f")).record.text
    )
    chain = " ".join(entry.record.text for entry in entries)
    assert post.message().answer
    assert post.message().answer not in chain
    assert not [word for word in ("canary", "katrin@brandt.example", "Katrin Brandt") if word in chain]
    assert {"field": "answer", "before": "[personal]", "after": "[personal]"} in told["changes"]


async def test_an_offer_that_reaches_nobody_says_so_and_its_owner_is_told_by_a_job(post: Post) -> None:
    post.mailer.fail_with(MailRefused("550 nobody"))

    await post.deliver()

    assert post.actions()[-2:] == ["message.failed", "quote.delivery_failed"]
    (job,) = post.store.take_jobs()
    assert (job.name, job.subject_id, job.detail) == ("tell_of_failed_delivery", post.message().quote_id, "1#1")


class FullStorage(MemoryStorage):
    """No room for anything new while *full*."""

    full = True

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        if self.full:
            raise StorageUnavailable("No space left on device")
        await super().put(key, content, content_type=content_type)


async def test_a_full_storage_loses_no_document_and_no_mail(post: Post) -> None:
    post.storage = full = FullStorage()

    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            await post.deliver()
    assert post.message().status is DeliveryStatus.QUEUED
    assert post.mailer.sent == []
    assert post.store.states[post.team.organization.id].documents == {}

    full.full = False
    await post.deliver()
    assert post.message().status is DeliveryStatus.HANDED_OVER
    assert len(post.mailer.sent) == 1
    assert len(post.store.states[post.team.organization.id].documents) == 1
