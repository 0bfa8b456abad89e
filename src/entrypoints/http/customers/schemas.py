"""Customers and contacts on the wire."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self, cast
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.customers.change_contact import ContactChanges, PersonalData
from src.application.customers.change_customer import CustomerChanges
from src.application.customers.create_contact import CreateContactCommand
from src.application.customers.create_customer import CreateCustomerCommand
from src.domain.customers.contact import Contact, KeyDate, Reminder
from src.domain.customers.customer import Customer, LabelledAddress
from src.domain.shared.currency import Currency
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import CustomerGroupId, CustomerId
from src.domain.shared.party import Address, Party
from src.entrypoints.http.catalog.schemas import Custom, changes_of
from src.entrypoints.schemas.pricing import DecimalText, amount_text

Name = Annotated[str, Meta(min_length=1, max_length=200, examples=["Atelier Brandt KG"])]
PersonName = Annotated[str, Meta(min_length=1, max_length=200, examples=["Katrin Brandt"])]
Email = Annotated[str, Meta(max_length=254, examples=["katrin.brandt@brandt.example"])]
Tags = Annotated[list[str], Meta(max_length=50, examples=[["key account"]])]
Days = Annotated[int, Meta(ge=0, le=365, description="Net, in days.")]


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


class LabelledAddressSchema(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=50, examples=["delivery"])]
    address: AddressSchema

    @classmethod
    def of(cls, one: LabelledAddress) -> Self:
        return cls(label=one.label, address=AddressSchema.of(one.address))

    def labelled(self) -> LabelledAddress:
        return LabelledAddress(label=self.label, address=self.address.address())


class CreateCustomerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    address: AddressSchema = AddressSchema()
    registration_number: str = ""
    vat_number: str = ""
    currency: Annotated[str | None, Meta(description="ISO 4217; the organisation's when absent.", examples=["EUR"])] = (
        None
    )
    locale: Annotated[
        str | None, Meta(description="Language of offers, BCP 47; the organisation's when absent.", examples=["de"])
    ] = None
    group_id: UUID | None = None
    reference: Annotated[str, Meta(max_length=60, description="Its number elsewhere; unique where given.")] = ""
    addresses: Annotated[list[LabelledAddressSchema], Meta(max_length=50)] = []
    payment_days: Days | None = None
    payment_terms: str = ""
    credit_limit: Annotated[DecimalText | None, Meta(description="In the customer's currency.")] = None
    tags: Tags = []
    notes: str = ""
    custom: Custom = {}

    def command(self) -> CreateCustomerCommand:
        party = Party(
            name=self.name,
            address=self.address.address(),
            registration_number=self.registration_number,
            vat_number=self.vat_number,
        )
        return CreateCustomerCommand(
            party=party,
            currency=None if self.currency is None else Currency.of(self.currency),
            locale=self.locale,
            group_id=None if self.group_id is None else CustomerGroupId(self.group_id),
            reference=self.reference,
            addresses=tuple(one.labelled() for one in self.addresses),
            payment_days=self.payment_days,
            payment_terms=self.payment_terms,
            credit_limit=None if self.credit_limit is None else Decimal(self.credit_limit),
            tags=tuple(self.tags),
            notes=self.notes,
            custom=self.custom,
        )


class ChangeCustomerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent stays. Name, address and numbers go together: whoever gives one of them gives the name."""

    name: Name | UnsetType = UNSET
    address: AddressSchema | UnsetType = UNSET
    registration_number: str | UnsetType = UNSET
    vat_number: str | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    group_id: UUID | UnsetType | None = UNSET
    reference: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    addresses: Annotated[list[LabelledAddressSchema], Meta(max_length=50)] | UnsetType = UNSET
    payment_days: Days | UnsetType | None = UNSET
    payment_terms: str | UnsetType = UNSET
    credit_limit: DecimalText | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    notes: str | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET

    def changes(self) -> CustomerChanges:
        given = changes_of(self)
        given.pop("custom", None)
        numbers = {
            name: given.pop(name) for name in ("name", "address", "registration_number", "vat_number") if name in given
        }
        if numbers:
            if "name" not in numbers:
                raise invalid_field("name", "Give the name with its address and numbers: they are changed together.")
            address = numbers.get("address", AddressSchema())
            given["party"] = Party(**(numbers | {"address": address.address()}))
        if "currency" in given:
            given["currency"] = Currency.of(given["currency"])
        if "addresses" in given:
            given["addresses"] = tuple(one.labelled() for one in given["addresses"])
        if given.get("credit_limit") is not None:
            given["credit_limit"] = Decimal(given["credit_limit"])
        if "tags" in given:
            given["tags"] = tuple(given["tags"])
        return cast("CustomerChanges", given)


