"""``proffer user …``, ``proffer organization …`` and ``proffer operator …``."""

from typing import Annotated

from cyclopts import Parameter

from src.application.identity.create_organization import CreateOrganization, CreateOrganizationCommand
from src.application.identity.platform import (
    CreateOperatorKey,
    ListOrganizations,
    Operator,
    RestoreOrganization,
    RevokeOperatorKeys,
    SuspendOrganization,
    VerifyDomains,
)
from src.application.identity.users import (
    ChangeUser,
    ChangeUserCommand,
    DeactivateUser,
    InviteUser,
    InviteUserCommand,
    ListUsers,
    ReactivateUser,
)
from src.application.ports.identity import OperatorRights
from src.application.ports.paging import LARGEST_PAGE, Paging
from src.domain.identity.actor import Role
from src.domain.shared.currency import Currency
from src.domain.shared.party import Address, Party
from src.entrypoints.cli.naming import user_of
from src.entrypoints.cli.output import counted, print_json, print_table
from src.entrypoints.cli.session import As, Organization, cli_origin, installation, session_of

Json = Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")]
_OPERATOR = "command line"


async def list_users(*, user: As, organization: Organization = None, json: Json = False) -> int:
    """List the people of the organisation.

    Example: proffer user list --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        users = await (await session.get(ListUsers))(session.actor)
    if json:
        print_json(
            [
                {"id": str(one.id), "email": one.email, "name": one.name, "role": one.role, "status": one.status}
                for one in users
            ]
        )
        return 0
    columns = (("E-mail", "left"), ("Name", "left"), ("Role", "left"), ("Status", "left"))
    print_table(columns, [(one.email, one.name, one.role.value, one.status.value) for one in users])
    return 0


async def invite(
    email: Annotated[str, Parameter(help="Where the invitation goes.")],
    name: Annotated[str, Parameter(help="The person's name.")],
    role: Annotated[Role, Parameter(help="What they may do; docs/permissions.md lists it.")],
    *,
    user: As,
    organization: Organization = None,
) -> int:
    """Invite somebody by e-mail; the link in it holds for seven days.

    Example: proffer user invite ann@example.com "Ann Lee" sales --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        command = InviteUserCommand(email=email, name=name, role=role)
        made = await (await session.get(InviteUser))(session.actor, command)
    print(f"{made.email} is invited as {made.role.value}; a worker mails the link.")
    return 0


async def set_role(
    email: Annotated[str, Parameter(help="Whose role.")],
    role: Annotated[Role, Parameter(help="The new one; it ends their sessions.")],
    *,
    user: As,
    organization: Organization = None,
) -> int:
    """Give somebody another role.

    Example: proffer user set-role sales@nordlicht.example viewer --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        command = ChangeUserCommand(user_id=(await user_of(session, email)).id, role=role)
        changed = await (await session.get(ChangeUser))(session.actor, command)
    print(f"{changed.email} is {changed.role.value} now.")
    return 0


async def deactivate(
    email: Annotated[str, Parameter(help="Who is locked out.")], *, user: As, organization: Organization = None
) -> int:
    """Lock somebody out: sessions and API keys end at once.

    Example: proffer user deactivate sales@nordlicht.example --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        await (await session.get(DeactivateUser))(session.actor, (await user_of(session, email)).id)
    print(f"{email} is deactivated.")
    return 0


