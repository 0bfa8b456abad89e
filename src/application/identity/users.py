"""The organisation's people: invite, look at, change, deactivate."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from src.application.approvals.desk import approvers_changed
from src.application.approvals.subject import Subjects
from src.application.identity.mailed import SEND_INVITATION
from src.application.identity.passwords import NewPasswords, words_about
from src.application.identity.sessions import end_sessions
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.jobs import Job
from src.application.ports.security import ChallengeSecrets
from src.application.ports.unit_of_work import UnitOfWork
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.identity.actor import Actor, Origin, Permission, Role
from src.domain.identity.challenge import Challenge, ChallengeNotFound, Purpose, challenge_failed
from src.domain.identity.session import EndReason
from src.domain.identity.user import User, UserStatus, check_grant, normal_email
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import ChallengeId, UserId


class ListUsers:
    """All of them, by e-mail."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor) -> Sequence[User]:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.users.all()


class GetUser:
    """Raises UserNotFound."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def __call__(self, actor: Actor, user_id: UserId) -> User:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            return await uow.users.get(user_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteUserCommand:
    email: str
    name: str
    role: Role


class InviteUser:
    """The invitation is mailed, and holds for seven days. Raises EmailTaken, RoleNotYours."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, command: InviteUserCommand) -> User:
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            check_grant(command.role, actor)
            user = User(
                id=UserId(self._ids.new()),
                email=normal_email(command.email),
                name=command.name,
                role=command.role,
                password_hash=None,
                created_at=self._clock.now(),
                status=UserStatus.INVITED,
            )
            stored = await uow.users.save(user.create())
            await _issue_invitation(uow, actor, stored, self._clock, self._ids)
            await uow.commit()
        return stored


class InviteAgain:
    """Mail a new invitation; the one before counts no more. Raises UserNotFound, UserStateConflict, RoleNotYours."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._clock, self._ids = transactions, clock, ids

    async def __call__(self, actor: Actor, user_id: UserId) -> User:
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            user = await uow.users.get(user_id, lock=True)
            check_grant(user.role, actor)
            stored = await uow.users.save(user.invite_again(self._clock.now()))
            await _issue_invitation(uow, actor, stored, self._clock, self._ids)
            await uow.commit()
        return stored


async def _issue_invitation(uow: UnitOfWork, actor: Actor, user: User, clock: Clock, ids: IdFactory) -> None:
    now = clock.now()
    for earlier in await uow.challenges.open_of(user.id, Purpose.INVITATION, now):
        await uow.challenges.save(earlier.void(now))
    challenge_id = ChallengeId(ids.new())
    issuing = Challenge.issue(challenge_id=challenge_id, user_id=user.id, purpose=Purpose.INVITATION, at=now)
    challenge = await uow.challenges.save(issuing)
    job = Job.asked_by(actor, ids.new(), SEND_INVITATION, challenge.id)
    await uow.jobs.enqueue(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptInvitationCommand:
    """*name* None: as the invitation has it."""

    token: str = field(repr=False)
    password: str = field(repr=False)
    name: str | None = None


class AcceptInvitation:
    """By the link of the mail, once: the account is active from then on. Raises ChallengeFailed, UserStateConflict, Invalid."""

    def __init__(
        self,
        transactions: Transactions,
        secrets: ChallengeSecrets,
        passwords: NewPasswords,
        clock: Clock,
        ids: IdFactory,
        subjects: Subjects,
    ) -> None:
        self._transactions, self._secrets, self._passwords = transactions, secrets, passwords
        self._clock, self._ids, self._subjects = clock, ids, subjects

    async def __call__(self, origin: Origin, command: AcceptInvitationCommand) -> User:
        challenge_id, organization_id = self._secrets.read_link_token(command.token)
        actor = Actor.anonymous(organization_id=organization_id, origin=origin)
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            organization = await uow.organizations.current()
            challenge = await _open_invitation(uow, challenge_id)
            user = await uow.users.get(challenge.user_id)
        if not challenge.is_open(now) or not organization.active:
            raise challenge_failed()
        name = user.name if command.name is None else command.name
        password_hash = await self._passwords.hash(command.password, words_about(name, user.email, organization))
        async with self._transactions.begin(actor, Permission.LOG_IN) as uow:
            challenge = await _open_invitation(uow, challenge_id)
            await uow.challenges.save(challenge.answer(right=True, at=now))
            invited = await uow.users.get(challenge.user_id, lock=True)
            stored = await uow.users.save(invited.accept_invitation(name=name, password_hash=password_hash, at=now))
            await approvers_changed(uow, actor, self._subjects, self._ids, now)
            await uow.commit()
        return stored


async def _open_invitation(uow: UnitOfWork, challenge_id: ChallengeId) -> Challenge:
    try:
        challenge = await uow.challenges.get(challenge_id)
    except ChallengeNotFound:
        raise challenge_failed() from None
    if challenge.purpose is not Purpose.INVITATION:
        raise challenge_failed()
    return challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUserCommand:
    """None leaves what it is. Another *role* ends the user's sessions."""

    user_id: UserId
    name: str | None = None
    role: Role | None = None
    expected_version: int | None = None


class ChangeUser:
    """Raises UserNotFound, VersionChanged, RoleNotYours, LastOwner, Invalid."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, command: ChangeUserCommand) -> User:
        if command.name is None and command.role is None:
            raise invalid_field("body", "Say what to change: name or role.")
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            owners = len(await uow.users.lock_owners())
            user = await uow.users.get(command.user_id, lock=True)
            check_version(user, command.expected_version)
            if command.name is not None:
                user = await uow.users.save(user.rename(command.name, now))
            if command.role is not None and command.role is not user.role:
                user = await uow.users.save(user.take_role(command.role, by=actor, owners=owners, at=now))
                await end_sessions(uow, user.id, EndReason.ROLE_CHANGED, now)
                await approvers_changed(uow, actor, self._subjects, self._ids, now)
            await uow.commit()
        return user


class DeactivateUser:
    """All their sessions end at once, and their API keys with them. Raises UserNotFound, LastOwner, RoleNotYours, UserStateConflict."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, user_id: UserId) -> User:
        now = self._clock.now()
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            owners = len(await uow.users.lock_owners())
            user = await uow.users.get(user_id, lock=True)
            stored = await uow.users.save(user.deactivate(by=actor, owners=owners, at=now))
            await end_sessions(uow, user_id, EndReason.USER_DEACTIVATED, now)
            for invitation in await uow.challenges.open_of(user_id, Purpose.INVITATION, now):
                await uow.challenges.save(invitation.void(now))
            await approvers_changed(uow, actor, self._subjects, self._ids, now)
            await uow.commit()
        return stored


class ReactivateUser:
    """Raises UserNotFound, RoleNotYours, UserStateConflict."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: IdFactory, subjects: Subjects) -> None:
        self._transactions, self._clock, self._ids, self._subjects = transactions, clock, ids, subjects

    async def __call__(self, actor: Actor, user_id: UserId) -> User:
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            user = await uow.users.get(user_id, lock=True)
            now = self._clock.now()
            stored = await uow.users.save(user.reactivate(by=actor, at=now))
            await approvers_changed(uow, actor, self._subjects, self._ids, now)
            await uow.commit()
        return stored
