"""Who is asking: from the bearer token to the actor."""

from typing import TYPE_CHECKING, Any, TypeAlias

from dishka import Provider, Scope, provide
from litestar import Request

from src.application.identity.authenticate import Authenticate
from src.application.identity.platform import AuthenticateOperator, Operator
from src.domain.identity.actor import Actor, MailGate, Origin
from src.domain.shared.errors import Unauthenticated
from src.entrypoints.http.exports.files import SmallExports
from src.entrypoints.http.request_limits import RequestLimiter, RequestRates
from src.entrypoints.http.requests import origin_of
from src.entrypoints.settings import Settings

if TYPE_CHECKING:
    HttpRequest: TypeAlias = Request[Any, Any, Any]
else:
    HttpRequest = Request  # dishka knows the bare class only.

_SCHEME = "bearer "
_LOGIN_NEEDED = "Log in first, and send the access token: «Authorization: Bearer …»."
_KEY_NEEDED = "Send an operator's key: «Authorization: Bearer …»."


class HttpActors(Provider):
    """The actor of a request, and what else only HTTP has. Handlers that ask for an actor are closed to everybody without
    a valid token.
    """

    scope = Scope.REQUEST
    small_exports = provide(SmallExports, scope=Scope.APP)

    @provide(scope=Scope.APP)
    def limiter(self, settings: Settings) -> RequestLimiter:
        return RequestLimiter(RequestRates(**settings.requests_per_minute))

    @provide
    def origin(self, request: HttpRequest) -> Origin:
        return origin_of(request)

    @provide
    async def actor(
        self,
        request: HttpRequest,
        authenticate: Authenticate,
        origin: Origin,
        limiter: RequestLimiter,
    ) -> Actor:
        actor = await authenticate(_credential(request), origin)
        limiter.take_actor(actor)
        request.scope["state"] |= {"organization_id": str(actor.organization_id), "user_id": str(actor.user_id)}
        return actor

    @provide
    async def operator(self, request: HttpRequest, authenticate: AuthenticateOperator, origin: Origin) -> Operator:
        return await authenticate(_credential(request, _KEY_NEEDED), origin)

    @provide
    async def mail_gate(self, request: HttpRequest, authenticate: AuthenticateOperator, origin: Origin) -> MailGate:
        return await authenticate.mail_gate(_credential(request, _KEY_NEEDED), origin)


def _credential(request: HttpRequest, needed: str = _LOGIN_NEEDED) -> str:
    header = request.headers.get("authorization", "")
    if not header.lower().startswith(_SCHEME):
        raise Unauthenticated(needed)
    return header[len(_SCHEME) :].strip()
