"""Quotes on the wire."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self
from uuid import UUID

from msgspec import Meta, Struct, UnsetType

from src.application.ports.quoting import QuoteSummary
from src.application.prices.lines import LineInput
from src.application.prices.staleness import LineCheck
from src.application.quoting.drafting import CurrencyChange, DraftInput
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.content import AppliedCoupon, ContactRole, FrozenRate, LineItem, Participant
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason, Revision
from src.domain.quoting.states import allowed_verbs
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, LineItemId, ProductId
from src.entrypoints.http.approvals.schemas import OutcomeSchema
from src.entrypoints.http.catalog.schemas import Custom
from src.entrypoints.schemas.digest import Digest
from src.entrypoints.schemas.explanation import ExplanationSchema, PriceSourceSchema
from src.entrypoints.schemas.pricing import (
    CalculationSchema,
    ChargeSchema,
    DecimalText,
    DepositSchema,
    DiscountSchema,
    DocumentChargeSchema,
    DocumentDiscountSchema,
    InstalmentSchema,
    TaxSchema,
    amount_text,
)


class LineRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """One line. With *product_id*, whatever is absent comes from the product."""

    quantity: DecimalText
    id: Annotated[UUID | None, Meta(description="Of a line that is there already; keeps its identity.")] = None
    product_id: UUID | None = None
    sku: Annotated[str, Meta(max_length=60)] | None = None
    description: Annotated[str, Meta(max_length=2000)] | None = None
    unit: Annotated[str, Meta(max_length=10)] | None = None
    unit_price: Annotated[DecimalText | None, Meta(description="The catalogue's when absent.")] = None
    price_reason: Annotated[
        str, Meta(max_length=200, description="Why the price is not the catalogue's; needed where it is not.")
    ] = ""
    price_base_quantity: DecimalText | None = None
    discounts: list[DiscountSchema] = []
    charges: list[ChargeSchema] = []
    taxes: list[TaxSchema] | None = None
    optional: Annotated[bool, Meta(description="Shown, but in no total until it is chosen.")] = False
    chosen: bool = False
    unit_cost: Annotated[DecimalText | None, Meta(description="The product's when absent.")] = None
    section: Annotated[str, Meta(max_length=200)] = ""

    def line(self) -> LineInput:
        return LineInput(
            id=None if self.id is None else LineItemId(self.id),
            product_id=None if self.product_id is None else ProductId(self.product_id),
            sku=self.sku,
            description=self.description,
            unit=self.unit,
            quantity=Decimal(self.quantity),
            unit_price=None if self.unit_price is None else Decimal(self.unit_price),
            price_reason=self.price_reason,
            price_base_quantity=None if self.price_base_quantity is None else Decimal(self.price_base_quantity),
            discounts=tuple(discount.discount() for discount in self.discounts),
            charges=tuple(charge.charge() for charge in self.charges),
            taxes=None if self.taxes is None else tuple(tax.tax() for tax in self.taxes),
            optional=self.optional,
            chosen=self.chosen,
            unit_cost=None if self.unit_cost is None else Decimal(self.unit_cost),
            section=self.section,
        )


class ParticipantRequest(Struct, frozen=True, forbid_unknown_fields=True):
    contact_id: UUID
    role: Annotated[ContactRole, Meta(description="Who signs for the buyer, or gets a copy.")]


class ParticipantSchema(Struct, frozen=True):
    contact_id: UUID
    role: str
    name: str

    @classmethod
    def of(cls, one: Participant) -> Self:
        return cls(contact_id=one.contact_id, role=one.role.value, name=one.name)


class DraftRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent or null keeps its value, or takes the default of customer and organisation."""

    title: Annotated[str, Meta(max_length=200)] | None = None
    contact_id: Annotated[UUID | None, Meta(description="Who receives it; needed to submit.")] = None
    participants: Annotated[list[ParticipantRequest], Meta(max_length=20)] | None = None
    custom: Custom | None = None
    valid_until: Annotated[
        date | None,
        Meta(description="The last day, in the organisation's time zone, today or later; in 30 days when absent."),
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
    on_currency_change: Annotated[
        CurrencyChange | None, Meta(description="What becomes of the lines when the currency changes.")
    ] = None
    pricing_date: Annotated[
        date | None, Meta(description="The day whose prices and tax rates hold; the day of creation when absent.")
    ] = None
    coupons: Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=10)] | None = None
    cash_rounding: Annotated[DecimalText | None, Meta(description="A step such as 0.05; 0 is none.")] = None
    prepaid: DecimalText | None = None
    deposit: DepositSchema | None = None
    instalments: Annotated[list[InstalmentSchema], Meta(max_length=60)] | None = None

    def draft(self) -> DraftInput:
        return DraftInput(
            title=self.title,
            contact_id=None if self.contact_id is None else ContactId(self.contact_id),
            custom=self.custom,
            participants=None
            if self.participants is None
            else tuple((ContactId(one.contact_id), one.role) for one in self.participants),
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
            on_currency_change=self.on_currency_change,
            pricing_date=self.pricing_date,
            coupons=None if self.coupons is None else tuple(self.coupons),
            cash_rounding=None if self.cash_rounding is None else Decimal(self.cash_rounding),
            prepaid=None if self.prepaid is None else Decimal(self.prepaid),
            deposit=None if self.deposit is None else self.deposit.deposit(),
            instalments=None if self.instalments is None else tuple(one.instalment() for one in self.instalments),
        )


