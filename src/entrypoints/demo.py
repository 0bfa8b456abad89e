"""The demonstration organisation: one user for every role, customers, products, a policy, and offers from real requests."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from dishka import AsyncContainer

from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.catalog.create_product import CreateProduct, CreateProductCommand
from src.application.catalog.exchange_rates import AddExchangeRates, NewRate
from src.application.customers.create_contact import CreateContact, CreateContactCommand
from src.application.customers.create_customer import CreateCustomer, CreateCustomerCommand
from src.application.customers.decide_customer import CustomerVerb, DecideCustomer, DecideCustomerCommand
from src.application.identity.create_organization import CreateOrganization, CreateOrganizationCommand
from src.application.identity.create_user import CreateUser, CreateUserCommand
from src.application.ports.identity import AccountDirectory
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.policy import StepRule
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, Origin, Role
from src.domain.identity.user import User
from src.domain.shared.currency import Currency
from src.domain.shared.ids import OrganizationId
from src.domain.shared.party import Address, Party
from src.entrypoints.pricing_document import read_pricing

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SLUG = "nordlicht"
PASSWORD = "demo-password"  # noqa: S105 — a demonstration's, printed at every start.
EMAILS = {role: f"{role.value}@nordlicht.example" for role in Role}

_NAMES = {
    Role.OWNER: "Astrid Holm",
    Role.ADMIN: "Benedikt Krüger",
    Role.APPROVER: "Clara Nowak",
    Role.SALES: "Jonas Weber",
    Role.VIEWER: "Mina Seo",
}
_SELLER = Party(
    name="Nordlicht Office Systems GmbH",
    address=Address(street="Speicherstraße 14", postal_code="20457", city="Hamburg", country="DE"),
    registration_number="HRB 118402",
    vat_number="DE298765435",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DemoCustomer:
    party: Party
    currency: str
    locale: str
    contact: str
    email: str
    job_title: str
    example: str  # The request for quotation that this customer has sent.


_CUSTOMERS = (
    _DemoCustomer(
        party=Party(
            name="Atelier Brandt & Söhne KG",
            address=Address(street="Lindenallee 8", postal_code="04107", city="Leipzig", country="DE"),
            vat_number="DE811234565",
        ),
        currency="EUR",
        locale="de",
        contact="Katrin Brandt",
        email="katrin.brandt@brandt.example",
        job_title="Head of Purchasing",
        example="office-fitout-eur.json",
    ),
    _DemoCustomer(
        party=Party(
            name="한빛정밀 주식회사",
            address=Address(street="테헤란로 152", postal_code="06236", city="서울", country="KR"),
            registration_number="124-81-00998",
        ),
        currency="KRW",
        locale="ko",
        contact="김서연",
        email="seoyeon.kim@hanbit.example",
        job_title="구매팀장",
        example="sensor-kits-krw.json",
    ),
    _DemoCustomer(
        party=Party(
            name="Łódzkie Galerie Sp. z o.o.",
            address=Address(street="ul. Piotrkowska 104", postal_code="90-926", city="Łódź", country="PL"),
            vat_number="PL7251801126",
        ),
        currency="EUR",
        locale="en",
        contact="Agnieszka Wójcik",
        email="a.wojcik@galerie.example",
        job_title="Store Design",
        example="retail-displays-gross-eur.json",
    ),
)

_PRODUCTS = (
    ("DESK-180", "Height-adjustable desk 180 × 80 cm", "689.00"),
    ("DESK-140", "Height-adjustable desk 140 × 70 cm", "589.00"),
    ("CHAIR-ERGO", "Ergonomic office chair, mesh back", "412.50"),
    ("CHAIR-VISIT", "Visitor chair, stackable", "96.40"),
    ("CAB-4", "Filing cabinet, four drawers", "278.00"),
    ("LAMP-LED", "LED desk lamp, dimmable", "84.90"),
    ("PANEL-AC", "Acoustic panel 120 × 60 cm", "139.00"),
    ("BOARD-GLASS", "Glass whiteboard 150 × 100 cm", "318.75"),
    ("CABLE-TRAY", "Cable tray for desks", "24.60"),
    ("MON-ARM", "Monitor arm, gas spring", "109.00"),
    ("INSTALL-H", "Installation on site, per hour", "68.00"),
    ("DELIVERY", "Delivery within Germany, per pallet", "145.00"),
)


async def seed(container: AsyncContainer, origin: Origin) -> bool:
    """Make the demonstration organisation unless it is there; whether it was made."""
    directory = await container.get(AccountDirectory)
    if await directory.find(EMAILS[Role.OWNER]):
        return False
    create_organization = await container.get(CreateOrganization)
    organization, owner = await create_organization(
        origin,
        CreateOrganizationCommand(
            slug=SLUG,
            party=_SELLER,
            default_currency=Currency.of("EUR"),
            time_zone="Europe/Berlin",
            locale="en",
            owner_email=EMAILS[Role.OWNER],
            owner_name=_NAMES[Role.OWNER],
            owner_password=PASSWORD,
        ),
    )
    boss = _actor(organization.id, owner, origin)
    sales = await _users(container, boss)
    await _products(container, boss)
    await _policies(container, boss)
    await _exchange_rate(container, boss)
    await _customers(container, _actor(organization.id, sales, origin), boss)
    return True


def _actor(organization_id: OrganizationId, user: User, origin: Origin) -> Actor:
    return Actor.user(organization_id=organization_id, user_id=user.id, role=user.role, name=user.name, origin=origin)


async def _users(container: AsyncContainer, boss: Actor) -> User:
    create_user = await container.get(CreateUser)
    made = {
        role: await create_user(
            boss, CreateUserCommand(email=EMAILS[role], name=_NAMES[role], role=role, password=PASSWORD)
        )
        for role in Role
        if role is not Role.OWNER
    }
    return made[Role.SALES]


async def _products(container: AsyncContainer, boss: Actor) -> None:
    create_product = await container.get(CreateProduct)
    for sku, name, price in _PRODUCTS:
        unit = "HUR" if sku == "INSTALL-H" else "C62"
        await create_product(
            boss,
            CreateProductCommand(
                sku=sku, name=name, list_price=Decimal(price), tax_rate_percent=Decimal(19), unit=unit
            ),
        )


async def _policies(container: AsyncContainer, boss: Actor) -> None:
    create_policy = await container.get(CreatePolicy)
    await create_policy(
        boss,
        CreatePolicyCommand(
            name="Large or generous offers",
            order=10,
            conditions=(Condition(fact="discount_percent", operator=Operator.GREATER, values=(Decimal(5),)),),
            steps=(StepRule(name="Sales management", roles=(Role.APPROVER, Role.ADMIN)),),
        ),
    )


async def _exchange_rate(container: AsyncContainer, boss: Actor) -> None:
    """What the offer in won is compared by, when it is submitted, with limits in the organisation's currency."""
    add_rates = await container.get(AddExchangeRates)
    won, euro = Currency.of("KRW"), Currency.of("EUR")
    rate = NewRate(base=won, target=euro, rate=Decimal("0.000592"), source="Treasury", as_of=date(2026, 1, 2))
    await add_rates(boss, [rate])


