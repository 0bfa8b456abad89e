"""Offers on the real database: an organisation with a customer, a contact and a product, and contents of any kind."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.ports.unit_of_work import OpenUnitOfWork, UnitOfWork
from src.domain.catalog.product import Product
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer, CustomerStatus
from src.domain.identity.actor import Actor, Role
from src.domain.quoting.content import LineItem, QuoteContent, Recipient
from src.domain.quoting.pricing import LinePricing, Tax
from src.domain.quoting.quote import Quote, quote_number
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, CustomerId, LineItemId, ProductId, QuoteId, UserId
from src.domain.shared.party import Address, Party
from src.domain.shared.rounding import RoundingSettings
from tests.organizations import TestOrganization, new_organization

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
IDS = Uuid7Ids()
EUR = Currency.of("EUR")


@dataclass(frozen=True, slots=True)
class Shop:
    """An organisation that is ready to make offers; everything in it is stored."""

    made: TestOrganization
    customer: Customer
    contact: Contact
    product: Product

    @property
    def actor(self) -> Actor:
        return self.made.actor(Role.SALES)

    @property
    def user_id(self) -> UserId:
        return self.made.users[Role.SALES].id

    def content(self, *lines: LineItem, **changes: Any) -> QuoteContent:
        """A content that can be submitted; with *lines*, or with one of the product."""
        usual: dict[str, Any] = {
            "title": "Spare parts",
            "seller": self.made.organization.party,
            "buyer": self.customer.party,
            "recipient": Recipient(contact_id=self.contact.id, name=self.contact.name, email=self.contact.email),
            "salesperson": "Nick sales",
            "valid_until": date(2026, 12, 31),
            "time_zone": "Europe/Berlin",
            "locale": "en",
            "currency": EUR,
            "settings": RoundingSettings(),
            "prices_include_tax": None,
            "lines": lines or (a_line(product_id=self.product.id),),
        }
        return QuoteContent(**(usual | changes))

    async def new_quote(self, uow: UnitOfWork, content: QuoteContent | None = None, *, at: datetime = NOON) -> Quote:
        """A draft, saved but not committed."""
        number = quote_number(at.year, await uow.quotes.next_number(at.year))
        change = Quote.create(
            quote_id=QuoteId(IDS.new()),
            number=number,
            customer_id=self.customer.id,
            content=content or self.content(),
            by=self.user_id,
            at=at,
        )
        return await uow.quotes.save(change)

    async def stored_quote(
        self, open_unit_of_work: OpenUnitOfWork, content: QuoteContent | None = None, *, at: datetime = NOON
    ) -> Quote:
        async with open_unit_of_work(self.actor) as uow:
            quote = await self.new_quote(uow, content, at=at)
            await uow.commit()
        return quote


def a_line(quantity: str = "2", unit_price: str = "10.00", **changes: Any) -> LineItem:
    pricing = LinePricing(
        quantity=Decimal(quantity), unit_price=Decimal(unit_price), taxes=(Tax(category="S", rate_percent=Decimal(19)),)
    )
    usual: dict[str, Any] = {
        "id": LineItemId(IDS.new()),
        "sku": "A-1",
        "description": "Bearing",
        "unit": "C62",
        "pricing": pricing,
    }
    return LineItem(**(usual | changes))


def a_customer(name: str = "Buyer AG", *, at: datetime = NOON, **changes: Any) -> Customer:
    party = Party(name=name, address=Address(city="Bern", country="CH"), **changes)
    return Customer(
        id=CustomerId(IDS.new()), party=party, currency=EUR, locale="de", created_at=at, status=CustomerStatus.APPROVED
    )


def a_contact(customer_id: CustomerId, name: str = "Berta Buyer", email: str = "berta@buyer.example") -> Contact:
    return Contact(
        id=ContactId(IDS.new()),
        customer_id=customer_id,
        name=name,
        email=email,
        phone="",
        job_title="",
        created_at=NOON,
    )


def a_product(sku: str = "", **changes: Any) -> Product:
    usual: dict[str, Any] = {
        "id": ProductId(IDS.new()),
        "sku": sku or f"SKU-{uuid4().hex[:12]}",
        "name": "Bearing",
        "description": "",
        "unit": "C62",
        "list_price": Decimal("10.00"),
        "currency": EUR,
        "tax_category": "S",
        "tax_rate_percent": Decimal(19),
        "created_at": NOON,
    }
    return Product(**(usual | changes))


async def new_shop(open_unit_of_work: OpenUnitOfWork) -> Shop:
    made = await new_organization(open_unit_of_work, clock=SystemClock(), ids=IDS)
    async with open_unit_of_work(made.actor(Role.ADMIN)) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        product = await uow.products.save(a_product().create())
        await uow.commit()
    return Shop(made, customer, contact, product)
