"""Who is asking: from the bearer token to the actor."""

from dishka import Provider, Scope, provide
from litestar import Request

from src.application.ports.clock import Clock
from src.application.ports.security import TokenIssuer
from src.domain.identity.actor import Actor, Origin
from src.domain.shared.errors import Unauthenticated
from src.entrypoints.http.requests import origin_of

_SCHEME = "bearer "


class HttpActors(Provider):
    """The actor of a request. Handlers that ask for one are closed to everybody without a valid token."""

    scope = Scope.REQUEST

    @provide
    def origin(self, request: Request) -> Origin:  # type: ignore[type-arg]  # dishka knows the bare class only.
        return origin_of(request)

    @provide
    def actor(self, request: Request, tokens: TokenIssuer, clock: Clock, origin: Origin) -> Actor:  # type: ignore[type-arg]  # As above.
        header = request.headers.get("authorization", "")
        if not header.lower().startswith(_SCHEME):
            raise Unauthenticated("Log in first, and send the access token: «Authorization: Bearer …».")
        claims = tokens.read(header[len(_SCHEME) :].strip(), at=clock.now())
        request.state.organization_id = str(claims.organization_id)
        request.state.user_id = str(claims.user_id)
        return Actor.user(
            organization_id=claims.organization_id,
            user_id=claims.user_id,
            role=claims.role,
            name=claims.name,
            origin=origin,
            session_id=claims.session_id,
        )
