"""A sent offer as data, for the programs of buyers."""

from datetime import date
from typing import Self

from msgspec import Struct

from src.application.documents.get_sent_offer import SentOffer
from src.domain.quoting.content import LineItem
from src.domain.shared.canonical import decimal_text
from src.domain.shared.party import Party
from src.entrypoints.schemas.pricing import (
    CalculationSchema,
    ChargeSchema,
    DiscountSchema,
    DocumentChargeSchema,
    DocumentDiscountSchema,
    InstalmentSchema,
    TaxSchema,
)


class DocumentPartySchema(Struct, frozen=True):
    name: str
    street: str
    postal_code: str
    city: str
    region: str
    country: str
    registration_number: str
    vat_number: str

    @classmethod
    def of(cls, party: Party) -> Self:
        address = party.address
        return cls(
            name=party.name,
            street=address.street,
            postal_code=address.postal_code,
            city=address.city,
            region=address.region,
            country=address.country,
            registration_number=party.registration_number,
            vat_number=party.vat_number,
        )


class DocumentLineSchema(Struct, frozen=True):
    """Amounts stand at the same position in ``calculation.lines``."""

    sku: str
    description: str
    unit: str
    quantity: str
    unit_price: str
    price_base_quantity: str
    discounts: list[DiscountSchema]
    charges: list[ChargeSchema]
    taxes: list[TaxSchema]
    optional: bool
    chosen: bool
    section: str

    @classmethod
    def of(cls, line: LineItem) -> Self:
        pricing = line.pricing
        return cls(
            sku=line.sku,
            description=line.description,
            unit=line.unit,
            quantity=decimal_text(pricing.quantity),
            unit_price=decimal_text(pricing.unit_price),
            price_base_quantity=decimal_text(pricing.price_base_quantity),
            discounts=[DiscountSchema.of(discount) for discount in pricing.discounts],
            charges=[ChargeSchema.of(charge) for charge in pricing.charges],
            taxes=[TaxSchema.of(tax) for tax in pricing.taxes],
            optional=pricing.optional,
            chosen=pricing.chosen,
            section=pricing.section,
        )


class DocumentResponse(Struct, frozen=True):
    """Coupons stand among the *discounts*. *content_digest* is what the PDF of the same revision has at its foot."""

    number: str
    revision: int
    title: str
    locale: str
    issued_on: date
    valid_until: date
    time_zone: str
    seller: DocumentPartySchema
    buyer: DocumentPartySchema
    contact_name: str
    salesperson: str
    currency: str
    prices_include_tax: str | None
    lines: list[DocumentLineSchema]
    discounts: list[DocumentDiscountSchema]
    charges: list[DocumentChargeSchema]
    instalments: list[InstalmentSchema]
    calculation: CalculationSchema
    terms: str
    content_digest: str

    @classmethod
    def of(cls, offer: SentOffer) -> Self:
        document, content = offer.document, offer.content
        pricing = content.pricing()
        return cls(
            number=document.number,
            revision=document.revision,
            title=document.title,
            locale=document.locale,
            issued_on=document.issued_on,
            valid_until=document.valid_until,
            time_zone=content.time_zone,
            seller=DocumentPartySchema.of(document.seller),
            buyer=DocumentPartySchema.of(document.buyer),
            contact_name=document.contact_name,
            salesperson=document.salesperson,
            currency=content.currency.code,
            prices_include_tax=content.prices_include_tax,
            lines=[DocumentLineSchema.of(line) for line in content.lines],
            discounts=[DocumentDiscountSchema.of(discount) for discount in pricing.discounts],
            charges=[DocumentChargeSchema.of(charge) for charge in pricing.charges],
            instalments=[InstalmentSchema.of(part) for part in content.instalments],
            calculation=CalculationSchema.of(document.calculation),
            terms=document.terms,
            content_digest=document.content_digest,
        )
