"""Logging in over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.identity.log_in import LoggedIn, LogInCommand
from src.domain.identity.actor import Actor
from src.domain.identity.organization import Organization


class LogInRequest(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=254, examples=["sales@nordlicht.example"])]
    password: Annotated[str, Meta(max_length=1024, examples=["demo-password"])]
    organization: Annotated[
        str | None, Meta(description="A slug, needed only where these credentials open several organisations.")
    ] = None

    def command(self) -> LogInCommand:
        return LogInCommand(self.email, self.password, self.organization)


class LoggedInResponse(Struct, frozen=True):
    """Send *access_token* as ``Authorization: Bearer …`` until *expires_at* (UTC)."""

    access_token: str
    token_type: str
    expires_at: datetime
    user_id: UUID
    name: str
    role: str
    organization: str

    @classmethod
    def of(cls, logged_in: LoggedIn) -> Self:
        account = logged_in.account
        return cls(
            access_token=logged_in.access_token,
            token_type="Bearer",  # noqa: S106 — the scheme's name.
            expires_at=logged_in.expires_at,
            user_id=account.user_id,
            name=account.name,
            role=account.role.value,
            organization=account.organization_slug,
        )


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
        )
