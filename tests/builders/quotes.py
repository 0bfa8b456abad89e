"""Valid things for tests; a test names only what it is about."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from src.domain.approvals.conditions import Condition
from src.domain.approvals.policy import ApprovalPolicy, StepRule
from src.domain.catalog.product import Product
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer, CustomerStatus
from src.domain.identity.actor import Role
from src.domain.identity.user import User
from src.domain.quoting.content import LineItem, QuoteContent, Recipient
from src.domain.quoting.pricing import LinePricing, Tax
from src.domain.quoting.quote import Quote
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, CustomerId, LineItemId, PolicyId, ProductId, QuoteId, UserId
from src.domain.shared.party import Address, Party
from src.domain.shared.rounding import RoundingSettings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SELLER = Party(name="Nordlicht GmbH", address=Address(city="Hamburg", country="DE"))
BUYER = Party(name="Brandt KG", address=Address(city="Leipzig", country="DE"))


def a_line(**changes: Any) -> LineItem:
    pricing = LinePricing(
        quantity=Decimal(10), unit_price=Decimal("30.75"), taxes=(Tax(category="VAT", rate_percent=Decimal(19)),)
    )
    values: dict[str, Any] = {
        "id": LineItemId(uuid4()),
        "sku": "DESK",
        "description": "Desk",
        "unit": "C62",
        "pricing": pricing,
    }
    return LineItem(**values | changes)


def a_content(**changes: Any) -> QuoteContent:
    values: dict[str, Any] = {
        "title": "Fit-out",
        "seller": SELLER,
        "buyer": BUYER,
        "recipient": Recipient(contact_id=ContactId(uuid4()), name="Katrin Brandt", email="katrin@brandt.example"),
        "salesperson": "Jonas Weber",
        "valid_until": date(2026, 4, 1),
        "time_zone": "Europe/Berlin",
        "locale": "en",
        "currency": Currency.of("EUR"),
        "settings": RoundingSettings(),
        "prices_include_tax": None,
        "lines": (a_line(),),
    }
    return QuoteContent(**values | changes)


def a_new_quote(**changes: Any) -> Change[Quote]:
    values: dict[str, Any] = {
        "quote_id": QuoteId(uuid4()),
        "number": f"Q-2026-{uuid4().hex[:6]}",
        "customer_id": CustomerId(uuid4()),
        "content": a_content(),
        "by": UserId(uuid4()),
        "at": NOON,
    }
    return Quote.create(**values | changes)


def a_quote(**changes: Any) -> Quote:
    """A draft."""
    return a_new_quote(**changes).after


def a_customer(**changes: Any) -> Customer:
    values: dict[str, Any] = {
        "id": CustomerId(uuid4()),
        "party": BUYER,
        "currency": Currency.of("EUR"),
        "locale": "de",
        "created_at": NOON,
        "status": CustomerStatus.APPROVED,
    }
    return Customer(**values | changes)


def a_contact(customer_id: UUID, **changes: Any) -> Contact:
    values: dict[str, Any] = {
        "id": ContactId(uuid4()),
        "customer_id": CustomerId(customer_id),
        "name": "Katrin Brandt",
        "email": "katrin@brandt.example",
        "phone": "",
        "job_title": "",
        "created_at": NOON,
    }
    return Contact(**values | changes)


def a_product(**changes: Any) -> Product:
    values: dict[str, Any] = {
        "id": ProductId(uuid4()),
        "sku": uuid4().hex,
        "name": "Desk",
        "description": "",
        "unit": "C62",
        "list_price": Decimal("689.00"),
        "currency": Currency.of("EUR"),
        "tax_category": "VAT",
        "tax_rate_percent": Decimal(19),
        "created_at": NOON,
    }
    return Product(**values | changes)


def a_user(role: Role = Role.APPROVER, **changes: Any) -> User:
    values: dict[str, Any] = {
        "id": UserId(uuid4()),
        "email": f"{uuid4().hex}@nordlicht.example",
        "name": "Clara Nowak",
        "role": role,
        "password_hash": "plain:secret password",
        "created_at": NOON,
    }
    return User(**values | changes)


def a_policy(*conditions: Condition, steps: tuple[StepRule, ...] | None = None, **changes: Any) -> ApprovalPolicy:
    values: dict[str, Any] = {
        "id": PolicyId(uuid4()),
        "name": "Everything",
        "order": 1,
        "conditions": conditions,
        "steps": steps or (StepRule(name="Management", roles=(Role.APPROVER,)),),
        "created_at": NOON,
    }
    return ApprovalPolicy(**values | changes)
