"""What a command needs to act inside an organisation: the database, the container and an actor."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Annotated, Final, TypeVar

from cyclopts import Parameter, validators
from dishka import AsyncContainer
from sqlalchemy.exc import DBAPIError

from src.adapters.embedded_postgres import EmbeddedPostgresError
from src.application.ports.identity import AccountDirectory
from src.application.ports.paging import LARGEST_PAGE
from src.domain.identity.actor import Actor, Origin
from src.domain.identity.user import OrganizationRequired, UserNotFound, normal_email
from src.domain.shared.errors import Conflict, Invalid, invalid_field
from src.entrypoints.container import make_container
from src.entrypoints.database import Database
from src.entrypoints.settings import SettingsError, read_settings

UseCase = TypeVar("UseCase")

# Classes of SQLSTATE: connections, logins, unknown databases, too few resources, a server that stops or starts.
_REFUSED: Final = ("08", "28", "3D", "53", "57")
_ADVICE: Final = "Are PROFFER_DATABASE_URL and PROFFER_SECRET_KEY those that `proffer migrate` was run with?"

As = Annotated[str, Parameter(name="--as", env_var="PROFFER_USER", help="E-mail of the user to act as.")]
MaybeAs = Annotated[
    str | None,
    Parameter(
        name="--as", env_var="PROFFER_USER", help="E-mail of the user to act as; without, for all organisations."
    ),
]
Organization = Annotated[
    str | None,
    Parameter(
        name="--organization",
        env_var="PROFFER_ORGANIZATION",
        help="Slug of the organisation, where the e-mail belongs to several.",
    ),
]

Limit = Annotated[
    int,
    Parameter(help=f"At most so many, from 1 to {LARGEST_PAGE}.", validator=validators.Number(gte=1, lte=LARGEST_PAGE)),
]


class InstallationUnfit(Conflict):
    """A setting cannot be used, the embedded database does not start, or one does not let us in; the message says what to do."""

    code = "installation_unfit"


def cli_origin() -> Origin:
    """Where commands come from: this machine, each with a trace of its own."""
    return Origin(trace_id=token_hex(16), user_agent="proffer-cli")


@dataclass(frozen=True, slots=True)
class CliSession:
    actor: Actor
    container: AsyncContainer

    async def get(self, use_case: type[UseCase]) -> UseCase:
        return await self.container.get(use_case)


@asynccontextmanager
async def installation() -> AsyncIterator[AsyncContainer]:
    """The installation as whoever runs it sees it: no organisation, no user. Raises InstallationUnfit."""
    with ExitStack() as stack:
        try:
            settings = read_settings()
            database = stack.enter_context(Database(settings))
        except (SettingsError, EmbeddedPostgresError) as error:
            raise InstallationUnfit(str(error)) from error
        container = make_container(settings, database.urls)
        try:
            yield container
        except DBAPIError as error:
            if str(getattr(error.orig, "sqlstate", "")).startswith(_REFUSED):
                raise InstallationUnfit(f"The database refuses: {error.orig}. {_ADVICE}") from error
            raise
        finally:
            await container.close()


@asynccontextmanager
async def session_of(email: str, organization: str | None) -> AsyncIterator[CliSession]:
    """Act as the user with this e-mail. Whoever may read the secret key of the installation is trusted to say who.

    Raises UserNotFound, OrganizationRequired.
    """
    async with installation() as container:
        yield CliSession(await _actor(container, email, organization), container)


async def _actor(container: AsyncContainer, email: str, organization: str | None) -> Actor:
    directory = await container.get(AccountDirectory)
    try:
        known = await directory.find(normal_email(email))
    except Invalid as error:
        raise invalid_field("--as", error.fields[0].message) from None
    accounts = [account for account in known if organization in {None, account.organization_slug}]
    if not accounts:
        place = "" if organization is None else f" in the organisation {organization}"
        raise UserNotFound(f"There is no active user {email}{place}; --as EMAIL names one.")
    if len(accounts) > 1:
        slugs = ", ".join(account.organization_slug for account in accounts)
        raise OrganizationRequired(f"{email} belongs to several organisations: --organization {slugs}.")
    account = accounts[0]
    return Actor.user(
        organization_id=account.organization_id,
        user_id=account.user_id,
        role=account.role,
        name=account.name,
        origin=cli_origin(),
    )