class CreateQuoteRequest(DraftRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    customer_id: UUID


class CalculateRequest(DraftRequest, frozen=True, forbid_unknown_fields=True, kw_only=True):
    customer_id: UUID | None = None


class EditQuoteRequest(DraftRequest, frozen=True, forbid_unknown_fields=True):
    pass


class SubmitRequest(Struct, frozen=True, forbid_unknown_fields=True):
    keep_prices: Annotated[
        bool, Meta(description="Submit prices that the catalogue no longer has; needs `quotes.keep_prices`.")
    ] = False


class RepriceRequest(Struct, frozen=True, forbid_unknown_fields=True):
    dry_run: Annotated[bool, Meta(description="Tell what would change, and change nothing.")] = False
    include_manual: Annotated[bool, Meta(description="Replace typed prices too.")] = False
    pricing_date: Annotated[date | None, Meta(description="The draft's when absent.")] = None


class LineCheckSchema(Struct, frozen=True):
    """A line whose price or tax is not the catalogue's. *new_unit_price* null: the catalogue has none, or it stays."""

    line_id: UUID
    sku: str
    old_unit_price: str
    new_unit_price: str | None
    new_taxes: list[TaxSchema] | None
    reasons: list[str]
    price: PriceSourceSchema | None

    @classmethod
    def of(cls, check: LineCheck) -> Self:
        return cls(
            line_id=check.line_id,
            sku=check.sku,
            old_unit_price=decimal_text(check.old_unit_price),
            new_unit_price=None if check.source is None else decimal_text(check.source.unit_price),
            new_taxes=None if check.taxes is None else [TaxSchema.of(tax) for tax in check.taxes],
            reasons=[reason.value for reason in check.reasons],
            price=None if check.source is None else PriceSourceSchema.of(check.source),
        )


StepKey = Annotated[
    str,
    Meta(
        max_length=60,
        description="Which step, as the approval shows it; needed for one that opens after your first yes.",
    ),
]


class DecisionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    content_digest: Digest
    reason: Annotated[str, Meta(max_length=2000)] = ""
    step: StepKey | None = None


class RejectionRequest(Struct, frozen=True, forbid_unknown_fields=True):
    content_digest: Digest
    reason: Annotated[str, Meta(min_length=1, max_length=2000, examples=["The discount is not covered."])]
    step: StepKey | None = None


class SendRequest(Struct, frozen=True, forbid_unknown_fields=True):
    content_digest: Digest | None = None
    note: Annotated[str, Meta(max_length=2000, description="A sentence of yours in the mail.")] = ""


class ResendRequest(Struct, frozen=True, forbid_unknown_fields=True):
    contact_ids: (
        Annotated[
            list[UUID],
            Meta(max_length=100, description="Some of those whom the offer names as recipient or for a copy."),
        ]
        | None
    ) = None
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
    optional: bool
    chosen: bool
    section: str
    unit_cost: str | UnsetType | None
    price: PriceSourceSchema | None

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
            optional=pricing.optional,
            chosen=pricing.chosen,
            section=pricing.section,
            unit_cost=None if pricing.unit_cost is None else decimal_text(pricing.unit_cost),
            price=None if line.price_source is None else PriceSourceSchema.of(line.price_source),
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


class AppliedCouponSchema(Struct, frozen=True):
    code: str
    percent: str | None
    amount: str | None
    line_ids: list[UUID] | None

    @classmethod
    def of(cls, coupon: AppliedCoupon) -> Self:
        return cls(
            code=coupon.code,
            percent=None if coupon.percent is None else decimal_text(coupon.percent),
            amount=None if coupon.amount is None else decimal_text(coupon.amount),
            line_ids=None if coupon.line_ids is None else list(coupon.line_ids),
        )


class ConversionSchema(Struct, frozen=True):
    """The rate frozen at submission, and the document's totals converted by it: not a sum of converted lines."""

    base: str
    target: str
    rate: str
    source: str
    as_of: date
    total_without_tax: str
    total_with_tax: str
    payable: str

    @classmethod
    def of(cls, rate: FrozenRate, calculation: Calculation) -> Self:
        digits = rate.target.minor_digits
        return cls(
            base=rate.base.code,
            target=rate.target.code,
            rate=decimal_text(rate.rate),
            source=rate.source,
            as_of=rate.as_of,
            total_without_tax=amount_text(rate.convert(calculation.total_without_tax), digits),
            total_with_tax=amount_text(rate.convert(calculation.total_with_tax), digits),
            payable=amount_text(rate.convert(calculation.payable), digits),
        )


class QuoteResponse(Struct, frozen=True):
    """A quote with its current revision; *version* is its ETag, *revision* what the buyer sees.

    *stale_prices* are the lines of a draft whose prices the catalogue no longer has; null where nobody looked.
    """

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
    participants: list[ParticipantSchema]
    custom: dict[str, str]
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
    pricing_date: date | None
    coupons: list[AppliedCouponSchema]
    cash_rounding: str | None
    prepaid: str
    deposit: DepositSchema | None
    instalments: list[InstalmentSchema]
    exchange_rate: ConversionSchema | None
    stale_prices: list[LineCheckSchema] | None
    calculation: CalculationSchema
    content_digest: str | None
    created_at: datetime
    sent_at: datetime | None
    end_reason: str
    revisions: list[RevisionHeader]

    @classmethod
    def of(cls, quote: Quote, stale: Sequence[LineCheck] | None = None) -> Self:
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
            participants=[ParticipantSchema.of(one) for one in content.participants],
            custom=dict(content.custom),
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
            pricing_date=content.pricing_date,
            coupons=[AppliedCouponSchema.of(coupon) for coupon in content.coupons],
            cash_rounding=None if content.cash_rounding is None else decimal_text(content.cash_rounding),
            prepaid=decimal_text(content.prepaid),
            deposit=None if content.deposit is None else DepositSchema.of(content.deposit),
            instalments=[InstalmentSchema.of(instalment) for instalment in content.instalments],
            exchange_rate=None
            if content.exchange_rate is None
            else ConversionSchema.of(content.exchange_rate, revision.calculation),
            stale_prices=None if stale is None else [LineCheckSchema.of(check) for check in stale],
            calculation=CalculationSchema.of(revision.calculation),
            content_digest=revision.content_digest,
            created_at=quote.created_at,
            sent_at=revision.sent_at,
            end_reason=revision.end_reason,
            revisions=[RevisionHeader.of(one) for one in quote.revisions],
        )


class RepriceResponse(Struct, frozen=True):
    """What was changed, or with *dry_run* what would be."""

    dry_run: bool
    lines: list[LineCheckSchema]
    quote: QuoteResponse


class CalculateResponse(CalculationSchema, frozen=True):
    """What it comes to; *explanation* is there with `explain=true`."""

    explanation: ExplanationSchema | None = None


class DecidedQuoteResponse(QuoteResponse, frozen=True):
    """The quote after your decision."""

    decision: OutcomeSchema


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
