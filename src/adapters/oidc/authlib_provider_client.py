"""OpenID Connect by Authlib (the OAuth client) and joserfc (the tokens)."""

import asyncio
import hmac
import secrets as randomness
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import httpx2
import msgspec
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from src.adapters.oidc.guarded_transport import PATIENCE, GuardedTransport, Network
from src.application.ports.oidc import (
    LoginSecrets,
    ProviderClient,
    ProviderIdentity,
    ProviderSettings,
    ProviderUnreachable,
)
from src.domain.identity.provider import provider_login_failed

# Asymmetric only: with a shared secret, whoever knows it could make tokens (RFC 8725 §3.1).
ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
_LEEWAY: Final = 30  # Seconds by which the provider's clock may differ.
_SCOPE: Final = "openid email profile"


class AuthlibProviderClient(ProviderClient):
    """Discovery, keys and tokens are asked for anew at each login: few bytes, and no stale key. *now* tells the time."""

    def __init__(self, allowed: Network = (), now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._allowed, self._now = allowed, now

    def new_secret(self) -> str:
        return randomness.token_urlsafe(48)

    async def authorization_url(self, settings: ProviderSettings, secrets: LoginSecrets) -> str:
        async with self._client(settings) as client, _patience(settings.issuer):
            known = await self._discovered(client, settings.issuer)
            url, _ = client.create_authorization_url(
                _address(known, "authorization_endpoint"),
                state=secrets.state,
                nonce=secrets.nonce,
                code_verifier=secrets.verifier,
            )
        return str(url)

    async def identity(
        self, settings: ProviderSettings, secrets: LoginSecrets, *, code: str, answered_issuer: str | None
    ) -> ProviderIdentity:
        async with self._client(settings) as client, _patience(settings.issuer):
            known = await self._discovered(client, settings.issuer)
            _check_answer(known, settings.issuer, answered_issuer)
            try:
                token = await client.fetch_token(
                    _address(known, "token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=secrets.verifier,
                )
            except OAuthError:
                raise provider_login_failed() from None
            keys = await _json(client, _address(known, "jwks_uri"))
        claims = self._claims(token, keys, settings, secrets)
        email = claims.get("email")
        return ProviderIdentity(
            subject=claims["sub"],
            email=email.strip().lower() if isinstance(email, str) else "",
            email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name") or claims.get("preferred_username") or email or claims["sub"])[:200],
        )

    def _client(self, settings: ProviderSettings) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            redirect_uri=settings.redirect_uri,
            scope=_SCOPE,
            code_challenge_method="S256",
            transport=GuardedTransport(self._allowed),
            trust_env=False,
            follow_redirects=False,
            timeout=PATIENCE,
        )

    async def _discovered(self, client: AsyncOAuth2Client, issuer: str) -> Mapping[str, Any]:
        """Raises ProviderUnreachable when the document is another's (OpenID Connect Discovery §4.3)."""
        known = await _json(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if known.get("issuer") != issuer:
            raise ProviderUnreachable("The provider calls itself by another name; the issuer must match to the letter.")
        return known

    def _claims(
        self, token: Mapping[str, Any], keys: Mapping[str, Any], settings: ProviderSettings, secrets: LoginSecrets
    ) -> Mapping[str, Any]:
        """What the id token says, once it is proven (OpenID Connect Core §3.1.3.7). Raises ProviderLoginFailed."""
        try:
            decoded = jwt.decode(str(token["id_token"]), KeySet.import_key_set(dict(keys)), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]  # A key set, checked here.
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            raise provider_login_failed() from None
        claims, now = decoded.claims, self._now().timestamp()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        good = (
            claims.get("iss") == settings.issuer,
            settings.client_id in audiences,
            len(audiences) == 1 or claims.get("azp") == settings.client_id,
            claims.get("azp", settings.client_id) == settings.client_id,
            _is_instant(claims.get("exp")) and now <= claims["exp"] + _LEEWAY,
            _is_instant(claims.get("iat")) and claims["iat"] <= now + _LEEWAY,
            isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= 255,
            hmac.compare_digest(str(claims.get("nonce", "")).encode(), secrets.nonce.encode()),
        )
        if not all(good):
            raise provider_login_failed()
        return claims


def _check_answer(known: Mapping[str, Any], issuer: str, answered: str | None) -> None:
    """Whose answer it is (RFC 9207), so that one provider's code is not taken to another. Raises ProviderLoginFailed."""
    promised = known.get("authorization_response_iss_parameter_supported") is True
    if (answered is None and promised) or (answered is not None and answered != issuer):
        raise provider_login_failed()


def _is_instant(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _address(known: Mapping[str, Any], name: str) -> str:
    address = known.get(name)
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        raise ProviderUnreachable(f"The provider names no {name}.")
    return address


async def _json(client: AsyncOAuth2Client, address: str) -> Mapping[str, Any]:
    answer = await client.request("GET", address, withhold_token=True)
    if answer.status_code != 200:
        raise ProviderUnreachable(f"The provider answers with {answer.status_code}, and not with a document.")
    try:
        told = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise ProviderUnreachable("The provider answers with what is no JSON object.")
    return told


@asynccontextmanager
async def _patience(issuer: str) -> AsyncIterator[None]:
    """A deadline for a whole conversation; whatever breaks it off is told in one way."""
    try:
        async with asyncio.timeout(2 * PATIENCE):
            yield
    except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        message = f"The provider at {issuer[:200]} cannot be reached: {type(error).__name__}."
        raise ProviderUnreachable(message) from None
