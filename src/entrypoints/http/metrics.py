"""``/metrics`` for Prometheus: how many requests, how long they took, and how many are under way."""

import hmac
from typing import Any, Final

from litestar import Controller, Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from src.domain.shared.errors import Unauthenticated

_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Of one application. Routes are told by their templates, so that ids make no new series."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self._requests = Counter("proffer_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "proffer_request_seconds",
            "Time from a request to its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.under_way = Gauge("proffer_requests_under_way", "Requests not yet answered.", registry=self.registry)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class MetricsController(Controller):
    path = "/metrics"
    include_in_schema = False

    @get(open_to_all=True)
    async def metrics(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The figures, to everybody, or to who has the token that was configured."""
        token: str = request.app.state.metrics_token
        told = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token and not hmac.compare_digest(told.encode(), token.encode()):
            raise Unauthenticated("The metrics need their token: «Authorization: Bearer …».")
        metrics: Metrics = request.app.state.metrics
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
