"""People and API keys over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, get, patch, post
from litestar.params import Body, FromPath
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from src.application.identity.api_keys import CreateApiKey, ListApiKeys, RevokeApiKey
from src.application.identity.second_factor import ResetSecondFactor
from src.application.identity.users import (
    ChangeUser,
    DeactivateUser,
    GetUser,
    InviteAgain,
    InviteUser,
    ListUsers,
    ReactivateUser,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ApiKeyId, UserId
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Skip, paging_of
from src.entrypoints.http.users.schemas import (
    ApiKeyResponse,
    ChangeUserRequest,
    CreateApiKeyRequest,
    CreatedApiKeyResponse,
    InviteUserRequest,
    UserResponse,
)
from src.entrypoints.http.versions import IfMatch, required_version, tagged


class UserController(Controller):
    path = "/api/v1/users"
    tags = ("users",)

    @get(permission=Permission.VIEW_ORGANIZATION)
    async def list_users(
        self, actor: FromDishka[Actor], list_users: FromDishka[ListUsers]
    ) -> PageResponse[UserResponse]:
        """Everybody of the organisation, by e-mail."""
        return PageResponse.whole([UserResponse.of(user) for user in await list_users(actor)])

    @post(permission=Permission.MANAGE_USERS)
    async def invite_user(
        self,
        data: Annotated[InviteUserRequest, Body()],
        actor: FromDishka[Actor],
        invite_user: FromDishka[InviteUser],
    ) -> UserResponse:
        """Invite somebody by e-mail; the link in it holds for seven days."""
        return UserResponse.of(await invite_user(actor, data.command()))

    @get("/{user_id:uuid}", permission=Permission.VIEW_ORGANIZATION)
    async def get_user(
        self, user_id: FromPath[UUID], actor: FromDishka[Actor], get_user: FromDishka[GetUser]
    ) -> Response[UserResponse]:
        """One user."""
        return tagged(UserResponse.of(await get_user(actor, UserId(user_id))))

    @patch("/{user_id:uuid}", permission=Permission.MANAGE_USERS)
    async def change_user(
        self,
        user_id: FromPath[UUID],
        data: Annotated[ChangeUserRequest, Body()],
        actor: FromDishka[Actor],
        change_user: FromDishka[ChangeUser],
        if_match: IfMatch = None,
    ) -> Response[UserResponse]:
        """Change somebody's name or role: nobody's own, and never to more than you have."""
        command = data.command(user_id, required_version(if_match))
        return tagged(UserResponse.of(await change_user(actor, command)))

    @post("/{user_id:uuid}/invite", status_code=HTTP_200_OK, permission=Permission.MANAGE_USERS)
    async def invite_again(
        self, user_id: FromPath[UUID], actor: FromDishka[Actor], invite_again: FromDishka[InviteAgain]
    ) -> UserResponse:
        """Mail a new invitation to who has not accepted yet."""
        return UserResponse.of(await invite_again(actor, UserId(user_id)))

    @post("/{user_id:uuid}/deactivate", status_code=HTTP_200_OK, permission=Permission.MANAGE_USERS)
    async def deactivate_user(
        self, user_id: FromPath[UUID], actor: FromDishka[Actor], deactivate: FromDishka[DeactivateUser]
    ) -> UserResponse:
        """Lock somebody out: sessions and API keys end at once. What they did stays theirs."""
        return UserResponse.of(await deactivate(actor, UserId(user_id)))

    @post("/{user_id:uuid}/reactivate", status_code=HTTP_200_OK, permission=Permission.MANAGE_USERS)
    async def reactivate_user(
        self, user_id: FromPath[UUID], actor: FromDishka[Actor], reactivate: FromDishka[ReactivateUser]
    ) -> UserResponse:
        """Let somebody in again."""
        return UserResponse.of(await reactivate(actor, UserId(user_id)))

    @post("/{user_id:uuid}/second-factor/reset", status_code=HTTP_204_NO_CONTENT, permission=Permission.MANAGE_USERS)
    async def reset_second_factor(
        self, user_id: FromPath[UUID], actor: FromDishka[Actor], reset: FromDishka[ResetSecondFactor]
    ) -> None:
        """Take away the second factor of somebody who has lost it; their sessions end."""
        await reset(actor, UserId(user_id))


class ApiKeyController(Controller):
    path = "/api/v1/api-keys"
    tags = ("api-keys",)

    @get(permission=Permission.MANAGE_API_KEYS)
    async def list_api_keys(
        self,
        actor: FromDishka[Actor],
        list_api_keys: FromDishka[ListApiKeys],
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ApiKeyResponse]:
        """API keys, newest first; never their secrets."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_api_keys(actor, paging), paging, ApiKeyResponse.of)

    @post(permission=Permission.MANAGE_API_KEYS)
    async def create_api_key(
        self,
        data: Annotated[CreateApiKeyRequest, Body()],
        actor: FromDishka[Actor],
        create_api_key: FromDishka[CreateApiKey],
    ) -> CreatedApiKeyResponse:
        """Make a key for a machine, which acts for you within its scopes. Its secret is shown this once."""
        return CreatedApiKeyResponse.of(await create_api_key(actor, data.command()))

    @post("/{api_key_id:uuid}/revoke", status_code=HTTP_200_OK, permission=Permission.MANAGE_API_KEYS)
    async def revoke_api_key(
        self, api_key_id: FromPath[UUID], actor: FromDishka[Actor], revoke: FromDishka[RevokeApiKey]
    ) -> ApiKeyResponse:
        """End a key at once."""
        return ApiKeyResponse.of(await revoke(actor, ApiKeyId(api_key_id)))
