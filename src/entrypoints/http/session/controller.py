"""Logging in, sessions and one's own account over HTTP."""

from typing import Annotated, Any
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import Body, FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from src.application.identity.get_organization import DescribeActor
from src.application.identity.log_in import CodeNeeded, LogIn, LogInCommand, RequestLoginCode, VerifyLogin
from src.application.identity.passwords import ChangePassword, RequestPasswordReset, ResetPassword
from src.application.identity.provider_login import BeginProviderLogin, FinishProviderLogin, ProviderAnswer
from src.application.identity.second_factor import BeginSecondFactor, ConfirmSecondFactor, RemoveSecondFactor
from src.application.identity.sessions import EndSession, ListSessions, LoggedIn, LogOut, RefreshSession
from src.application.identity.users import AcceptInvitation
from src.domain.identity.actor import Actor, Origin, Permission
from src.domain.shared.ids import SessionId
from src.entrypoints.http.paging import PageResponse
from src.entrypoints.http.session.schemas import (
    AcceptInvitationRequest,
    ChangePasswordRequest,
    CodeNeededResponse,
    CodeRequest,
    LoggedInResponse,
    LogInRequest,
    LogOutRequest,
    MeResponse,
    ProviderLoginRequest,
    ProviderLoginResponse,
    RecoveryCodesResponse,
    RefreshRequest,
    RequestPasswordResetRequest,
    ResetPasswordRequest,
    SecondFactorResponse,
    SessionResponse,
    VerifyLoginRequest,
    login_response,
)
from src.entrypoints.settings import Settings


class LoginController(Controller):
    """Open to everybody, and throttled."""

    path = "/api/v1"
    tags = ("session",)

    @post("/login", status_code=HTTP_200_OK, open_to_all=True)
    async def log_in(
        self,
        data: Annotated[LogInRequest, Body()],
        origin: FromDishka[Origin],
        log_in: FromDishka[LogIn],
        request_code: FromDishka[RequestLoginCode],
    ) -> Response[LoggedInResponse | CodeNeededResponse]:
        """Log in with e-mail and password; without a password, a code is mailed.

        Answers tokens (an access token lives 15 minutes), or, with status 202, the attempt that a code must complete:
        the mailed one, or that of the second factor.
        """
        command = data.command()
        if isinstance(command, LogInCommand):
            return _login(await log_in(origin, command))
        return _login(await request_code(origin, command))

    @post("/login/verify", status_code=HTTP_200_OK, open_to_all=True)
    async def verify_login(
        self,
        data: Annotated[VerifyLoginRequest, Body()],
        origin: FromDishka[Origin],
        verify_login: FromDishka[VerifyLogin],
    ) -> Response[LoggedInResponse | CodeNeededResponse]:
        """Complete a login with the mailed code, the authenticator app's, or a recovery code."""
        return _login(await verify_login(origin, data.command()))

    @post("/session/refresh", status_code=HTTP_200_OK, open_to_all=True)
    async def refresh_session(
        self,
        data: Annotated[RefreshRequest, Body()],
        origin: FromDishka[Origin],
        refresh_session: FromDishka[RefreshSession],
    ) -> LoggedInResponse:
        """New tokens for a refresh token, which counts once; used again, it ends the session."""
        return LoggedInResponse.of(await refresh_session(origin, data.refresh_token))

    @post("/password-resets", status_code=HTTP_202_ACCEPTED, open_to_all=True)
    async def request_password_reset(
        self,
        data: Annotated[RequestPasswordResetRequest, Body()],
        origin: FromDishka[Origin],
        request_reset: FromDishka[RequestPasswordReset],
    ) -> None:
        """Mail a link for a new password to this address, if anybody has it; the answer does not tell."""
        await request_reset(origin, data.command())

    @post("/password-resets/complete", status_code=HTTP_204_NO_CONTENT, open_to_all=True)
    async def reset_password(
        self,
        data: Annotated[ResetPasswordRequest, Body()],
        origin: FromDishka[Origin],
        reset_password: FromDishka[ResetPassword],
    ) -> None:
        """Choose a new password by the mailed link; all sessions end."""
        await reset_password(origin, data.command())

    @post("/invitations/accept", status_code=HTTP_204_NO_CONTENT, open_to_all=True)
    async def accept_invitation(
        self,
        data: Annotated[AcceptInvitationRequest, Body()],
        origin: FromDishka[Origin],
        accept_invitation: FromDishka[AcceptInvitation],
    ) -> None:
        """Accept an invitation by its mailed link: choose a password, then log in."""
        await accept_invitation(origin, data.command())


