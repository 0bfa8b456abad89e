"""Who is asking: from what a request carries to the actor, with one look into the database."""

from src.application.identity.api_keys import KIND, key_hash
from src.application.identity.sessions import session_ended
from src.application.ports.clock import Clock
from src.application.ports.identity import AccountDirectory
from src.application.ports.security import TokenIssuer, TokenRefused, Vault
from src.domain.identity.actor import Actor, Origin
from src.domain.identity.api_key import comes_from


class Authenticate:
    """Role, name and state are those of this instant, whatever the token says: what ended or changed bites at once."""

    def __init__(self, directory: AccountDirectory, tokens: TokenIssuer, vault: Vault, clock: Clock) -> None:
        self._directory, self._tokens, self._vault, self._clock = directory, tokens, vault, clock

    async def __call__(self, credential: str, origin: Origin) -> Actor:
        """*credential*: an access token or an API key. Raises TokenRefused, SessionEnded."""
        if credential.startswith(f"{KIND}_"):
            return await self._by_key(credential, origin)
        claims = self._tokens.read(credential, at=self._clock.now())
        session = await self._directory.session(claims.organization_id, claims.session_id)
        if session is None or session.user_id != claims.user_id:
            raise session_ended()
        return Actor.user(
            organization_id=claims.organization_id,
            user_id=session.user_id,
            role=session.role,
            name=session.name,
            origin=origin,
            session_id=claims.session_id,
            restricted=session.restricted,
        )

    async def _by_key(self, secret: str, origin: Origin) -> Actor:
        known = await self._directory.api_key(key_hash(secret)) if self._vault.is_key(secret, KIND) else None
        if known is None or not comes_from(origin.ip_address, known.networks):
            raise TokenRefused("This API key is not valid, has ended, or may not come from here.")
        return Actor.api_key(
            organization_id=known.organization_id,
            api_key_id=known.id,
            name=known.name,
            scopes=known.scopes,
            user_id=known.user_id,
            role=known.role,
            origin=origin,
        )
