"""How often somebody may try (PyPI's figures; OWASP ASVS 6.3.1). Buckets never show an address or an e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from src.application.ports.identity import Turns
from src.domain.identity.actor import Origin
from src.domain.shared.ids import ChallengeId, UserId

_FIVE_MINUTES, _HOUR, _DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLimits:
    """Failed logins in five minutes: for an account, from an address, and in all. What succeeds is given back."""

    per_account: int = 10
    per_address: int = 10
    in_all: int = 1000

    def login(self, email: str, origin: Origin) -> Sequence[Turns]:
        return (
            Turns(bucket=_bucket("login account", email), burst=self.per_account, period=_FIVE_MINUTES),
            *self.address("login", origin),
        )

    def code(self, email: str, origin: Origin) -> Sequence[Turns]:
        """Never more than ten in any 24 hours, with five tries each: a chance of 5 in 100,000 to guess one of six digits.

        Five at once are ten in a day: while the first five are used up, five more come back.
        """
        return (
            Turns(bucket=_bucket("code account", email), burst=5, period=_DAY),
            *self.address("code", origin),
        )

    def reset(self, email: str, origin: Origin) -> Sequence[Turns]:
        return (
            Turns(bucket=_bucket("reset account", email), burst=5, period=_DAY),
            *self.address("reset", origin),
        )

    def attempt(self, challenge_id: ChallengeId, origin: Origin) -> Sequence[Turns]:
        """Five answers, whether the code was ever sent to anybody or not."""
        return (
            Turns(bucket=_bucket("attempt", str(challenge_id)), burst=5, period=_DAY),
            *self.address("attempt", origin),
        )

    def second_factor(self, user_id: UserId) -> Sequence[Turns]:
        return tuple(
            Turns(bucket=_bucket(f"factor {burst}", str(user_id)), burst=burst, period=period)
            for burst, period in ((5, _FIVE_MINUTES), (20, _HOUR), (50, _DAY))
        )

    def address(self, what: str, origin: Origin) -> Sequence[Turns]:
        return (
            Turns(bucket=_bucket(f"{what} address", _network(origin)), burst=self.per_address, period=_FIVE_MINUTES),
            Turns(bucket=_bucket(what, "all"), burst=self.in_all, period=_FIVE_MINUTES),
        )


def _network(origin: Origin) -> str:
    """Whoever has one IPv6 address has its whole /64."""
    try:
        address = ip_address(origin.ip_address)
    except ValueError:
        return "unknown"
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _bucket(what: str, whose: str) -> str:
    return sha256(f"{what}\n{whose}".encode()).hexdigest()[:32]
