"""People who act at the same instant: one outcome, and the loser is told what happened."""

import asyncio
from collections.abc import Awaitable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from src.adapters.memory.documents import PlainTextRenderer
from src.adapters.memory.mail import MemoryMailer
from src.adapters.memory.storage import MemoryStorage
from src.adapters.memory.templates import PlainMailTemplates
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.audit.verify_audit import VerifyAudit
from src.application.catalog.tax_rates import (
    ChangeTaxRate,
    ChangeTaxRateCommand,
    CreateTaxRate,
    CreateTaxRateCommand,
    DeleteTaxRate,
)
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.messaging.templates import (
    ChangeMailTemplate,
    ChangeMailTemplateCommand,
    CreateMailTemplate,
    CreateMailTemplateCommand,
    ResetMailTemplate,
)
from src.application.ports.mail import MailRefused
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.cancel_quote import CancelQuote, CancelQuoteCommand
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.edit_quote import EditQuote, EditQuoteCommand
from src.application.quoting.read_quotes import GetQuote
from src.application.quoting.recall_quote import RecallQuote, RecallQuoteCommand
from src.application.quoting.resend_quote import ResendQuote, ResendQuoteCommand
from src.application.quoting.revise_quote import ReviseQuote, ReviseQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.policy import StepRule
from src.domain.catalog.tax_rate import TaxPeriod
from src.domain.identity.actor import Actor, Role
from src.domain.messaging.template import TemplateKind, TemplateTexts
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.states import OPEN_STATUSES, QuoteStatus
from src.domain.shared.errors import Conflict, DomainError, NotFound, Stale
from src.domain.shared.ids import ContactId, CustomerId, QuoteId
from tests.builders.approvals import SUBJECTS
from tests.builders.audit import SIGNER
from tests.builders.mail import ENVELOPES
from tests.builders.messages import a_queued_message
from tests.builders.quotes import a_contact, a_customer
from tests.organizations import ORIGIN, TestOrganization, new_organization

pytestmark = pytest.mark.asyncio

ROUNDS = 15


class Desk:
    """Everything that can be done to a quote, by the right person."""

    def __init__(
        self, open_uow: OpenUnitOfWork, team: TestOrganization, customer: CustomerId, contact: ContactId
    ) -> None:
        self.transactions, self.team = Transactions(open_uow), team
        self._customer, self._contact = customer, contact
        self._clock, self._ids = SystemClock(), Uuid7Ids()
        self._sales = team.actor(Role.SALES)

    async def draft(self) -> Quote:
        line = LineInput(quantity=Decimal(1), description="Desk", unit_price=Decimal(600))
        valid_until = (self._clock.now() + timedelta(days=9)).date()
        draft = DraftInput(contact_id=self._contact, lines=(line,), valid_until=valid_until)
        create = CreateQuote(self.transactions, self._clock, self._ids)
        return await create(self._sales, CreateQuoteCommand(customer_id=self._customer, draft=draft))

    async def pending(self) -> Quote:
        return await self.submit((await self.draft()).id)

    async def approved(self) -> Quote:
        pending = await self.pending()
        return await self.decide(pending, Role.APPROVER, approved=True)

    def submit(self, quote_id: QuoteId) -> Awaitable[Quote]:
        submit = SubmitQuote(self.transactions, self._clock, self._ids)
        return submit(self._sales, SubmitQuoteCommand(quote_id=quote_id))

    def edit(self, quote_id: QuoteId) -> Awaitable[Quote]:
        edit = EditQuote(self.transactions, self._clock, self._ids)
        return edit(self._sales, EditQuoteCommand(quote_id=quote_id, draft=DraftInput(title="Edited")))

    async def decide(self, quote: Quote, who: Role, *, approved: bool) -> Quote:
        decide = DecideApproval(self.transactions, self._clock, self._ids)
        digest = quote.current.content_digest or ""
        command = DecideApprovalCommand(quote_id=quote.id, approved=approved, content_digest=digest, reason="Because.")
        return (await decide(self.team.actor(who), command)).quote

    def recall(self, quote_id: QuoteId) -> Awaitable[Quote]:
        return RecallQuote(self.transactions, self._clock)(self._sales, RecallQuoteCommand(quote_id=quote_id))

    def send(self, quote_id: QuoteId) -> Awaitable[Quote]:
        send = SendQuote(self.transactions, self._clock, self._ids)
        return send(self._sales, SendQuoteCommand(quote_id=quote_id))

    def revise(self, quote_id: QuoteId) -> Awaitable[Quote]:
        return ReviseQuote(self.transactions, self._clock)(self._sales, ReviseQuoteCommand(quote_id=quote_id))

    def cancel(self, quote_id: QuoteId) -> Awaitable[Quote]:
        command = CancelQuoteCommand(quote_id=quote_id, reason=CancelReason.OTHER)
        return CancelQuote(self.transactions, self._clock)(self._sales, command)

    async def stored(self, quote_id: QuoteId) -> Quote:
        return await GetQuote(self.transactions)(self._sales, quote_id)