async def _customers(container: AsyncContainer, sales: Actor, boss: Actor) -> None:
    create_customer, decide = await container.get(CreateCustomer), await container.get(DecideCustomer)
    create_contact = await container.get(CreateContact)
    for demo in _CUSTOMERS:
        command = CreateCustomerCommand(party=demo.party, currency=Currency.of(demo.currency), locale=demo.locale)
        customer = await create_customer(sales, command)
        customer = await decide(boss, DecideCustomerCommand(customer_id=customer.id, verb=CustomerVerb.APPROVE))
        contact = await create_contact(
            sales,
            CreateContactCommand(
                customer_id=customer.id, name=demo.contact, email=demo.email, job_title=demo.job_title
            ),
        )
        await _offer(container, sales, customer, contact, demo.example)


async def _offer(container: AsyncContainer, sales: Actor, customer: Customer, contact: Contact, example: str) -> None:
    """A draft made of what the customer has asked for."""
    request = read_pricing((_EXAMPLES / example).read_bytes())
    lines = tuple(
        LineInput(
            quantity=line.pricing().quantity,
            sku=line.sku,
            description=line.description,
            unit=line.unit,
            unit_price=line.pricing().unit_price,
            price_base_quantity=line.pricing().price_base_quantity,
            discounts=line.pricing().discounts,
            charges=line.pricing().charges,
            taxes=line.pricing().taxes,
        )
        for line in request.lines
    )
    pricing = request.pricing()
    draft = DraftInput(
        title=request.title,
        contact_id=contact.id,
        prices_include_tax=request.prices_include_tax,
        lines=lines,
        discounts=pricing.discounts,
        charges=pricing.charges,
        terms="Payment within 30 days. Delivery within four weeks of order.",
    )
    create_quote = await container.get(CreateQuote)
    await create_quote(sales, CreateQuoteCommand(customer_id=customer.id, draft=draft))
