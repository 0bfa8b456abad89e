"""The organisation's own words, on both stores: kept by version, tried before they are kept, and never in the way of a mail."""

from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio

from src.adapters.memory.documents import PlainTextRenderer
from src.adapters.memory.mail import MemoryMailer
from src.adapters.memory.storage import MemoryStorage
from src.adapters.smtp import JinjaMailTemplates
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.messaging.notices import TellOfFailedTemplate
from src.application.messaging.templates import (
    ChangeMailTemplate,
    ChangeMailTemplateCommand,
    CreateMailTemplate,
    CreateMailTemplateCommand,
    GetMailTemplate,
    ListBuiltInTemplates,
    ListMailTemplates,
    PreviewMailTemplate,
    PreviewMailTemplateCommand,
    ResetMailTemplate,
    TemplateChanges,
)
from src.application.ports.audit import AuditFilter
from src.application.ports.jobs import JobFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.resend_quote import ResendQuote, ResendQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.application.versions import VersionChanged
from src.domain.identity.actor import Actor, Permission, PermissionMissing, Role
from src.domain.messaging.message import DeliveryStatus
from src.domain.messaging.template import (
    MailTemplate,
    MailTemplateNotFound,
    MailTemplateTaken,
    TemplateKind,
    TemplateTexts,
)
from src.domain.quoting.content import Recipient
from src.domain.quoting.quote import Quote
from src.domain.shared.errors import Invalid, Stale
from src.domain.shared.ids import MailTemplateId
from tests.builders.mail import ENVELOPES
from tests.builders.quotes import NOON, a_contact, a_content, a_customer, a_new_quote
from tests.organizations import ORIGIN, TestOrganization

pytestmark = pytest.mark.asyncio

TEMPLATES = JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals")
TEXTS = TemplateTexts(subject="Our offer {{ number }}", text="Dear {{ contact }},\nplease find it attached.")
BROKEN = replace(TEXTS, text="Dear {{ contact }},\n{{ gone }}")


class Office:
    """Everything that can be done with templates and mails, in one organisation."""

    def __init__(self, open_uow: OpenUnitOfWork, team: TestOrganization) -> None:
        self.open, self.team, self.transactions = open_uow, team, Transactions(open_uow)
        self.mailer, self.storage, self.clock, self.ids = MemoryMailer(), MemoryStorage(), SystemClock(), Uuid7Ids()
        self.admin, self.sales = team.actor(Role.ADMIN), team.actor(Role.SALES)
        self.worker = Actor.job(organization_id=team.organization.id, name="worker", origin=ORIGIN)

    async def create(
        self, language: str = "en", texts: TemplateTexts = TEXTS, actor: Actor | None = None
    ) -> MailTemplate:
        create = CreateMailTemplate(self.transactions, TEMPLATES, self.clock, self.ids)
        command = CreateMailTemplateCommand(kind=TemplateKind.OFFER, language=language, texts=texts)
        return await create(actor or self.admin, command)

    async def keep(self, texts: TemplateTexts) -> MailTemplate:
        """As if it had been taken once, by an earlier release."""
        template = MailTemplate(
            id=MailTemplateId(uuid4()), kind=TemplateKind.OFFER, language="en", texts=texts, created_at=NOON
        )
        async with self.open(self.admin) as uow:
            stored = await uow.mail_templates.save(template.create())
            await uow.commit()
        return stored

    async def change(self, template: MailTemplate, version: int | None = None, **changes: str) -> MailTemplate:
        change = ChangeMailTemplate(self.transactions, TEMPLATES, self.clock)
        command = ChangeMailTemplateCommand(
            template_id=template.id,
            changes=TemplateChanges(**changes),  # type: ignore[typeddict-item]  # Tests pass the right ones.
            expected_version=template.version if version is None else version,
        )
        return await change(self.admin, command)

    async def get(self, template_id: MailTemplateId) -> MailTemplate:
        return await GetMailTemplate(self.transactions)(self.sales, template_id)

    async def sent(self, locale: str = "en") -> Quote:
        async with self.open(self.sales) as uow:
            customer = await uow.customers.save(a_customer().create())
            contact = await uow.contacts.save(a_contact(customer.id).create())
            recipient = Recipient(contact_id=contact.id, name=contact.name, email=contact.email)
            day = self.clock.now().date().replace(year=2090)
            content = a_content(valid_until=day, locale=locale, recipient=recipient)
            change = a_new_quote(customer_id=customer.id, by=self.sales.person, content=content)
            draft = await uow.quotes.save(change)
            await uow.commit()
        submit, send = (
            SubmitQuote(self.transactions, self.clock, self.ids),
            SendQuote(self.transactions, self.clock, self.ids),
        )
        await submit(self.sales, SubmitQuoteCommand(quote_id=draft.id))
        return await send(self.sales, SendQuoteCommand(quote_id=draft.id))

    async def deliver(self, quote: Quote) -> None:
        """All of its mails that wait."""
        deliver = DeliverQuote(
            self.transactions,
            PlainTextRenderer(),
            self.storage,
            TEMPLATES,
            self.mailer,
            ENVELOPES,
            self.clock,
            self.ids,
        )
        async with self.open(self.sales) as uow:
            waiting = [one for one in await uow.messages.of_quote(quote.id) if one.status is DeliveryStatus.QUEUED]
        for message in waiting:
            await deliver(self.worker, DeliverQuoteCommand(message_id=message.id))

    async def entries(self, action: str) -> list[str]:
        async with self.open(self.team.actor(Role.OWNER)) as uow:
            page = await uow.audit.page(AuditFilter(action=action), Paging())
        return [entry.record.text for entry in page.items]