async def a_desk(open_uow: OpenUnitOfWork) -> Desk:
    team = await new_organization(open_uow)
    async with open_uow(team.actor(Role.ADMIN)) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        await uow.commit()
    desk = Desk(open_uow, team, customer.id, contact.id)
    large = Condition(fact="total", operator=Operator.GREATER, values=(Decimal(500),))
    step = StepRule(name="Management", roles=(Role.APPROVER, Role.ADMIN))
    command = CreatePolicyCommand(name="Large", order=1, conditions=(large,), steps=(step,))
    await CreatePolicy(desk.transactions, SystemClock(), Uuid7Ids(), SUBJECTS)(team.actor(Role.OWNER), command)
    return desk


async def at_once(*acts: Awaitable[Quote]) -> list[Quote | DomainError]:
    """What came of each; anything but a refusal of ours is an error of the test."""
    outcomes = await asyncio.gather(*acts, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, Conflict | Stale):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, Quote | DomainError)]


async def test_of_two_approvers_one_decides_and_the_other_is_told(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)
    for _ in range(ROUNDS):
        quote = await desk.pending()

        outcomes = await at_once(
            desk.decide(quote, Role.APPROVER, approved=True), desk.decide(quote, Role.ADMIN, approved=False)
        )

        (won,) = [outcome for outcome in outcomes if isinstance(outcome, Quote)]
        (lost,) = [outcome for outcome in outcomes if isinstance(outcome, DomainError)]
        assert (await desk.stored(quote.id)).current.status is won.current.status
        assert lost.code == "already_decided"


async def test_a_decision_and_a_recall_never_both_count(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)
    for _ in range(ROUNDS):
        quote = await desk.pending()

        await at_once(desk.decide(quote, Role.APPROVER, approved=True), desk.recall(quote.id))

        status = (await desk.stored(quote.id)).current.status
        async with open_postgres(desk.team.actor(Role.SALES)) as uow:
            request = await uow.approvals.latest("quote", quote.id)
        assert (status.value, request.status.value) in {("approved", "approved"), ("draft", "withdrawn")}


@pytest.mark.parametrize("rivals", ["send-send", "send-revise", "send-cancel", "revise-revise"])
async def test_an_approved_quote_has_one_fate(rivals: str, open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)
    for _ in range(ROUNDS):
        quote = await desk.approved()
        first, second = (getattr(desk, name) for name in rivals.split("-"))

        await at_once(first(quote.id), second(quote.id))

        statuses = [revision.status for revision in (await desk.stored(quote.id)).revisions]
        assert sum(status in OPEN_STATUSES for status in statuses) <= 1
        assert statuses.count(QuoteStatus.SENT) <= 1
        async with open_postgres(desk.team.actor(Role.SALES)) as uow:
            messages = await uow.messages.of_quote(quote.id)
            entries = await uow.audit.of_resource("quote", quote.id)
        assert len(messages) == sum(entry.record.action == "quote.sent" for entry in entries) <= 1


async def test_of_two_who_send_an_offer_again_one_does(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)
    sales = desk.team.actor(Role.SALES)
    resend = ResendQuote(desk.transactions, SystemClock(), Uuid7Ids())
    for _ in range(ROUNDS):
        quote = await desk.send((await desk.approved()).id)
        async with open_postgres(sales) as uow:
            (message,) = await uow.messages.of_quote(quote.id)
            await uow.messages.save(message.handed_over(answer="250", at=message.created_at))
            await uow.commit()

        command = ResendQuoteCommand(quote_id=quote.id)
        outcomes = await asyncio.gather(*(resend(sales, command) for _ in range(3)), return_exceptions=True)

        async with open_postgres(sales) as uow:
            groups = [one.attempt_group for one in await uow.messages.of_quote(quote.id)]
        assert groups == [1, 2]
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AttemptGroup", *["StillUnderWay"] * 2]


