"""Add a user to the organisation."""

from dataclasses import dataclass, field

from src.application.ports.clock import Clock, IdFactory
from src.application.ports.security import PasswordHasher
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Permission, Role
from src.domain.identity.user import User, check_password_form, normal_email
from src.domain.shared.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserCommand:
    email: str
    name: str
    role: Role
    password: str = field(repr=False)


class CreateUser:
    """Raises EmailTaken."""

    def __init__(self, transactions: Transactions, hasher: PasswordHasher, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._hasher, self._clock, self._ids = transactions, hasher, clock, ids

    async def __call__(self, actor: Actor, command: CreateUserCommand) -> User:
        actor.require(Permission.MANAGE_USERS)  # Before the costly hash.
        check_password_form(command.password)
        user = User(
            id=UserId(self._ids.new()),
            email=normal_email(command.email),
            name=command.name,
            role=command.role,
            password_hash=await self._hasher.hash(command.password),
            created_at=self._clock.now(),
        )
        async with self._transactions.begin(actor, Permission.MANAGE_USERS) as uow:
            stored = await uow.users.save(user.create())
            await uow.commit()
        return stored
