"""How many requests a minute: from one address, by one user, by one key, in one organisation. Counted by each process."""

import time
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from litestar.types import ASGIApp, Receive, Scope, Send

from src.domain.identity.actor import Actor
from src.domain.shared.errors import TooMany
from src.entrypoints.http.problems import problem_of
from src.entrypoints.http.requests import answer, is_http

_UNLIMITED: Final = ("/health/", "/metrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRates:
    """Requests a minute; 0 does not limit."""

    address: int = 1200
    user: int = 600
    key: int = 1200
    organization: int = 6000


class RequestLimiter:
    """One for a process. Raises TooMany."""

    def __init__(self, rates: RequestRates) -> None:
        self._rates = rates
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take_address(self, address: str) -> None:
        self._take("address", self._rates.address, address)

    def take_actor(self, actor: Actor) -> None:
        if actor.api_key_id is not None:
            self._take("key", self._rates.key, str(actor.api_key_id))
        elif actor.user_id is not None:
            self._take("user", self._rates.user, str(actor.user_id))
        self._take("organization", self._rates.organization, str(actor.organization_id))

    def _take(self, what: str, rate: int, whose: str) -> None:
        if not rate:
            return
        item = RateLimitItemPerMinute(rate)
        if not self._limiter.hit(item, what, whose):
            wait = self._limiter.get_window_stats(item, what, whose).reset_time - time.time()
            raise TooMany(
                f"More than {rate} requests a minute by this {what}; slow down.", retry_after=max(1, int(wait) + 1)
            )


class AddressLimit:
    """Outside of everything that costs."""

    def __init__(self, app: ASGIApp, limiter: RequestLimiter) -> None:
        self._app, self._limiter = app, limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_http(scope) and not scope["path"].startswith(_UNLIMITED):
            try:
                self._limiter.take_address(scope["state"]["ip_address"])
            except TooMany as error:
                await answer(problem_of(error), scope["state"]["trace_id"], send)
                return
        await self._app(scope, receive, send)