class CustomerResponse(Struct, frozen=True):
    """*status*: ``pending``, ``approved``, ``rejected`` or ``suspended``; *merged_into_id* is who goes on in its stead."""

    id: UUID
    name: str
    address: AddressSchema
    registration_number: str
    vat_number: str
    currency: str
    locale: str
    group_id: UUID | None
    status: str
    status_reason: str
    registered_by: UUID | None
    reference: str
    addresses: list[LabelledAddressSchema]
    payment_days: int | None
    payment_terms: str
    credit_limit: str | None
    tags: list[str]
    notes: str
    custom: dict[str, str]
    created_at: datetime
    deleted_at: datetime | None
    merged_into_id: UUID | None
    version: int

    @classmethod
    def of(cls, customer: Customer) -> Self:
        party, limit = customer.party, customer.credit_limit
        return cls(
            id=customer.id,
            name=party.name,
            address=AddressSchema.of(party.address),
            registration_number=party.registration_number,
            vat_number=party.vat_number,
            currency=customer.currency.code,
            locale=customer.locale,
            group_id=customer.group_id,
            status=customer.status.value,
            status_reason=customer.status_reason,
            registered_by=customer.registered_by,
            reference=customer.reference,
            addresses=[LabelledAddressSchema.of(one) for one in customer.addresses],
            payment_days=customer.payment_days,
            payment_terms=customer.payment_terms,
            credit_limit=None if limit is None else amount_text(limit, customer.currency.minor_digits),
            tags=list(customer.tags),
            notes=customer.notes,
            custom=dict(customer.custom),
            created_at=customer.created_at,
            deleted_at=customer.deleted_at,
            merged_into_id=customer.merged_into_id,
            version=customer.version,
        )


class ReasonRequest(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class MergeRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """*duplicate_id* ends; all it had is that of the one in the address."""

    duplicate_id: UUID


class KeyDateSchema(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=60, examples=["contract since"])]
    day: date


class CreateContactRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: PersonName
    email: Email
    phone: str = ""
    job_title: str = ""
    language: Annotated[str, Meta(max_length=35, description="BCP 47; empty: the customer's.")] = ""
    birthday: date | None = None
    key_dates: Annotated[list[KeyDateSchema], Meta(max_length=20, description="Days that come back every year.")] = []
    tags: Tags = []

    def command(self, customer_id: UUID) -> CreateContactCommand:
        return CreateContactCommand(
            customer_id=CustomerId(customer_id),
            name=self.name,
            email=self.email,
            phone=self.phone,
            job_title=self.job_title,
            language=self.language,
            birthday=self.birthday,
            key_dates=_key_dates(self.key_dates),
            tags=tuple(self.tags),
        )


class ChangeContactRequest(Struct, frozen=True, forbid_unknown_fields=True):
    name: PersonName | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    job_title: str | UnsetType = UNSET
    language: Annotated[str, Meta(max_length=35)] | UnsetType = UNSET
    birthday: date | UnsetType | None = UNSET
    key_dates: Annotated[list[KeyDateSchema], Meta(max_length=20)] | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET

    def changes(self) -> ContactChanges:
        given = changes_of(self)
        if "key_dates" in given:
            given["key_dates"] = _key_dates(given["key_dates"])
        if "tags" in given:
            given["tags"] = tuple(given["tags"])
        return cast("ContactChanges", given)


def _key_dates(told: list[KeyDateSchema]) -> tuple[KeyDate, ...]:
    return tuple(KeyDate(label=one.label, day=one.day) for one in told)


class ContactResponse(Struct, frozen=True):
    id: UUID
    customer_id: UUID
    name: str
    email: str
    phone: str
    job_title: str
    language: str
    birthday: date | None
    key_dates: list[KeyDateSchema]
    tags: list[str]
    created_at: datetime
    deleted_at: datetime | None
    merged_into_id: UUID | None
    erased_at: datetime | None
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
            language=contact.language,
            birthday=contact.birthday,
            key_dates=[KeyDateSchema(label=one.label, day=one.day) for one in contact.key_dates],
            tags=list(contact.tags),
            created_at=contact.created_at,
            deleted_at=contact.deleted_at,
            merged_into_id=contact.merged_into_id,
            erased_at=contact.erased_at,
            version=contact.version,
        )


class ReminderResponse(Struct, frozen=True):
    """*day* is when it comes up, *first* when it was for the first time; *label* is ``birthday`` or the key date's."""

    contact_id: UUID
    customer_id: UUID
    name: str
    label: str
    day: date
    first: date
    years: int

    @classmethod
    def of(cls, reminder: Reminder) -> Self:
        return cls(
            contact_id=reminder.contact.id,
            customer_id=reminder.contact.customer_id,
            name=reminder.contact.name,
            label=reminder.label,
            day=reminder.day,
            first=reminder.first,
            years=reminder.years,
        )


class CorrespondenceSchema(Struct, frozen=True):
    quote_id: UUID
    revision: int
    status: str
    note: str
    created_at: datetime


class PersonalDataResponse(Struct, frozen=True):
    """Everything that is kept about one person. *same_person*: the other contacts that were merged with this one."""

    contact: ContactResponse
    same_person: list[ContactResponse]
    customer: CustomerResponse
    correspondence: list[CorrespondenceSchema]

    @classmethod
    def of(cls, told: PersonalData) -> Self:
        return cls(
            contact=ContactResponse.of(told.contact),
            same_person=[ContactResponse.of(one) for one in told.same_person],
            customer=CustomerResponse.of(told.customer),
            correspondence=[
                CorrespondenceSchema(
                    quote_id=one.quote_id,
                    revision=one.revision,
                    status=one.status.value,
                    note=one.note,
                    created_at=one.created_at,
                )
                for one in told.correspondence
            ],
        )