async def reactivate(
    email: Annotated[str, Parameter(help="Who is let in again.")], *, user: As, organization: Organization = None
) -> int:
    """Let somebody in again.

    Example: proffer user reactivate sales@nordlicht.example --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        await (await session.get(ReactivateUser))(session.actor, (await user_of(session, email)).id)
    print(f"{email} is active again.")
    return 0


async def list_organizations(
    *,
    search: Annotated[str, Parameter(help="Text in the slug.")] = "",
    json: Json = False,
) -> int:
    """List all organisations of this installation.

    Example: proffer organization list
    """
    async with installation() as container:
        found = await (await container.get(ListOrganizations))(_operator(), search, Paging(limit=LARGEST_PAGE))
    if json:
        print_json(
            [{"id": str(one.id), "slug": one.slug, "name": one.name, "status": one.status.value} for one in found.items]
        )
        return 0
    columns = (("Slug", "left"), ("Name", "left"), ("Country", "left"), ("Currency", "left"), ("Status", "left"))
    print_table(
        columns, [(one.slug, one.name, one.country, one.default_currency, one.status.value) for one in found.items]
    )
    print(f"{len(found.items)} of {counted(found.total, 'organisation')}.")
    return 0


async def create_organization(
    slug: Annotated[str, Parameter(help="Its short name, in small letters.")],
    name: Annotated[str, Parameter(help="Its name on documents.")],
    *,
    owner_email: Annotated[str, Parameter(help="E-mail of its first owner.")],
    owner_name: Annotated[str, Parameter(help="Name of its first owner.")],
    owner_password: Annotated[
        str,
        Parameter(
            env_var="PROFFER_OWNER_PASSWORD",
            help="Password of its first owner; in the variable nobody else on this machine sees it.",
        ),
    ],
    currency: Annotated[str, Parameter(help="ISO 4217.")] = "EUR",
    country: Annotated[str, Parameter(help="ISO 3166-1, two letters.")] = "",
    registration_number: Annotated[str, Parameter(help="In its country's register.")] = "",
    vat_number: Annotated[str, Parameter(help="VAT number.")] = "",
    time_zone: Annotated[str, Parameter(help="IANA name.")] = "Europe/Berlin",
    locale: Annotated[str, Parameter(help="BCP 47.")] = "en",
) -> int:
    """Make an organisation with its first owner.

    Example: proffer organization create fjord "Fjord AS" --owner-email ida@fjord.example --owner-name "Ida Holm" --country NO --currency NOK
    """
    async with installation() as container:
        create = await container.get(CreateOrganization)
        made, owner = await create(
            cli_origin(),
            CreateOrganizationCommand(
                slug=slug,
                party=Party(
                    name=name,
                    address=Address(country=country.upper()),
                    registration_number=registration_number,
                    vat_number=vat_number,
                ),
                default_currency=Currency.of(currency.upper()),
                time_zone=time_zone,
                locale=locale,
                owner_email=owner_email,
                owner_name=owner_name,
                owner_password=owner_password,
            ),
            _OPERATOR,
        )
    print(f"{made.party.name} ({made.slug}) is made; {owner.email} owns it.")
    return 0


async def suspend_organization(
    organization: Annotated[str, Parameter(help="Slug or id.")],
    reason: Annotated[str, Parameter(help="Why; it is audited.")],
) -> int:
    """Lock everybody of an organisation out, at once.

    Example: proffer organization suspend nordlicht "Unpaid since March"
    """
    async with installation() as container:
        stored = await (await container.get(SuspendOrganization))(_operator(), organization, reason)
    print(f"{stored.slug} is suspended.")
    return 0


async def restore_organization(organization: Annotated[str, Parameter(help="Slug or id.")]) -> int:
    """Let a suspended organisation in again.

    Example: proffer organization restore nordlicht
    """
    async with installation() as container:
        stored = await (await container.get(RestoreOrganization))(_operator(), organization)
    print(f"{stored.slug} is active.")
    return 0


async def verify_domains(
    organization: Annotated[str, Parameter(help="Slug or id.")],
    domains: Annotated[list[str], Parameter(help="All e-mail domains that are its own.")],
) -> int:
    """Say which e-mail domains are the organisation's: its identity provider may bring in people with these.

    Example: proffer organization verify-domains nordlicht nordlicht.example
    """
    async with installation() as container:
        stored = await (await container.get(VerifyDomains))(_operator(), organization, tuple(domains))
    print(f"{stored.slug}: {', '.join(stored.verified_domains) or 'no domains'}.")
    return 0


async def add_operator_key(
    name: Annotated[str, Parameter(help="Whose key it is, for the audit.")],
    *,
    only_mail_reports: Annotated[
        bool, Parameter(help="For a mail gateway: hands in delivery reports and opens nothing else.", negative="")
    ] = False,
) -> int:
    """Make a key for /platform/v1; it is shown this once.

    Example: proffer operator add-key olga
    """
    rights = OperatorRights.MAIL_REPORTS if only_mail_reports else OperatorRights.EVERYTHING
    async with installation() as container:
        made = await (await container.get(CreateOperatorKey))(name, rights)
    print(made.secret)
    return 0


async def revoke_operator_keys(name: Annotated[str, Parameter(help="Whose keys end.")]) -> int:
    """End all keys of an operator.

    Example: proffer operator revoke olga
    """
    async with installation() as container:
        count = await (await container.get(RevokeOperatorKeys))(name)
    print(
        f"{counted(count, 'key')} of {name} {'has' if count == 1 else 'have'} ended."
        if count
        else f"{name} has no key."
    )
    return 0 if count else 4


def _operator() -> Operator:
    """Whoever may read the installation's secret key runs the platform."""
    return Operator(name=_OPERATOR, origin=cli_origin())
