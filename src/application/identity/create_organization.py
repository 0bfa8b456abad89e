"""Set up an organisation with its first user, the owner."""

from dataclasses import dataclass, field

from src.application.identity.passwords import NewPasswords, words_about
from src.application.ports.clock import Clock, IdFactory
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, Permission, Role
from src.domain.identity.organization import Organization
from src.domain.identity.user import User, normal_email
from src.domain.shared.currency import Currency
from src.domain.shared.ids import OrganizationId, UserId
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOrganizationCommand:
    slug: str
    party: Party
    default_currency: Currency
    time_zone: str
    locale: str
    owner_email: str
    owner_name: str
    owner_password: str = field(repr=False)
    settings: RoundingSettings = field(default_factory=RoundingSettings)
    prices_include_tax: str | None = None


class CreateOrganization:
    """For platform operators. Raises SlugTaken, Invalid."""

    def __init__(self, transactions: Transactions, passwords: NewPasswords, clock: Clock, ids: IdFactory) -> None:
        self._transactions, self._passwords, self._clock, self._ids = transactions, passwords, clock, ids

    async def __call__(
        self, origin: Origin, command: CreateOrganizationCommand, operator: str = "operator"
    ) -> tuple[Organization, User]:
        """*operator* is who does it, for the audit."""
        now = self._clock.now()
        organization = Organization(
            id=OrganizationId(self._ids.new()),
            slug=command.slug,
            party=command.party,
            default_currency=command.default_currency,
            time_zone=command.time_zone,
            locale=command.locale,
            created_at=now,
            settings=command.settings,
            prices_include_tax=command.prices_include_tax,
        )
        email = normal_email(command.owner_email)
        words = words_about(command.owner_name, email, organization)
        owner = User(
            id=UserId(self._ids.new()),
            email=email,
            name=command.owner_name,
            role=Role.OWNER,
            password_hash=await self._passwords.hash(command.owner_password, words),
            created_at=now,
        )
        actor = Actor.operator(organization_id=organization.id, name=operator, origin=origin)
        async with self._transactions.begin(actor, Permission.OPERATE) as uow:
            stored = await uow.organizations.create(organization.create())
            user = await uow.users.save(owner.create())
            await uow.commit()
        return stored, user
