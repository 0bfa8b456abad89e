"""Logging in over HTTP."""

from typing import Annotated

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import Body
from litestar.status_codes import HTTP_200_OK

from src.application.identity.get_organization import GetOrganization
from src.application.identity.log_in import LogIn
from src.domain.identity.actor import Actor, Origin
from src.entrypoints.http.session.schemas import LoggedInResponse, LogInRequest, MeResponse


class SessionController(Controller):
    path = "/api/v1"
    tags = ("session",)

    @post("/login", status_code=HTTP_200_OK)
    async def log_in(
        self, data: Annotated[LogInRequest, Body()], origin: FromDishka[Origin], log_in: FromDishka[LogIn]
    ) -> LoggedInResponse:
        """Log in with e-mail and password; answers an access token that lives 15 minutes."""
        return LoggedInResponse.of(await log_in(origin, data.command()))

    @get("/me")
    async def me(self, actor: FromDishka[Actor], get_organization: FromDishka[GetOrganization]) -> MeResponse:
        """Who is asking, for which organisation, and what they may do."""
        return MeResponse.of(actor, await get_organization(actor))
