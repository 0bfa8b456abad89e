"""What the people of an organisation are told about its mails."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from src.application.ports.mail import Email, Mailer, MailRefused, MailTemplates, NoticeKind, NoticeMail
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission, Role
from src.domain.identity.organization import Organization
from src.domain.identity.user import User
from src.domain.messaging.message import newest_to_each, reached_nobody
from src.domain.messaging.template import MailTemplateNotFound
from src.domain.shared.ids import MailTemplateId, QuoteId


class TellOfFailedDelivery:
    """Tell the owner of an offer that none of its recipients was reached; the organisation's owners,
    where that one is gone. It may be repeated: a doubled mail has the same Message-ID. Raises QuoteNotFound, MailDeferred.
    """

    def __init__(self, transactions: Transactions, templates: MailTemplates, mailer: Mailer) -> None:
        self._transactions, self._templates, self._mailer = transactions, templates, mailer

    async def __call__(self, actor: Actor, quote_id: QuoteId, revision: int, job_id: UUID) -> None:
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            quote = await uow.quotes.get(quote_id)
            messages = [one for one in await uow.messages.of_quote(quote_id) if one.revision == revision]
            organization, users = await uow.organizations.current(), await uow.users.all()
        if not reached_nobody(messages) or not organization.active:
            return  # It was tried again meanwhile, or sent again.
        notice = Notice(
            kind=NoticeKind.DELIVERY_FAILED,
            subject=quote.number,
            details=tuple(f"{message.recipient}: {message.answer}" for message in newest_to_each(messages)),
            message_id=f"delivery-failed.{job_id}",
        )
        owner = [user for user in users if user.id == quote.owner_id and user.active]
        await tell(self._mailer, self._templates, organization, owner or owners_of(users), notice)


class TellOfFailedTemplate:
    """Tell the organisation's owners that a mail template could not be used. It may be repeated. Raises MailDeferred."""

    def __init__(self, transactions: Transactions, templates: MailTemplates, mailer: Mailer) -> None:
        self._transactions, self._templates, self._mailer = transactions, templates, mailer

    async def __call__(self, actor: Actor, template_id: MailTemplateId, quote_id: QuoteId, job_id: UUID) -> None:
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            try:
                template = await uow.mail_templates.get(template_id)
            except MailTemplateNotFound:
                return
            quote = await uow.quotes.get(quote_id)
            organization, users = await uow.organizations.current(), await uow.users.all()
        if not template.fault or not organization.active:
            return  # Corrected meanwhile.
        notice = Notice(
            kind=NoticeKind.TEMPLATE_FAILED,
            subject=f"{template.kind.value}, {template.language}",
            details=(f"{quote.number}: {template.fault}",),
            message_id=f"template-failed.{job_id}",
        )
        await tell(self._mailer, self._templates, organization, owners_of(users), notice)


class Notice(NamedTuple):
    """*message_id* is the left part of the mails' ids, to which each person's is added."""

    kind: NoticeKind
    subject: str
    details: tuple[str, ...]
    message_id: str


def owners_of(users: Sequence[User]) -> list[User]:
    return [user for user in users if user.role is Role.OWNER and user.active]


async def tell(
    mailer: Mailer, templates: MailTemplates, organization: Organization, users: Sequence[User], notice: Notice
) -> None:
    """Mail *notice* to each of *users*. Raises MailDeferred."""
    for user in users:
        told = NoticeMail(
            kind=notice.kind,
            subject=notice.subject,
            details=notice.details,
            organization=organization.party.name,
            name=user.name,
            locale=organization.locale,
        )
        composed = templates.notice(told)
        email = Email.to_user(user, organization, composed, f"{notice.message_id}.{user.id.hex}")
        try:
            await mailer.send(email)
        except MailRefused:
            continue  # Another attempt is pointless; lists and timelines show it all the same.