async def test_when_all_mails_fail_at_one_instant_it_is_told_once(open_postgres: OpenUnitOfWork) -> None:
    """Each would see the others wait, did they not wait for the quote."""
    desk = await a_desk(open_postgres)
    sales, ids = desk.team.actor(Role.SALES), Uuid7Ids()
    worker = Actor.job(organization_id=desk.team.organization.id, name="deliver_quote", origin=ORIGIN)
    mailer = MemoryMailer()
    deliver = DeliverQuote(
        desk.transactions,
        PlainTextRenderer(),
        MemoryStorage(),
        PlainMailTemplates(),
        mailer,
        ENVELOPES,
        SystemClock(),
        ids,
    )
    for _ in range(ROUNDS):
        quote = await desk.send((await desk.approved()).id)
        async with open_postgres(sales) as uow:
            (first,) = await uow.messages.of_quote(quote.id)
            more = [
                await uow.messages.save(
                    a_queued_message(quote.id, recipient=f"{name}@example.com", at=first.created_at)
                )
                for name in ("ann", "bea", "cleo")
            ]
            await uow.commit()
        mailer.fail_with(*[MailRefused("550 No.")] * 4)

        await asyncio.gather(*(deliver(worker, DeliverQuoteCommand(message_id=one.id)) for one in (first, *more)))

        async with open_postgres(sales) as uow:
            told = [entry.record.action for entry in await uow.audit.of_resource("quote", quote.id)]
        assert told.count("message.failed") == 4
        assert told.count("quote.delivery_failed") == 1


async def test_editing_and_submitting_give_one_of_two_orders(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)
    for _ in range(ROUNDS):
        draft = await desk.draft()

        await at_once(desk.edit(draft.id), desk.submit(draft.id))

        stored = await desk.stored(draft.id)
        assert stored.current.status is QuoteStatus.PENDING_APPROVAL
        assert stored.current.content_digest == stored.current.digest(stored.number)


async def test_of_two_who_delete_or_change_at_one_instant_one_is_told(open_postgres: OpenUnitOfWork) -> None:
    """Who loses may also come too late to see it at all."""
    desk = await a_desk(open_postgres)
    admin, clock, ids = desk.team.actor(Role.OWNER), SystemClock(), Uuid7Ids()
    create = CreateMailTemplate(desk.transactions, PlainMailTemplates(), clock, ids)
    change = ChangeMailTemplate(desk.transactions, PlainMailTemplates(), clock)
    reset = ResetMailTemplate(desk.transactions, clock)
    add_rate = CreateTaxRate(desk.transactions, clock, ids)
    remove_rate, change_rate = DeleteTaxRate(desk.transactions, clock), ChangeTaxRate(desk.transactions, clock)
    period = TaxPeriod(valid_from=date(2020, 1, 1), rate_percent=Decimal(9))
    for round_ in range(ROUNDS):
        texts = TemplateTexts(subject="S", text="T", html="")
        template = await create(admin, CreateMailTemplateCommand(kind=TemplateKind.OFFER, language="fr", texts=texts))
        rate = await add_rate(admin, CreateTaxRateCommand(code=f"R{round_}", name="R", category="S", periods=(period,)))
        edited = ChangeMailTemplateCommand(template_id=template.id, changes={"subject": "Newer"}, expected_version=1)
        renamed = ChangeTaxRateCommand(tax_rate_id=rate.id, changes={"name": "Newer"}, expected_version=1)

        for acts in (
            [reset(admin, template.id, 1), reset(admin, template.id, 1), change(admin, edited)],
            [remove_rate(admin, rate.id, 1), remove_rate(admin, rate.id, 1), change_rate(admin, renamed)],
        ):
            outcomes = await asyncio.gather(*acts, return_exceptions=True)
            lost = [one for one in outcomes if isinstance(one, BaseException)]
            assert len(lost) == 2, outcomes
            assert all(isinstance(one, Stale | NotFound) for one in lost), outcomes

        async with open_postgres(admin) as uow:
            left = await uow.mail_templates.find(TemplateKind.OFFER, "fr")
        if left is not None:
            await reset(admin, left.id)
        async with open_postgres(admin) as uow:
            told = await uow.audit.of_resource("mail_template", template.id)
        assert [entry.record.action for entry in told].count("mail_template.deleted") == 1


async def test_after_all_the_chain_is_intact(open_postgres: OpenUnitOfWork) -> None:
    desk = await a_desk(open_postgres)
    quotes = [await desk.draft() for _ in range(10)]

    await asyncio.gather(*(desk.submit(quote.id) for quote in quotes))

    assert (await VerifyAudit(desk.transactions, SIGNER)(desk.team.actor(Role.OWNER))).intact
