"""Whether the process is alive, and whether it can do its work."""

import asyncio
from abc import abstractmethod
from typing import Any, Final, Protocol

import structlog
from litestar import Controller, Request, Response, get
from litestar.status_codes import HTTP_200_OK, HTTP_503_SERVICE_UNAVAILABLE
from msgspec import Struct

_PATIENCE: Final = 2.0  # Seconds for each check.
_logger = structlog.stdlib.get_logger("proffer.health")


class ReadinessCheck(Protocol):
    """Something without which requests cannot be served."""

    name: str

    @abstractmethod
    async def check(self) -> None:
        """Return when it works; raise anything when it does not."""


class HealthResponse(Struct, frozen=True):
    """*checks* maps what was looked at to ``ok`` or ``failed``."""

    status: str
    checks: dict[str, str]


class HealthController(Controller):
    path = "/health"
    tags = ("health",)

    @get("/live", open_to_all=True)
    async def live(self) -> HealthResponse:
        """The process answers."""
        return HealthResponse(status="ok", checks={})

    @get("/ready", open_to_all=True)
    async def ready(self, request: Request[Any, Any, Any]) -> Response[HealthResponse]:
        """Everything that requests need works; else 503 and what does not."""
        checks: tuple[ReadinessCheck, ...] = request.app.state.readiness_checks
        results = dict(await asyncio.gather(*(_run(check) for check in checks)))
        ready = all(result == "ok" for result in results.values())
        return Response(
            HealthResponse(status="ok" if ready else "failed", checks=results),
            status_code=HTTP_200_OK if ready else HTTP_503_SERVICE_UNAVAILABLE,
        )


async def _run(check: ReadinessCheck) -> tuple[str, str]:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check.check()
    except Exception as error:  # noqa: BLE001 — whatever it is, the answer is the same.
        _logger.warning("not_ready", check=check.name, error=type(error).__name__)
        return check.name, "failed"
    return check.name, "ok"
