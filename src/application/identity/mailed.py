"""Codes and links that leave by mail. The mails are jobs: whether there is anybody to mail to never shows in the answer."""

from collections.abc import Sequence
from uuid import UUID

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.identity import Account, AccountDirectory
from src.application.ports.jobs import Job
from src.application.ports.mail import AccountMail, Email, Mailer, MailRefused, MailTemplates
from src.application.ports.security import ChallengeSecrets
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.identity.challenge import Challenge, ChallengeNotFound, Purpose
from src.domain.identity.organization import Organization
from src.domain.identity.user import User, UserLoginFailed
from src.domain.shared.ids import ChallengeId, OrganizationId, UserId

SEND_LOGIN_CODE = "send_login_code"
SEND_PASSWORD_RESET = "send_password_reset"  # noqa: S105 — a job's name.
SEND_INVITATION = "send_invitation"
RECORD_LOGIN_FAILURE = "record_login_failure"
NOBODY = UUID(int=0)


async def tell_accounts(
    directory: AccountDirectory,
    ids: IdFactory,
    name: str,
    accounts: Sequence[Account],
    challenge_id: ChallengeId,
    origin: Origin,
) -> None:
    """One job for each account; and one that does nothing, where there is none, so that it takes as long."""
    subjects = [(account.organization_id, account.user_id) for account in accounts]
    for organization_id, user_id in subjects or [(OrganizationId(NOBODY), UserId(NOBODY))]:
        job = Job(
            id=ids.new(),
            name=name,
            organization_id=organization_id,
            subject_id=user_id,
            trace_id=origin.trace_id,
            reference_id=challenge_id,
            ip_address=origin.ip_address,
            user_agent=origin.user_agent,
        )
        await directory.enqueue(job)


class RecordLoginFailure:
    """A job, so that a failed login takes as long for a known account as for an unknown one."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, user_id: UserId) -> None:
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            uow.record(UserLoginFailed(resource_id=user_id, at=self._clock.now()))
            await uow.commit()


class SendChallenge:
    """Issue a challenge and mail its code or link. It may be repeated: the same challenge has the same secret."""

    def __init__(
        self,
        transactions: Transactions,
        secrets: ChallengeSecrets,
        templates: MailTemplates,
        mailer: Mailer,
        clock: Clock,
    ) -> None:
        self._transactions, self._secrets, self._templates = transactions, secrets, templates
        self._mailer, self._clock = mailer, clock

    async def to_user(self, actor: Actor, purpose: Purpose, user_id: UserId, challenge_id: ChallengeId) -> None:
        """A login code or a password reset, which *user_id* has asked for. Earlier ones count no more.

        Raises MailDeferred when it is worth another attempt.
        """
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            organization, user = await uow.organizations.current(), await uow.users.get(user_id)
            try:
                challenge = await uow.challenges.get(challenge_id)
            except ChallengeNotFound:
                for earlier in await uow.challenges.open_of(user_id, purpose, now):
                    await uow.challenges.save(earlier.void(now))
                issuing = Challenge.issue(challenge_id=challenge_id, user_id=user_id, purpose=purpose, at=now)
                challenge = await uow.challenges.save(issuing)
                await uow.commit()
        if user.active and organization.active:
            await self._mail(organization, user, challenge)

    async def of_challenge(self, actor: Actor, challenge_id: ChallengeId) -> None:
        """An invitation, which has been issued. Raises MailDeferred."""
        async with self._transactions.begin(actor, Permission.DELIVER_MESSAGES) as uow:
            challenge = await uow.challenges.get(challenge_id)
            organization, user = await uow.organizations.current(), await uow.users.get(challenge.user_id)
        await self._mail(organization, user, challenge)

    async def _mail(self, organization: Organization, user: User, challenge: Challenge) -> None:
        if not challenge.is_open(self._clock.now()):
            return
        by_code = challenge.purpose is Purpose.LOGIN_CODE
        secret = (self._secrets.code if by_code else self._secrets.link_token)(challenge.id, organization.id)
        told = AccountMail(
            purpose=challenge.purpose,
            organization=organization.party.name,
            name=user.name,
            email=user.email,
            secret=secret,
            expires_at=challenge.expires_at.astimezone(organization.zone),
            locale=organization.locale,
        )
        composed = self._templates.account(told)
        email = Email.to_user(user, organization, composed, f"challenge.{challenge.id}.{organization.id}")
        try:
            await self._mailer.send(email)
        except MailRefused:
            return  # Another attempt is pointless; whoever asked will ask again.