@pytest_asyncio.fixture
async def office(open_uow: OpenUnitOfWork, organization: TestOrganization) -> Office:
    return Office(open_uow, organization)


async def test_words_are_kept_changed_and_reset(office: Office) -> None:
    made = await office.create("de")
    with pytest.raises(MailTemplateTaken):
        await office.create("de")
    other = await office.create("en")
    changed = await office.change(made, subject="Angebot {{ number }}", html="<p>{{ note }}</p>")
    with pytest.raises(VersionChanged):
        await office.change(made, subject="Late")

    assert (made.version, changed.version) == (1, 2)
    assert await office.get(made.id) == changed
    assert changed.texts == replace(TEXTS, subject="Angebot {{ number }}", html="<p>{{ note }}</p>")
    assert list(await ListMailTemplates(office.transactions)(office.sales)) == [changed, other]
    reset = ResetMailTemplate(office.transactions, office.clock)
    with pytest.raises(VersionChanged):
        await reset(office.admin, made.id, 1)
    await reset(office.admin, made.id, 2)
    with pytest.raises(MailTemplateNotFound):
        await office.get(made.id)
    assert (await office.create("de")).version == 1
    for action, count in (("created", 3), ("changed", 1), ("deleted", 1)):
        assert len(await office.entries(f"mail_template.{action}")) == count
    assert "Angebot {{ number }}" in (await office.entries("mail_template.changed"))[0]


async def test_what_somebody_changed_meanwhile_is_not_deleted(office: Office) -> None:
    seen = await office.create()
    changed = await office.change(seen, subject="Newer {{ number }}")

    async with office.open(office.admin) as uow:
        with pytest.raises(Stale):
            await uow.mail_templates.delete(seen.delete(NOON))
    assert await office.get(seen.id) == changed
    async with office.open(office.admin) as uow:
        await uow.mail_templates.delete(changed.delete(NOON))
        with pytest.raises(Stale):
            await uow.mail_templates.delete(changed.delete(NOON))
    assert await office.entries("mail_template.deleted") == []


async def test_only_those_with_the_right_change_words(office: Office) -> None:
    made = await office.create()
    reset, preview = (
        ResetMailTemplate(office.transactions, office.clock),
        PreviewMailTemplate(office.transactions, TEMPLATES),
    )

    with pytest.raises(PermissionMissing):
        await office.create("de", actor=office.sales)
    with pytest.raises(PermissionMissing):
        await reset(office.sales, made.id)
    with pytest.raises(PermissionMissing):
        await preview(office.sales, PreviewMailTemplateCommand(template_id=made.id))
    with pytest.raises(PermissionMissing):
        await ListBuiltInTemplates(TEMPLATES)(office.worker)


@pytest.mark.parametrize("language", ["", "d", "DE", "de-DE", "deutsch", "d1"])
async def test_a_language_is_the_first_part_of_its_tag(language: str, office: Office) -> None:
    with pytest.raises(Invalid) as refused:
        await office.create(language)
    assert [one.field for one in refused.value.fields] == ["language"]


async def test_what_cannot_be_used_is_not_kept(office: Office) -> None:
    made = await office.create()

    with pytest.raises(Invalid) as created:
        await office.create("de", replace(BROKEN, subject="{{ range(9) }}"))
    with pytest.raises(Invalid) as changed:
        await office.change(made, text="a\n{% include 'x' %}")
    with pytest.raises(Invalid) as long:
        await office.change(made, text="x" * 20_001)

    assert [(one.field, one.message) for one in created.value.fields] == [
        ("subject", "Line 1: Calls are not known here."),
        ("text", "Line 2: «gone» is not known here."),
    ]
    assert [one.message for one in changed.value.fields] == ["Line 2: Other templates cannot be included."]
    assert [one.field for one in long.value.fields] == ["text"]
    assert await office.get(made.id) == made


async def test_line_breaks_have_one_form(office: Office) -> None:
    made = await office.create(texts=replace(TEXTS, text="a\r\nb\r\n"))

    assert made.texts.text == "a\nb\n"


