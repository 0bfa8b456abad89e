"""Logging in, sessions and one's own account over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.identity.log_in import (
    CodeNeeded,
    LogInCommand,
    RequestLoginCodeCommand,
    VerifyLoginCommand,
)
from src.application.identity.passwords import (
    ChangePasswordCommand,
    RequestPasswordResetCommand,
    ResetPasswordCommand,
)
from src.application.identity.second_factor import SecondFactorSecret
from src.application.identity.sessions import LoggedIn
from src.application.identity.users import AcceptInvitationCommand
from src.domain.identity.actor import Actor
from src.domain.identity.organization import Organization
from src.domain.identity.session import Session

Email = Annotated[str, Meta(max_length=254, examples=["sales@nordlicht.example"])]
Password = Annotated[str, Meta(max_length=1024, examples=["demo-password"])]
Code = Annotated[str, Meta(max_length=40, examples=["123456"])]
Token = Annotated[str, Meta(max_length=4096)]


class LogInRequest(Struct, frozen=True, forbid_unknown_fields=True):
    email: Email
    password: Annotated[Password | UnsetType, Meta(description="Without it, a code is mailed.")] = UNSET
    organization: Annotated[
        str | None, Meta(description="A slug, needed only where these credentials open several organisations.")
    ] = None

    def command(self) -> LogInCommand | RequestLoginCodeCommand:
        if isinstance(self.password, UnsetType):
            return RequestLoginCodeCommand(self.email, self.organization)
        return LogInCommand(self.email, self.password, self.organization)


class VerifyLoginRequest(Struct, frozen=True, forbid_unknown_fields=True):
    attempt: Annotated[str, Meta(max_length=200, description="What the login answered.")]
    code: Annotated[
        str, Meta(max_length=40, examples=["123456"], description="The mail's, the app's, or a recovery code.")
    ]

    def command(self) -> VerifyLoginCommand:
        return VerifyLoginCommand(self.attempt, self.code)


class RefreshRequest(Struct, frozen=True, forbid_unknown_fields=True):
    refresh_token: Token


class LogOutRequest(Struct, frozen=True, forbid_unknown_fields=True):
    everywhere: Annotated[bool, Meta(description="End all of your sessions, not only this one.")] = False


class LoggedInResponse(Struct, frozen=True, tag="logged_in", tag_field="outcome"):
    """Send *access_token* as ``Authorization: Bearer …`` until *expires_at* (UTC); then take new tokens for *refresh_token*.

    *restricted*: set up a second factor first; your organisation wants one.
    """

    access_token: str
    refresh_token: str
    token_type: str
    expires_at: datetime
    refresh_expires_at: datetime
    restricted: bool
    user_id: UUID
    name: str
    role: str
    organization: str

    @classmethod
    def of(cls, logged_in: LoggedIn) -> Self:
        return cls(
            access_token=logged_in.access_token,
            refresh_token=logged_in.refresh_token,
            token_type="Bearer",  # noqa: S106 — the scheme's name.
            expires_at=logged_in.expires_at,
            refresh_expires_at=logged_in.refresh_expires_at,
            restricted=logged_in.restricted,
            user_id=logged_in.user.id,
            name=logged_in.user.name,
            role=logged_in.user.role.value,
            organization=logged_in.organization.slug,
        )


class CodeNeededResponse(Struct, frozen=True, tag="code_needed", tag_field="outcome"):
    """Answer *attempt* at ``/login/verify`` until *expires_at* (UTC). *second_factor*: with the authenticator app's code."""

    attempt: str
    second_factor: bool
    expires_at: datetime

    @classmethod
    def of(cls, needed: CodeNeeded) -> Self:
        return cls(attempt=needed.attempt, second_factor=needed.second_factor, expires_at=needed.expires_at)


def login_response(outcome: LoggedIn | CodeNeeded) -> LoggedInResponse | CodeNeededResponse:
    return LoggedInResponse.of(outcome) if isinstance(outcome, LoggedIn) else CodeNeededResponse.of(outcome)


class ProviderLoginRequest(Struct, frozen=True, forbid_unknown_fields=True):
    organization: Annotated[str, Meta(max_length=63, description="A slug.", examples=["nordlicht"])]


class ProviderLoginResponse(Struct, frozen=True):
    """Go to *authorization_url* with the browser that got this answer, before *expires_at* (UTC)."""

    authorization_url: str
    expires_at: datetime


class SessionResponse(Struct, frozen=True):
    """*current*: the session that asks."""

    id: UUID
    method: str
    second_factor: bool
    ip_address: str
    user_agent: str
    created_at: datetime
    last_refreshed_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: Session, actor: Actor) -> Self:
        return cls(
            id=session.id,
            method=session.method.value,
            second_factor=session.second_factor,
            ip_address=session.ip_address,
            user_agent=session.user_agent,
            created_at=session.created_at,
            last_refreshed_at=session.rotated_at,
            expires_at=session.expires_at,
            current=session.id == actor.session_id,
        )


class ChangePasswordRequest(Struct, frozen=True, forbid_unknown_fields=True):
    current_password: Password
    new_password: Annotated[str, Meta(min_length=8, max_length=1024)]

    def command(self) -> ChangePasswordCommand:
        return ChangePasswordCommand(self.current_password, self.new_password)


class RequestPasswordResetRequest(Struct, frozen=True, forbid_unknown_fields=True):
    email: Email

    def command(self) -> RequestPasswordResetCommand:
        return RequestPasswordResetCommand(self.email)


class ResetPasswordRequest(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=200, description="The end of the mailed link.")]
    password: Password

    def command(self) -> ResetPasswordCommand:
        return ResetPasswordCommand(self.token, self.password)


class AcceptInvitationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=200, description="The end of the mailed link.")]
    password: Password
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None

    def command(self) -> AcceptInvitationCommand:
        return AcceptInvitationCommand(token=self.token, password=self.password, name=self.name)


class SecondFactorResponse(Struct, frozen=True):
    """Show *otpauth_url* as QR code, or *secret* to be typed in; then confirm with the app's first code."""

    secret: str
    otpauth_url: str

    @classmethod
    def of(cls, made: SecondFactorSecret) -> Self:
        return cls(secret=made.secret, otpauth_url=made.address)


class CodeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    code: Code


class RecoveryCodesResponse(Struct, frozen=True):
    """Each opens the account once, when the app is lost. They are shown this once."""

    recovery_codes: list[str]


class MeResponse(Struct, frozen=True):
    user_id: UUID | None
    name: str
    role: str | None
    organization_id: UUID
    organization: str
    organization_name: str
    default_currency: str
    time_zone: str
    permissions: list[str]
    restricted: bool

    @classmethod
    def of(cls, actor: Actor, organization: Organization) -> Self:
        return cls(
            user_id=actor.user_id,
            name=actor.name,
            role=None if actor.role is None else actor.role.value,
            organization_id=organization.id,
            organization=organization.slug,
            organization_name=organization.party.name,
            default_currency=organization.default_currency.code,
            time_zone=organization.time_zone,
            permissions=sorted(permission.value for permission in actor.permissions),
            restricted=actor.is_restricted,
        )
