"""Challenges: what somebody has to answer before something happens, with a code or a link from a mail, or a second factor.

Their secrets are not stored, not even hashed: they follow from the challenge's id and the installation's secret key.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from src.domain.identity.session import LoginMethod
from src.domain.shared.change import Change
from src.domain.shared.errors import NotFound, Unauthenticated
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import ChallengeId, UserId


class ChallengeNotFound(NotFound):
    code = "challenge_not_found"


class ChallengeFailed(Unauthenticated):
    """Wrong, used, too old or unknown: the same words for all."""

    code = "challenge_failed"


class Purpose(StrEnum):
    LOGIN_CODE = "login_code"
    SECOND_FACTOR = "second_factor"
    PASSWORD_RESET = "password_reset"  # noqa: S105 — a purpose.
    INVITATION = "invitation"


LIFETIMES: Final = MappingProxyType(
    {
        Purpose.LOGIN_CODE: timedelta(minutes=10),
        Purpose.SECOND_FACTOR: timedelta(minutes=10),
        Purpose.PASSWORD_RESET: timedelta(hours=1),
        Purpose.INVITATION: timedelta(days=7),
    }
)
TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeIssued(DomainEvent):
    action = "challenge.issued"
    resource_type: str = "user"
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeAnswered(DomainEvent):
    """*accepted*: whether the answer was right."""

    action = "challenge.answered"
    resource_type: str = "user"
    purpose: Purpose
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeVoided(DomainEvent):
    """A newer one took its place."""

    action = "challenge.voided"
    resource_type: str = "user"
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """It counts once, until *expires_at*, and for TRIES answers. *method*: what a second factor comes after."""

    id: ChallengeId
    user_id: UserId
    purpose: Purpose
    created_at: datetime
    expires_at: datetime
    tries_left: int = TRIES
    method: LoginMethod | None = None
    ended_at: datetime | None = None
    version: int = 0

    @classmethod
    def issue(
        cls,
        *,
        challenge_id: ChallengeId,
        user_id: UserId,
        purpose: Purpose,
        at: datetime,
        method: LoginMethod | None = None,
    ) -> Change["Challenge"]:
        issued = cls(
            id=challenge_id,
            user_id=user_id,
            purpose=purpose,
            created_at=at,
            expires_at=at + LIFETIMES[purpose],
            method=method,
        )
        return Change(None, issued, (ChallengeIssued(resource_id=user_id, at=at, purpose=purpose),))

    def is_open(self, at: datetime) -> bool:
        return self.ended_at is None and self.tries_left > 0 and at < self.expires_at

    def answer(self, *, right: bool, at: datetime) -> Change["Challenge"]:
        """Ended by the right answer, one try poorer by a wrong one. Raises ChallengeFailed when it is not open."""
        if not self.is_open(at):
            raise challenge_failed()
        answered = replace(self, ended_at=at) if right else replace(self, tries_left=self.tries_left - 1)
        event = ChallengeAnswered(resource_id=self.user_id, at=at, purpose=self.purpose, accepted=right)
        return Change(self, answered, (event,))

    def void(self, at: datetime) -> Change["Challenge"]:
        event = ChallengeVoided(resource_id=self.user_id, at=at, purpose=self.purpose)
        return Change(self, replace(self, ended_at=at), (event,))


def challenge_failed() -> ChallengeFailed:
    return ChallengeFailed("This code or link is wrong, has been used, or is too old: ask for a new one.")
