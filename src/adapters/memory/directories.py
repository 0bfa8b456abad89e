"""The look-ups before a tenant is known, in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from src.adapters.memory.state import OrganizationState
from src.adapters.memory.unit_of_work import MemoryStore
from src.application.ports.clock import Clock
from src.application.ports.identity import Account, AccountDirectory, LiveApiKey, LiveSession, Throttle, Turns
from src.application.ports.jobs import Job
from src.application.ports.messaging import MessageDirectory
from src.domain.shared.errors import TooMany
from src.domain.shared.ids import ChallengeId, MessageId, OrganizationId, ProviderLoginId, SessionId


class MemoryAccountDirectory(AccountDirectory):
    def __init__(self, store: MemoryStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def find(self, email: str) -> Sequence[Account]:
        accounts = [
            Account(
                organization_id=organization_id,
                organization_slug=state.organizations[organization_id].slug,
                user_id=user.id,
                email=user.email,
                name=user.name,
                role=user.role,
                password_hash=user.password_hash,
            )
            for organization_id, state in self._active().items()
            for user in state.users.values()
            if user.email == email and user.active
        ]
        return sorted(accounts, key=lambda account: account.organization_slug)[:20]

    async def session(self, organization_id: OrganizationId, session_id: SessionId) -> LiveSession | None:
        state = self._active().get(organization_id, OrganizationState())
        session = state.sessions.get(session_id)
        if session is None or not session.is_live(self._clock.now()) or not state.users[session.user_id].active:
            return None
        user = state.users[session.user_id]
        return LiveSession(user_id=user.id, name=user.name, role=user.role, restricted=session.restricted)

    async def api_key(self, key_hash: str) -> LiveApiKey | None:
        now = self._clock.now()
        for organization_id, state in self._active().items():
            for key in state.api_keys.values():
                if key.key_hash == key_hash and key.is_live(now) and state.users[key.user_id].active:
                    state.api_keys[key.id] = replace(key, last_used_at=now)
                    return LiveApiKey(
                        organization_id=organization_id,
                        id=key.id,
                        name=key.name,
                        scopes=frozenset(key.scopes),
                        networks=key.networks,
                        user_id=key.user_id,
                        role=state.users[key.user_id].role,
                    )
        return None

    async def challenge(self, challenge_id: ChallengeId) -> Sequence[OrganizationId]:
        return self._having(lambda state: challenge_id in state.challenges)

    async def provider_login(self, login_id: ProviderLoginId) -> OrganizationId | None:
        return next(iter(self._having(lambda state: login_id in state.provider_logins)), None)

    async def organization(self, slug: str) -> OrganizationId | None:
        return next((id_ for id_, state in self._active().items() if state.organizations[id_].slug == slug), None)

    async def enqueue(self, job: Job) -> None:
        self._store.add_job(job)

    def _active(self) -> dict[OrganizationId, OrganizationState]:
        return {id_: state for id_, state in self._store.states.items() if state.organizations[id_].active}

    def _having(self, holds: Callable[[OrganizationState], bool]) -> list[OrganizationId]:
        return [id_ for id_, state in self._active().items() if holds(state)]


class MemoryMessageDirectory(MessageDirectory):
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def organization_of(self, message_id: MessageId) -> OrganizationId | None:
        return next((id_ for id_, state in self._store.states.items() if message_id in state.messages), None)


class MemoryThrottle(Throttle):
    """The generic cell rate algorithm: for each bucket, when it will be empty again."""

    def __init__(self) -> None:
        self._empty_at: dict[str, datetime] = {}

    async def take(self, turns: Sequence[Turns], at: datetime) -> None:
        worst = timedelta(0)
        for one in turns:
            full_at = max(self._empty_at.get(one.bucket, at), at) + one.period / one.burst
            wait = full_at - at - one.period
            if wait > timedelta(milliseconds=1):
                worst = max(worst, wait)
            else:
                self._empty_at[one.bucket] = full_at
        if worst:
            raise TooMany("Too many attempts; wait a little.", retry_after=int(worst.total_seconds()) + 1)

    async def give_back(self, turns: Sequence[Turns], at: datetime) -> None:
        for one in turns:
            if one.bucket in self._empty_at:
                self._empty_at[one.bucket] -= one.period / one.burst