class ProviderLoginController(Controller):
    """Logging in at the organisation's own identity provider (OpenID Connect)."""

    path = "/api/v1/login/provider"
    tags = ("session",)

    @post(status_code=HTTP_200_OK, open_to_all=True)
    async def begin(
        self,
        data: Annotated[ProviderLoginRequest, Body()],
        origin: FromDishka[Origin],
        begin_login: FromDishka[BeginProviderLogin],
        settings: FromDishka[Settings],
    ) -> Response[ProviderLoginResponse]:
        """Where to go to log in; the cookie binds the answer to this browser."""
        begun = await begin_login(origin, data.organization, _callback(settings))
        cookie = Cookie(
            key=_cookie_name(settings),
            value=begun.browser_secret,
            path="/",
            httponly=True,
            secure=settings.public_url.startswith("https://"),
            samesite="lax",
            max_age=600,
        )
        body = ProviderLoginResponse(authorization_url=begun.authorization_url, expires_at=begun.expires_at)
        return Response(body, cookies=[cookie])

    @get("/callback", open_to_all=True)
    async def finish(
        self,
        request: Request[Any, Any, Any],
        origin: FromDishka[Origin],
        finish_login: FromDishka[FinishProviderLogin],
        settings: FromDishka[Settings],
        login_state: Annotated[str, QueryParameter(name="state", max_length=200)] = "",
        code: Annotated[str, QueryParameter(name="code", max_length=4096)] = "",
        issuer: Annotated[str | None, QueryParameter(name="iss", max_length=500)] = None,
    ) -> Response[LoggedInResponse]:
        """Where the provider sends the browser back to; answers tokens."""
        answer = ProviderAnswer(
            state=login_state,
            code=code,
            issuer=issuer,
            browser_secret=request.cookies.get(_cookie_name(settings), ""),
        )
        logged_in = LoggedInResponse.of(await finish_login(origin, answer, _callback(settings)))
        gone = Cookie(key=_cookie_name(settings), value="", path="/", max_age=0)
        return Response(logged_in, cookies=[gone])


def _callback(settings: Settings) -> str:
    return f"{settings.public_url}/api/v1/login/provider/callback"


def _cookie_name(settings: Settings) -> str:
    """With the prefix that keeps other hosts from setting it, which browsers take over https only."""
    return "__Host-proffer-login" if settings.public_url.startswith("https://") else "proffer-login"


class SessionController(Controller):
    path = "/api/v1"
    tags = ("session",)

    @get("/me", permission=Permission.OWN_ACCOUNT)
    async def me(self, actor: FromDishka[Actor], describe: FromDishka[DescribeActor]) -> MeResponse:
        """Who is asking, for which organisation, and what they may do."""
        return MeResponse.of(actor, await describe(actor))

    @post("/logout", status_code=HTTP_204_NO_CONTENT, permission=Permission.OWN_ACCOUNT)
    async def log_out(
        self,
        actor: FromDishka[Actor],
        log_out: FromDishka[LogOut],
        data: Annotated[LogOutRequest, Body()],
    ) -> None:
        """End this session, or all of yours; their tokens are worth nothing at once."""
        await log_out(actor, everywhere=data.everywhere)

    @get("/me/sessions", permission=Permission.OWN_ACCOUNT)
    async def list_sessions(
        self, actor: FromDishka[Actor], list_sessions: FromDishka[ListSessions]
    ) -> PageResponse[SessionResponse]:
        """Your sessions that have not ended, the newest first."""
        return PageResponse.whole([SessionResponse.of(one, actor) for one in await list_sessions(actor)])

    @delete("/me/sessions/{session_id:uuid}", permission=Permission.OWN_ACCOUNT)
    async def end_session(
        self, session_id: FromPath[UUID], actor: FromDishka[Actor], end_session: FromDishka[EndSession]
    ) -> None:
        """End one of your sessions."""
        await end_session(actor, SessionId(session_id))

    @post("/me/password", status_code=HTTP_204_NO_CONTENT, permission=Permission.OWN_ACCOUNT)
    async def change_password(
        self,
        data: Annotated[ChangePasswordRequest, Body()],
        actor: FromDishka[Actor],
        change_password: FromDishka[ChangePassword],
    ) -> None:
        """Change your password; your other sessions end."""
        await change_password(actor, data.command())

    @post("/me/second-factor", permission=Permission.OWN_ACCOUNT)
    async def begin_second_factor(
        self, actor: FromDishka[Actor], begin: FromDishka[BeginSecondFactor]
    ) -> SecondFactorResponse:
        """Begin a second factor: the secret for your authenticator app."""
        return SecondFactorResponse.of(await begin(actor))

    @post("/me/second-factor/confirm", status_code=HTTP_200_OK, permission=Permission.OWN_ACCOUNT)
    async def confirm_second_factor(
        self,
        data: Annotated[CodeRequest, Body()],
        actor: FromDishka[Actor],
        confirm: FromDishka[ConfirmSecondFactor],
    ) -> RecoveryCodesResponse:
        """Confirm a second factor with the app's first code; answers your recovery codes."""
        return RecoveryCodesResponse(recovery_codes=list(await confirm(actor, data.code)))

    @post("/me/second-factor/remove", status_code=HTTP_204_NO_CONTENT, permission=Permission.OWN_ACCOUNT)
    async def remove_second_factor(
        self,
        data: Annotated[CodeRequest, Body()],
        actor: FromDishka[Actor],
        remove: FromDishka[RemoveSecondFactor],
    ) -> None:
        """Give up your second factor, with a last code of it."""
        await remove(actor, data.code)


def _login(outcome: LoggedIn | CodeNeeded) -> Response[LoggedInResponse | CodeNeededResponse]:
    body = login_response(outcome)
    status = HTTP_200_OK if isinstance(body, LoggedInResponse) else HTTP_202_ACCEPTED
    return Response(body, status_code=status)
