"""An organisation with a row in every table."""

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.comment import Comment
from src.domain.approvals.policy import StepRule
from src.domain.audit.chain import ChainHead
from src.domain.catalog.coupon import Redemption
from src.domain.documents.attachment import SubjectKind
from src.domain.documents.stored_document import StoredDocument
from src.domain.identity.actor import Actor, Role
from src.domain.messaging.template import MailTemplate, TemplateKind, TemplateTexts
from src.domain.shared.ids import CommentId, DocumentId, MailTemplateId
from tests.builders.approvals import SUBJECTS, a_delegation, a_simulation, a_subject, a_submission, asked
from tests.builders.audit import SIGNER
from tests.builders.catalogue import a_catalogue, an_import
from tests.builders.exports import an_export
from tests.builders.files import a_stored_attachment
from tests.builders.identity import fill_identity
from tests.builders.quotes import NOON, a_contact, a_content, a_customer, a_new_quote, a_product
from tests.organizations import ORIGIN, TestOrganization, new_organization


async def a_full_organization(open_uow: OpenUnitOfWork) -> TestOrganization:
    made = await new_organization(open_uow)
    sales, admin = made.actor(Role.SALES), made.actor(Role.ADMIN)
    transactions, clock, ids = Transactions(open_uow), SystemClock(), Uuid7Ids()
    catalogue = await a_catalogue(open_uow, admin)
    await fill_identity(open_uow, made.actor(Role.OWNER), made.users[Role.SALES])
    async with open_uow(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        await uow.contacts.save(a_contact(customer.id).create())
        await uow.products.save(a_product().create())
        await uow.quotes.next_number(2026)
        content = a_content(valid_until=clock.now().date().replace(year=2090))
        quote = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        await uow.commit()
    async with open_uow(sales) as uow:
        redemption = Redemption(
            coupon_id=catalogue.coupon.id, quote_id=quote.id, customer_id=customer.id, at=clock.now()
        )
        await uow.coupons.redeem(redemption)
        await uow.imports.save(an_import(sales.person).start())
        await uow.exports.save(an_export(sales.person).request())
        await uow.commit()
    await SubmitQuote(transactions, clock, ids)(sales, SubmitQuoteCommand(quote_id=quote.id))
    await SendQuote(transactions, clock, ids)(sales, SendQuoteCommand(quote_id=quote.id))
    step = StepRule(name="Management", roles=(Role.APPROVER,))
    command = CreatePolicyCommand(name="All", order=1, conditions=(), steps=(step,))
    policy = await CreatePolicy(transactions, clock, ids, SUBJECTS)(admin, command)
    async with open_uow(sales) as uow:
        submission = a_submission(sales.person, subject=a_subject(quote.id))
        request = await uow.approvals.save(asked(submission, [policy], list(made.users.values())))
        comment = Comment(
            id=CommentId(ids.new()), request_id=request.id, user_id=sales.person, text="Why?", created_at=NOON
        )
        await uow.approvals.comment(comment.say(request))
        delegation = a_delegation(made.users[Role.ADMIN], made.users[Role.APPROVER])
        await uow.delegations.save(delegation.create())
        await uow.fact_records.save_simulation(a_simulation(policy, sales.person).start())
        await uow.audit.keep_head(SIGNER.sign(made.organization.id, await uow.audit.head(), NOON))
        document = StoredDocument(
            id=DocumentId(ids.new()),
            quote_id=quote.id,
            revision=1,
            content_digest="d" * 64,
            sha256="a" * 64,
            size=1,
            storage_key="k",
            created_at=NOON,
        )
        await uow.documents.save(document.create())
        template = MailTemplate(
            id=MailTemplateId(ids.new()),
            kind=TemplateKind.OFFER,
            language="de",
            texts=TemplateTexts(subject="Angebot {{ number }}", text="Guten Tag."),
            created_at=NOON,
        )
        await uow.mail_templates.save(template.create())
        await a_stored_attachment(uow, SubjectKind.QUOTE, quote.id, sales.person)
        await uow.commit()
    await _anchor(open_uow, made)
    return made


async def _anchor(open_uow: OpenUnitOfWork, made: TestOrganization) -> None:
    """Of the first entry, as if retention were about to remove it."""
    operator = Actor.operator(organization_id=made.organization.id, name="audit retention", origin=ORIGIN)
    async with open_uow(operator) as uow:
        first = ChainHead(1, await uow.audit.hash_at(1) or "")
        await uow.audit.keep_anchor(SIGNER.sign_anchor(made.organization.id, first, 1, NOON.date(), NOON))
        await uow.commit()
