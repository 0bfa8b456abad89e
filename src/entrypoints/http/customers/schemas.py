"""Customers and contacts on the wire."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.customers.create_contact import CreateContactCommand
from src.application.customers.create_customer import CreateCustomerCommand
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.shared.currency import Currency
from src.domain.shared.ids import CustomerId
from src.domain.shared.party import Address, Party


class AddressSchema(Struct, frozen=True, forbid_unknown_fields=True):
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: Annotated[str, Meta(description="ISO 3166-1, two capital letters.", examples=["DE"])] = ""

    @classmethod
    def of(cls, address: Address) -> Self:
        return cls(
            street=address.street,
            postal_code=address.postal_code,
            city=address.city,
            region=address.region,
            country=address.country,
        )

    def address(self) -> Address:
        return Address(
            street=self.street,
            postal_code=self.postal_code,
            city=self.city,
            region=self.region,
            country=self.country,
        )


class CreateCustomerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Atelier Brandt KG"])]
    address: AddressSchema = AddressSchema()
    registration_number: str = ""
    vat_number: str = ""
    currency: Annotated[str | None, Meta(description="ISO 4217; the organisation's when absent.", examples=["EUR"])] = (
        None
    )
    locale: Annotated[
        str | None, Meta(description="Language of offers, BCP 47; the organisation's when absent.", examples=["de"])
    ] = None

    def command(self) -> CreateCustomerCommand:
        party = Party(
            name=self.name,
            address=self.address.address(),
            registration_number=self.registration_number,
            vat_number=self.vat_number,
        )
        currency = None if self.currency is None else Currency.of(self.currency)
        return CreateCustomerCommand(party=party, currency=currency, locale=self.locale)


class CustomerResponse(Struct, frozen=True):
    id: UUID
    name: str
    address: AddressSchema
    registration_number: str
    vat_number: str
    currency: str
    locale: str
    group_id: UUID | None
    created_at: datetime
    version: int

    @classmethod
    def of(cls, customer: Customer) -> Self:
        party = customer.party
        return cls(
            id=customer.id,
            name=party.name,
            address=AddressSchema.of(party.address),
            registration_number=party.registration_number,
            vat_number=party.vat_number,
            currency=customer.currency.code,
            locale=customer.locale,
            group_id=customer.group_id,
            created_at=customer.created_at,
            version=customer.version,
        )


class CreateContactRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200, examples=["Katrin Brandt"])]
    email: Annotated[str, Meta(max_length=254, examples=["katrin.brandt@brandt.example"])]
    phone: str = ""
    job_title: str = ""

    def command(self, customer_id: UUID) -> CreateContactCommand:
        return CreateContactCommand(
            customer_id=CustomerId(customer_id),
            name=self.name,
            email=self.email,
            phone=self.phone,
            job_title=self.job_title,
        )


class ContactResponse(Struct, frozen=True):
    id: UUID
    customer_id: UUID
    name: str
    email: str
    phone: str
    job_title: str
    created_at: datetime
    version: int

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls(
            id=contact.id,
            customer_id=contact.customer_id,
            name=contact.name,
            email=contact.email,
            phone=contact.phone,
            job_title=contact.job_title,
            created_at=contact.created_at,
            version=contact.version,
        )
