"""People in whose name something happens later: they may then what they may at that moment."""

from datetime import datetime

from src.application.ports.unit_of_work import UnitOfWork
from src.domain.identity.actor import Actor, Origin
from src.domain.shared.errors import Forbidden
from src.domain.shared.ids import ApiKeyId, UserId


class RequesterGone(Forbidden):
    """Whoever asked for it is locked out, or the key with which they did has ended."""

    code = "requester_gone"


async def actor_now(
    uow: UnitOfWork, user_id: UserId, api_key_id: ApiKeyId | None, origin: Origin, at: datetime
) -> Actor:
    """Them with the rights that they have now. Raises RequesterGone, UserNotFound, ApiKeyNotFound."""
    organization, user = await uow.organizations.current(), await uow.users.get(user_id)
    if not (organization.active and user.active):
        raise RequesterGone("Whoever asked for this is locked out.")
    if api_key_id is None:
        return Actor.user(
            organization_id=organization.id, user_id=user.id, role=user.role, name=user.name, origin=origin
        )
    key = await uow.api_keys.get(api_key_id)
    if key.user_id != user.id or not key.is_live(at):
        raise RequesterGone("The API key that asked for this has ended.")
    return Actor.api_key(
        organization_id=organization.id,
        api_key_id=key.id,
        name=key.name,
        scopes=frozenset(key.scopes),
        user_id=user.id,
        role=user.role,
        origin=origin,
    )
