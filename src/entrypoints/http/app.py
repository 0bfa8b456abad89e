"""The Litestar application around the controllers: errors, bodies, documentation, health."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from dishka.integrations.litestar import DishkaRouter
from litestar import Litestar, Request, Response
from litestar.config.cors import CORSConfig
from litestar.middleware import AbstractMiddleware
from litestar.types import ASGIApp, ControllerRouterHandler, LifespanHook

from src.application.ports.security import Vault
from src.domain.shared.once import Replayed
from src.entrypoints.http.approvals.page import ApprovalPageController
from src.entrypoints.http.bodies import LARGEST_BODY, BodyGuard
from src.entrypoints.http.docs_page import AccountPageController, DocsController, openapi_config
from src.entrypoints.http.expected import Expected
from src.entrypoints.http.heads import HeadGuard
from src.entrypoints.http.health import HealthController, ReadinessCheck
from src.entrypoints.http.idempotency import IdempotencyGuard, replayed
from src.entrypoints.http.metrics import Metrics, MetricsController
from src.entrypoints.http.problems import problem_of
from src.entrypoints.http.queries import QueryGuard, refuse_unknown_parameters
from src.entrypoints.http.request_limits import AddressLimit, RequestLimiter, RequestRates
from src.entrypoints.http.requests import Exchange, report, trace_id_of
from src.entrypoints.http.routes import RouteGuard
from src.entrypoints.telemetry import traced

# What scripts of other origins need beside the body: the first for If-Match.
_SHOWN_TO_OTHER_ORIGINS: Final = (
    "ETag",
    "Location",
    "Content-Disposition",
    "Retry-After",
    "Idempotency-Replayed",
    "X-Trace-Id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """*trusted_proxies*: how many hops in front of us write ``X-Forwarded-For``. *largest_body* is in bytes."""

    trusted_proxies: int = 0
    require_idempotency_keys: bool = False
    cors_origins: tuple[str, ...] = ()
    largest_body: int = LARGEST_BODY
    rates: RequestRates = field(default_factory=RequestRates)
    metrics_token: str = ""
    traces_endpoint: str = ""


def create_app(
    *,
    route_handlers: Sequence[ControllerRouterHandler],
    settings: HttpSettings,
    vault: Vault,
    limiter: RequestLimiter | None = None,
    checks: Sequence[ReadinessCheck] = (),
    on_shutdown: Sequence[LifespanHook] = (),
) -> Litestar:
    """The application; ``setup_dishka`` gives it its container."""
    cors = CORSConfig(allow_origins=list(settings.cors_origins), expose_headers=list(_SHOWN_TO_OTHER_ORIGINS))
    app = Litestar(
        route_handlers=[
            DishkaRouter("", route_handlers=list(route_handlers), before_request=refuse_unknown_parameters),
            HealthController,
            MetricsController,
            DocsController,
            AccountPageController,
            ApprovalPageController,
        ],
        exception_handlers={Exception: _answer_error, Replayed: partial(_answer_again, vault)},
        openapi_config=openapi_config(),
        cors_config=cors if settings.cors_origins else None,
        on_shutdown=list(on_shutdown),
        request_max_body_size=settings.largest_body,
        logging_config=None,
        debug=False,
    )
    app.state.readiness_checks = tuple(checks)
    app.state.metrics, app.state.metrics_token = Metrics(), settings.metrics_token
    handler = app.asgi_handler
    if isinstance(handler, AbstractMiddleware):  # Of cross-origin requests: whoever may ask may read refusals, too.
        handler.app = _guarded(handler.app, app, settings, vault, limiter)
    else:
        handler = _guarded(handler, app, settings, vault, limiter)
    exchange = Exchange(handler, trusted_proxies=settings.trusted_proxies, metrics=app.state.metrics)
    app.asgi_handler = traced(exchange, endpoint=settings.traces_endpoint) if settings.traces_endpoint else exchange
    return app


def _guarded(
    inner: ASGIApp, app: Litestar, settings: HttpSettings, vault: Vault, limiter: RequestLimiter | None
) -> ASGIApp:
    """Outside of Litestar's own layers, because middleware of a route does not see unknown addresses."""
    once = IdempotencyGuard(inner, vault, required=settings.require_idempotency_keys)
    guarded = QueryGuard(BodyGuard(once, largest=settings.largest_body))
    return HeadGuard(AddressLimit(RouteGuard(guarded, app), limiter or RequestLimiter(settings.rates)))


def _answer_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    problem, trace_id = problem_of(error, Expected(request.scope.get("route_handler"))), trace_id_of(request)
    report(problem, error, trace_id)
    return Response(
        problem.body(trace_id), status_code=problem.status, media_type="application/json", headers=dict(problem.headers)
    )


def _answer_again(vault: Vault, _: Request[Any, Any, Any], error: Replayed) -> Response[bytes]:
    status, headers, body = replayed(error, vault)
    media_type = headers.pop("content-type", "application/json")
    return Response(body, status_code=status, media_type=media_type, headers=headers)
