"""People and API keys over HTTP."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.identity.api_keys import CreateApiKeyCommand, CreatedApiKey
from src.application.identity.users import ChangeUserCommand, InviteUserCommand
from src.domain.identity.actor import Permission, Role
from src.domain.identity.api_key import ApiKey
from src.domain.identity.user import User
from src.domain.shared.ids import UserId
from src.entrypoints.schemas.instants import Instant, in_utc

Name = Annotated[str, Meta(min_length=1, max_length=200, examples=["Jonas Weber"])]


class InviteUserRequest(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=254, examples=["jonas.weber@nordlicht.example"])]
    name: Name
    role: Role

    def command(self) -> InviteUserCommand:
        return InviteUserCommand(email=self.email, name=self.name, role=self.role)


class ChangeUserRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name | UnsetType = UNSET
    role: Annotated[Role | UnsetType, Meta(description="Another role ends the user's sessions.")] = UNSET

    def command(self, user_id: UUID, expected_version: int | None) -> ChangeUserCommand:
        return ChangeUserCommand(
            user_id=UserId(user_id),
            name=None if isinstance(self.name, UnsetType) else self.name,
            role=None if isinstance(self.role, UnsetType) else self.role,
            expected_version=expected_version,
        )


class UserResponse(Struct, frozen=True):
    id: UUID
    email: str
    name: str
    role: str
    status: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            role=user.role.value,
            status=user.status.value,
            created_at=user.created_at,
            version=user.version,
        )


class CreateApiKeyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Shop connector"])]
    scopes: Annotated[
        list[Permission],
        Meta(min_length=1, max_length=100, description="Permissions, each of which you must have yourself."),
    ]
    networks: Annotated[
        list[str],
        Meta(max_length=50, examples=[["203.0.113.0/24"]], description="Where it may come from; none: anywhere."),
    ] = []
    expires_at: Instant | None = None

    def command(self) -> CreateApiKeyCommand:
        return CreateApiKeyCommand(
            name=self.name, scopes=tuple(self.scopes), networks=tuple(self.networks), expires_at=in_utc(self.expires_at)
        )


class ApiKeyResponse(Struct, frozen=True):
    """*last_used_at* is true to a minute."""

    id: UUID
    name: str
    prefix: str
    scopes: list[str]
    networks: list[str]
    user_id: UUID
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, api_key: ApiKey) -> Self:
        return cls(
            id=api_key.id,
            name=api_key.name,
            prefix=api_key.prefix,
            scopes=[scope.value for scope in api_key.scopes],
            networks=list(api_key.networks),
            user_id=api_key.user_id,
            created_at=api_key.created_at,
            expires_at=api_key.expires_at,
            revoked_at=api_key.revoked_at,
            last_used_at=api_key.last_used_at,
        )


class CreatedApiKeyResponse(Struct, frozen=True):
    """*secret* is shown this once: keep it, and send it as ``Authorization: Bearer …``."""

    api_key: ApiKeyResponse
    secret: str

    @classmethod
    def of(cls, created: CreatedApiKey) -> Self:
        return cls(api_key=ApiKeyResponse.of(created.api_key), secret=created.secret)