@pytest.mark.parametrize(("locale", "own"), [("en", True), ("en-GB", True), ("de", False)])
async def test_mails_have_the_words_of_their_language(locale: str, own: bool, office: Office) -> None:
    await office.create("en")

    await office.deliver(await office.sent(locale))

    (mail,) = office.mailer.sent
    assert mail.subject.startswith("Our offer Q-") is own
    assert ("Dear Katrin Brandt,\nplease find it attached." in mail.text) is own
    assert len(mail.attachments) == 1


async def test_a_language_without_words_of_ours_can_have_own_ones(office: Office) -> None:
    await office.create("fr", replace(TEXTS, subject="Offre {{ number }}"))

    await office.deliver(await office.sent("fr-CH"))

    assert office.mailer.sent[0].subject.startswith("Offre Q-")


async def test_a_mail_goes_out_with_our_words_where_own_ones_fail_and_the_owners_are_told_once(office: Office) -> None:
    template = await office.keep(BROKEN)

    for _ in range(2):
        await office.deliver(await office.sent())

    assert [mail.subject.startswith("Offer Q-") for mail in office.mailer.sent] == [True, True]
    failed = await office.get(template.id)
    assert (failed.fault, failed.version) == ("Line 2: «gone» is not known here.", template.version)
    (told,) = await office.entries("mail_template.failed")
    assert "«gone» is not known here" in told
    async with office.open(office.admin) as uow:
        jobs = await uow.jobs.page(JobFilter(name="tell_of_failed_template"), Paging())
    assert [job.subject_id for job in jobs.items] == [template.id]


async def test_the_owners_read_what_is_wrong_until_it_is_corrected(office: Office) -> None:
    template, quote = await office.keep(BROKEN), await office.sent()
    await office.deliver(quote)
    tell, job_id = TellOfFailedTemplate(office.transactions, TEMPLATES, office.mailer), uuid4()
    office.mailer.sent.clear()

    for _ in range(2):
        await tell(office.worker, template.id, quote.id, job_id)
    corrected = await office.change(template, text="Fine.")
    await tell(office.worker, template.id, quote.id, job_id)

    first, second = office.mailer.sent
    assert first.message_id == second.message_id
    assert first.recipient == office.team.users[Role.OWNER].email
    assert f"{quote.number}: Line 2: «gone» is not known here." in first.text
    assert corrected.fault == ""
    await ResetMailTemplate(office.transactions, office.clock)(office.admin, template.id)
    await tell(office.worker, template.id, quote.id, job_id)
    assert len(office.mailer.sent) == 2


async def test_a_fault_of_a_version_that_is_gone_is_not_kept(office: Office) -> None:
    template = await office.keep(BROKEN)
    await office.change(template, text="Fine.")

    async with office.open(office.worker) as uow:
        kept = await uow.mail_templates.keep_fault(template, "Line 2")
        await uow.commit()

    assert not kept
    assert (await office.get(template.id)).fault == ""


async def test_a_mail_that_is_sent_again_has_the_words_of_now(office: Office) -> None:
    quote = await office.sent()
    await office.deliver(quote)
    await office.create()

    await ResendQuote(office.transactions, office.clock, office.ids)(
        office.sales, ResendQuoteCommand(quote_id=quote.id)
    )
    await office.deliver(quote)

    assert [mail.subject.startswith("Our offer") for mail in office.mailer.sent] == [False, True]


async def test_a_preview_says_what_a_mail_would_and_stores_nothing(office: Office) -> None:
    made, quote = await office.create(), await office.sent("de")
    preview = PreviewMailTemplate(office.transactions, TEMPLATES)
    async with office.open(office.admin) as uow:
        before = await uow.audit.head()

    sample = await preview(office.admin, PreviewMailTemplateCommand(template_id=made.id))
    of_quote = await preview(office.admin, PreviewMailTemplateCommand(template_id=made.id, quote_id=quote.id))
    draft = PreviewMailTemplateCommand(language="ko", texts=replace(TEXTS, html="<b>{{ payable }} {{ note }}</b>"))
    drafted = await preview(office.admin, replace(draft, quote_id=quote.id, note="<i>"))
    with pytest.raises(Invalid) as refused:
        await preview(office.admin, replace(draft, texts=BROKEN))
    blind = replace(office.admin, permissions=office.admin.permissions - {Permission.VIEW_QUOTES})
    with pytest.raises(PermissionMissing):
        await preview(blind, replace(draft, quote_id=quote.id))

    assert sample.subject == "Our offer Q-2026-000123"
    assert of_quote.subject == f"Our offer {quote.number}"
    assert "<b>EUR&nbsp;365.93 &lt;i&gt;</b>" in drafted.html
    assert [one.message for one in refused.value.fields] == ["Line 2: «gone» is not known here."]
    async with office.open(office.admin) as uow:
        assert await uow.audit.head() == before


async def test_our_own_words_are_shown_as_templates(office: Office) -> None:
    found = await ListBuiltInTemplates(TEMPLATES)(office.sales)

    assert [(one.kind, one.language) for one in found] == [(TemplateKind.OFFER, one) for one in ("de", "en", "ko")]
    made = await office.create("de", found[0].texts)
    assert made.texts == found[0].texts
