"""Organisations, users and sessions in memory."""

from collections.abc import Sequence

from src.adapters.memory.state import MemoryTransaction
from src.application.ports.identity import OrganizationRepository, SessionRepository, UserRepository
from src.domain.identity.organization import Organization
from src.domain.identity.user import EmailTaken, Session, User, UserNotFound
from src.domain.shared.change import Change
from src.domain.shared.ids import UserId


class MemoryOrganizations(OrganizationRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def current(self) -> Organization:
        return self._transaction.state.organizations[self._transaction.organization_id]

    async def create(self, change: Change[Organization]) -> Organization:
        self._transaction.state.organizations[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after


class MemoryUsers(UserRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def get(self, user_id: UserId) -> User:
        user = self._transaction.state.users.get(user_id)
        if user is None:
            raise UserNotFound("There is no such user.")
        return user

    async def all(self) -> Sequence[User]:
        return sorted(self._transaction.state.users.values(), key=lambda user: user.email)

    async def save(self, change: Change[User]) -> User:
        user = change.after
        if any(known.email == user.email for known in self._transaction.state.users.values()):
            raise EmailTaken("This e-mail is taken.")
        self._transaction.state.users[user.id] = user
        self._transaction.changes.append(change)
        return user


class MemorySessions(SessionRepository):
    def __init__(self, transaction: MemoryTransaction) -> None:
        self._transaction = transaction

    async def save(self, change: Change[Session]) -> Session:
        self._transaction.state.sessions[change.after.id] = change.after
        self._transaction.changes.append(change)
        return change.after
