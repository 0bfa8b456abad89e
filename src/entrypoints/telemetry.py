"""Traces for OpenTelemetry and errors for Sentry, where they are wanted and their packages are installed."""

import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

# Whoever has such an address has the file: what follows is a secret, however wrongly the rest is written.
_SECRET_PATH: Final = re.compile(r"(/downloads/+).+", re.IGNORECASE | re.DOTALL)
_REAL_SCOPE: Final = "proffer.scope"

_told: list[Callable[[BaseException], object]] = []


def without_secrets(path: str) -> str:
    """*path* as it may be logged and traced: without the token of a signed link."""
    return _SECRET_PATH.sub(r"\1{token}", path)


class TelemetryMissing(Exception):
    """It was asked for, and its package is not installed."""


def traced(app: "ASGIApp", *, endpoint: str) -> "ASGIApp":
    """*app*, each of whose requests is a span that is sent to *endpoint* (OTLP over HTTP). Raises TelemetryMissing."""
    middleware = _needed("opentelemetry.instrumentation.asgi", "otel").OpenTelemetryMiddleware
    sdk = _needed("opentelemetry.sdk.trace", "otel")
    export = _needed("opentelemetry.sdk.trace.export", "otel")
    otlp = _needed("opentelemetry.exporter.otlp.proto.http.trace_exporter", "otel")
    resources = _needed("opentelemetry.sdk.resources", "otel")
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": "proffer"}))
    provider.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter(endpoint=endpoint)))
    return telling_no_secrets(app, lambda inner: middleware(inner, tracer_provider=provider))


def telling_no_secrets(app: "ASGIApp", wrap: "Callable[[ASGIApp], ASGIApp]") -> "ASGIApp":
    """*app* within what *wrap* puts around it, which sees addresses without their secrets."""

    async def real(scope: "Scope", receive: "Receive", send: "Send") -> None:
        await app(cast("Scope", scope.get(_REAL_SCOPE, scope)), receive, send)

    wrapped = wrap(real)

    async def told(scope: "Scope", receive: "Receive", send: "Send") -> None:
        path = scope.get("path", "")
        shown = without_secrets(path)
        if shown == path:
            await wrapped(scope, receive, send)
        else:
            hidden = scope | {"path": shown, "raw_path": shown.encode(), _REAL_SCOPE: scope}
            await wrapped(cast("Scope", hidden), receive, send)

    return told


def report_errors(dsn: str) -> None:
    """Send what should not have happened to Sentry, without bodies, headers and personal data. Raises TelemetryMissing."""
    sentry = _needed("sentry_sdk", "sentry")
    sentry.init(
        dsn=dsn,
        # Nothing is watched: what is unexpected is told, once.
        default_integrations=False,
        auto_enabling_integrations=False,
        max_request_body_size="never",
        include_local_variables=False,  # Passwords pass through them.
        before_send=_without_request,
    )
    _told.append(sentry.capture_exception)


def tell_unexpected(error: BaseException) -> None:
    """To whoever wants to know of errors, if anybody does."""
    for tell in _told:
        tell(error)


def _without_request(event: dict[str, Any], _: object) -> dict[str, Any]:
    event.pop("request", None)
    event.pop("user", None)
    return event


def _needed(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        message = f"{module.partition('.')[0]} is not installed: pip install 'proffer[{extra}]'."
        raise TelemetryMissing(message) from None
