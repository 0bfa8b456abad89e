"""Quotes on the wire."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.ports.quoting import QuoteSummary
from src.application.quoting.drafting import DraftInput, LineInput
from src.domain.quoting.content import LineItem
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason, Revision
from src.domain.quoting.states import allowed_verbs
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, LineItemId, ProductId
from src.entrypoints.schemas.pricing import (
    CalculationSchema,
    ChargeSchema,
    DecimalText,
    DiscountSchema,
    DocumentChargeSchema,
    DocumentDiscountSchema,
    TaxSchema,
    amount_text,
)

Digest = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}$(?!\n)",
        description="`content_digest` of the quote that you looked at: what you agree to is exactly that content.",
    ),
]


class LineRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One line. With *product_id*, whatever is absent comes from the product."""

    quantity: DecimalText
    id: Annotated[UUID | None, Meta(description="Of a line that is there already; keeps its identity.")] = None
    product_id: UUID | None = None
    sku: Annotated[str, Meta(max_length=60)] | None = None
    description: Annotated[str, Meta(max_length=2000)] | None = None
    unit: Annotated[str, Meta(max_length=10)] | None = None
    unit_price: DecimalText | None = None
    price_base_quantity: DecimalText = "1"
    discounts: list[DiscountSchema] = []
    charges: list[ChargeSchema] = []
    taxes: list[TaxSchema] | None = None

    def line(self) -> LineInput:
        return LineInput(
            id=None if self.id is None else LineItemId(self.id),
            product_id=None if self.product_id is None else ProductId(self.product_id),
            sku=self.sku,
            description=self.description,
            unit=self.unit,
            quantity=Decimal(self.quantity),
            unit_price=None if self.unit_price is None else Decimal(self.unit_price),
            price_base_quantity=Decimal(self.price_base_quantity),
            discounts=tuple(discount.discount() for discount in self.discounts),
            charges=tuple(charge.charge() for charge in self.charges),
            taxes=None if self.taxes is None else tuple(tax.tax() for tax in self.taxes),
        )


class DraftRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent or null keeps its value, or takes the default of customer and organisation."""

    title: Annotated[str, Meta(max_length=200)] | None = None
    contact_id: Annotated[UUID | None, Meta(description="Who receives it; needed to submit.")] = None
    valid_until: Annotated[
        date | None, Meta(description="The last day, in the organisation's time zone; 30 days when absent.")
    ] = None
    currency: Annotated[str | None, Meta(description="ISO 4217.", examples=["EUR"])] = None
    prices_include_tax: (
        Annotated[
            str,
            Meta(
                max_length=20,
                examples=["VAT"],
                description="The tax category that prices contain; empty: prices are without tax.",
            ),
        ]
        | None
    ) = None
    locale: Annotated[str, Meta(max_length=35, examples=["de"])] | None = None
    terms: Annotated[str, Meta(max_length=10_000)] | None = None
    lines: Annotated[list[LineRequest], Meta(max_length=10_000)] | None = None
    discounts: list[DocumentDiscountSchema] | None = None
    charges: list[DocumentChargeSchema] | None = None

    def draft(self) -> DraftInput:
        return DraftInput(
            title=self.title,
            contact_id=None if self.contact_id is None else ContactId(self.contact_id),
            valid_until=self.valid_until,
            currency=None if self.currency is None else Currency.of(self.currency),
            prices_include_tax=self.prices_include_tax,
            locale=self.locale,
            terms=self.terms,
            lines=None if self.lines is None else tuple(line.line() for line in self.lines),
            discounts=None
            if self.discounts is None
            else tuple(discount.document_discount() for discount in self.discounts),
            charges=None if self.charges is None else tuple(charge.document_charge() for charge in self.charges),
        )


class CreateQuoteRequest(DraftRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    customer_id: UUID


class CalculateRequest(DraftRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    customer_id: UUID | None = None


class EditQuoteRequest(DraftRequest, frozen=True, forbid_unknown_fields=True):
    pass


class DecisionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    content_digest: Digest
    reason: Annotated[str, Meta(max_length=2000)] = ""


class RejectionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    content_digest: Digest
    reason: Annotated[str, Meta(min_length=1, max_length=2000, examples=["The discount is not covered."])]


class SendRequest(Struct, frozen=True, forbid_unknown_fields=True):
    content_digest: Digest | None = None
    note: Annotated[str, Meta(max_length=2000, description="A sentence of yours in the mail.")] = ""


class CancelRequest(Struct, frozen=True, forbid_unknown_fields=True):
    reason: CancelReason


class LineResponse(Struct, frozen=True):
    """Amounts stand at the same position in ``calculation.lines``."""

    id: UUID
    product_id: UUID | None
    sku: str
    description: str
    unit: str
    quantity: str
    unit_price: str
    price_base_quantity: str
    discounts: list[DiscountSchema]
    charges: list[ChargeSchema]
    taxes: list[TaxSchema]

    @classmethod
    def of(cls, line: LineItem) -> Self:
        pricing = line.pricing
        return cls(
            id=line.id,
            product_id=line.product_id,
            sku=line.sku,
            description=line.description,
            unit=line.unit,
            quantity=decimal_text(pricing.quantity),
            unit_price=decimal_text(pricing.unit_price),
            price_base_quantity=decimal_text(pricing.price_base_quantity),
            discounts=[DiscountSchema.of(discount) for discount in pricing.discounts],
            charges=[ChargeSchema.of(charge) for charge in pricing.charges],
            taxes=[TaxSchema.of(tax) for tax in pricing.taxes],
        )


class RevisionHeader(Struct, frozen=True):
    revision: int
    status: str
    content_digest: str | None
    created_at: datetime
    sent_at: datetime | None
    end_reason: str

    @classmethod
    def of(cls, revision: Revision) -> Self:
        return cls(
            revision=revision.number,
            status=revision.status.value,
            content_digest=revision.content_digest,
            created_at=revision.created_at,
            sent_at=revision.sent_at,
            end_reason=revision.end_reason,
        )


class QuoteResponse(Struct, frozen=True):
    """A quote with its current revision; *version* is its ETag, *revision* what the buyer sees."""

    id: UUID
    number: str
    version: int
    revision: int
    status: str
    allowed_verbs: list[str]
    title: str
    customer_id: UUID
    customer_name: str
    contact_id: UUID | None
    contact_name: str | None
    owner_id: UUID
    salesperson: str
    valid_until: date
    time_zone: str
    locale: str
    currency: str
    prices_include_tax: str | None
    rounding: str
    tax_rounding: str
    inclusive_tax: str
    lines: list[LineResponse]
    discounts: list[DocumentDiscountSchema]
    charges: list[DocumentChargeSchema]
    terms: str
    calculation: CalculationSchema
    content_digest: str | None
    created_at: datetime
    sent_at: datetime | None
    end_reason: str
    revisions: list[RevisionHeader]

    @classmethod
    def of(cls, quote: Quote) -> Self:
        revision = quote.current
        content, recipient = revision.content, revision.content.recipient
        return cls(
            id=quote.id,
            number=quote.number,
            version=quote.version,
            revision=revision.number,
            status=revision.status.value,
            allowed_verbs=[verb.value for verb in allowed_verbs(revision.status)],
            title=content.title,
            customer_id=quote.customer_id,
            customer_name=content.buyer.name,
            contact_id=None if recipient is None else recipient.contact_id,
            contact_name=None if recipient is None else recipient.name,
            owner_id=quote.owner_id,
            salesperson=content.salesperson,
            valid_until=content.valid_until,
            time_zone=content.time_zone,
            locale=content.locale,
            currency=content.currency.code,
            prices_include_tax=content.prices_include_tax,
            rounding=content.settings.rounding.value,
            tax_rounding=content.settings.tax_rounding.value,
            inclusive_tax=content.settings.inclusive_tax.value,
            lines=[LineResponse.of(line) for line in content.lines],
            discounts=[DocumentDiscountSchema.of(discount) for discount in content.discounts],
            charges=[DocumentChargeSchema.of(charge) for charge in content.charges],
            terms=content.terms,
            calculation=CalculationSchema.of(revision.calculation),
            content_digest=revision.content_digest,
            created_at=quote.created_at,
            sent_at=revision.sent_at,
            end_reason=revision.end_reason,
            revisions=[RevisionHeader.of(one) for one in quote.revisions],
        )


class QuoteSummaryResponse(Struct, frozen=True):
    id: UUID
    number: str
    revision: int
    status: str
    title: str
    customer_id: UUID
    customer_name: str
    owner_id: UUID
    currency: str
    total_without_tax: str
    tax_total: str
    payable: str
    valid_until: date
    created_at: datetime
    version: int

    @classmethod
    def of(cls, quote: QuoteSummary) -> Self:
        digits = quote.currency.minor_digits
        return cls(
            id=quote.id,
            number=quote.number,
            revision=quote.revision,
            status=quote.status.value,
            title=quote.title,
            customer_id=quote.customer_id,
            customer_name=quote.customer_name,
            owner_id=quote.owner_id,
            currency=quote.currency.code,
            total_without_tax=amount_text(quote.total_without_tax, digits),
            tax_total=amount_text(quote.tax_total, digits),
            payable=amount_text(quote.payable, digits),
            valid_until=quote.valid_until,
            created_at=quote.created_at,
            version=quote.version,
        )
