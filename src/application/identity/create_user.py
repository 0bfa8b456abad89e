"""Add a user to the organisation."""

from dataclasses import dataclass, field

from src.application.identity.passwords import NewPasswords, words_about
from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission, Role
from src.domain.identity.user import User, check_grant, normal_email
from src.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserCommand:
    email: str
    name: str
    role: Role
    password: str = field(repr=False)


class CreateUser:
    """With a password at once, for who sets an installation up; people are invited. Raises EmailTaken, RoleNotYours."""

    def __init__(self, transactions: Transactions, passwords: NewPasswords, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._passwords, self._clock, self._ids = transactions, passwords, clock, ids

    async def __call__(self, actor: Actor, command: CreateUserCommand) -> User:
        actor.require(Permission.MANAGE_USERS)  # Before the costly hash.
        check_grant(command.role, actor)
        email = normal_email(command.email)
        user = User(
            id=UserId(self._ids.new()),
            email=email,
            name=command.name,
            role=command.role,
            password_hash=await self._passwords.hash(command.password, words_about(command.name, email)),
            created_at=self._clock.now(),
        )
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            stored = await uow.users.save(user.create())
            await uow.commit()
        return stored
