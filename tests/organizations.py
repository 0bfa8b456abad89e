"""Whole organisations for tests, made by the use cases themselves."""

from dataclasses import dataclass
from uuid import uuid4

from src.adapters.security import Argon2Hasher, ListedPasswords
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.identity.create_organization import CreateOrganization, CreateOrganizationCommand
from src.application.identity.create_user import CreateUser, CreateUserCommand
from src.application.identity.passwords import NewPasswords
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin, Role
from src.domain.identity.organization import Organization
from src.domain.identity.user import User
from src.domain.shared.currency import Currency
from src.domain.shared.party import Address, Party

PASSWORD = "correct horse battery"
ORIGIN = Origin(trace_id="0" * 32, ip_address="127.0.0.1", user_agent="tests")


@dataclass(frozen=True, slots=True)
class TestOrganization:
    """*actors* are ready to act; *users* are as stored. The password of all is PASSWORD."""

    __test__ = False  # It begins with «Test», but is none.

    organization: Organization
    users: dict[Role, User]

    def actor(self, role: Role) -> Actor:
        user = self.users[role]
        return Actor.user(
            organization_id=self.organization.id, user_id=user.id, role=role, name=user.name, origin=ORIGIN
        )


async def new_organization(
    open_unit_of_work: OpenUnitOfWork, *, clock: Clock | None = None, ids: IdFactory | None = None
) -> TestOrganization:
    """An organisation with one user for every role, apart from all others."""
    clock, ids = clock or SystemClock(), ids or Uuid7Ids()
    passwords = NewPasswords(Argon2Hasher(memory_kib=8, rounds=1), ListedPasswords())
    transactions = Transactions(open_unit_of_work)
    slug = f"org-{uuid4().hex[:20]}"
    organization, owner = await CreateOrganization(transactions, passwords, clock, ids)(
        ORIGIN,
        CreateOrganizationCommand(
            slug=slug,
            party=Party(name=f"Seller {slug}", address=Address(city="Hamburg", country="DE")),
            default_currency=Currency.of("EUR"),
            time_zone="Europe/Berlin",
            locale="en",
            owner_email=f"owner@{slug}.example",
            owner_name="Olga Owner",
            owner_password=PASSWORD,
        ),
    )
    made = TestOrganization(organization, {Role.OWNER: owner})
    create_user = CreateUser(transactions, passwords, clock, ids)
    for role in (Role.ADMIN, Role.APPROVER, Role.SALES, Role.VIEWER):
        command = CreateUserCommand(
            email=f"{role.value}@{slug}.example", name=f"Nick {role.value}", role=role, password=PASSWORD
        )
        made.users[role] = await create_user(made.actor(Role.OWNER), command)
    return made
