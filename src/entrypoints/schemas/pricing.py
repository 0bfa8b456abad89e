"""Figures on the wire: decimals as texts, money as strings with the currency beside. Shared by HTTP and files."""

import re
from decimal import Decimal
from typing import Annotated, Final, Self

from msgspec import Meta, Struct, UnsetType

from src.domain.quoting.calculation import Calculation, LineAmounts, TaxSubtotal
from src.domain.quoting.pricing import (
    Charge,
    Deposit,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    Instalment,
    LinePricing,
    Tax,
)
from src.domain.shared.canonical import decimal_text

_DECIMAL: Final = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$(?!\n)"  # A bare $ lets a last line feed pass in Python.

# Text, because a field of type Decimal would take "NaN", "Infinity", "1e400", "1_000" and JSON floats.
DecimalText = Annotated[
    str, Meta(pattern=_DECIMAL, examples=["1250.00"], description="A decimal as text, with at most 6 decimals.")
]
Reason = Annotated[str, Meta(max_length=200, examples=["Volume"])]

_MATCHES: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?", re.ASCII)


def is_decimal_text(text: str) -> bool:
    """Whether *text* is a plain decimal of the form that requests take."""
    return _MATCHES.fullmatch(text) is not None


def amount_text(amount: Decimal, minor_digits: int) -> str:
    """An amount with exactly the minor digits of its currency: ``1250.00``, ``-3``; it is rounded already."""
    text = str(amount)
    # Amounts come out of the calculator with these digits; formatting again takes ten times as long as looking.
    point = text.find(".")
    decimals = len(text) - point - 1 if point >= 0 else 0
    return text if decimals == minor_digits and "E" not in text else f"{amount:.{minor_digits}f}"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _optional_amount(amount: Decimal | None, digits: int) -> str | None:
    return None if amount is None else amount_text(amount, digits)


def _optional_text(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


class TaxSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """One tax. *rate_percent* null is exempt, with *code* saying why; a *retained* tax is withheld by the buyer."""

    category: Annotated[str, Meta(min_length=1, max_length=20, examples=["VAT"])]
    rate_percent: DecimalText | None
    code: Annotated[str, Meta(max_length=60)] = ""
    surcharge_percent: DecimalText | None = None
    retained: bool = False

    def tax(self) -> Tax:
        return Tax(
            category=self.category,
            rate_percent=_decimal(self.rate_percent),
            code=self.code,
            surcharge_percent=_decimal(self.surcharge_percent),
            retained=self.retained,
        )

    @classmethod
    def of(cls, tax: Tax) -> Self:
        return cls(
            category=tax.category,
            rate_percent=_optional_text(tax.rate_percent),
            code=tax.code,
            surcharge_percent=_optional_text(tax.surcharge_percent),
            retained=tax.retained,
        )


class DiscountSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """A reduction: either *percent* (of the gross, or of *base*) or *amount*."""

    percent: DecimalText | None = None
    amount: DecimalText | None = None
    base: DecimalText | None = None
    reason: Reason = ""

    def discount(self) -> Discount:
        return Discount(
            percent=_decimal(self.percent),
            amount=_decimal(self.amount),
            base=_decimal(self.base),
            reason=self.reason,
        )

    @classmethod
    def of(cls, discount: Discount) -> Self:
        return cls(
            percent=_optional_text(discount.percent),
            amount=_optional_text(discount.amount),
            base=_optional_text(discount.base),
            reason=discount.reason,
        )


class ChargeSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """An addition: either *percent* (of the gross, or of *base*) or *amount*."""

    percent: DecimalText | None = None
    amount: DecimalText | None = None
    base: DecimalText | None = None
    reason: Reason = ""

    def charge(self) -> Charge:
        return Charge(
            percent=_decimal(self.percent),
            amount=_decimal(self.amount),
            base=_decimal(self.base),
            reason=self.reason,
        )

    @classmethod
    def of(cls, charge: Charge) -> Self:
        return cls(
            percent=_optional_text(charge.percent),
            amount=_optional_text(charge.amount),
            base=_optional_text(charge.base),
            reason=charge.reason,
        )


class DocumentDiscountSchema(DiscountSchema, frozen=True, forbid_unknown_fields=True):
    """A reduction of the whole offer. Without *taxes* it is apportioned over all tax groups."""

    taxes: list[TaxSchema] | None = None

    def document_discount(self) -> DocumentDiscount:
        return DocumentDiscount(
            percent=_decimal(self.percent),
            amount=_decimal(self.amount),
            base=_decimal(self.base),
            reason=self.reason,
            taxes=_taxes(self.taxes),
        )

    @classmethod
    def of(cls, discount: Discount) -> Self:
        taxes = discount.taxes if isinstance(discount, DocumentDiscount) else None
        return cls(
            percent=_optional_text(discount.percent),
            amount=_optional_text(discount.amount),
            base=_optional_text(discount.base),
            reason=discount.reason,
            taxes=None if taxes is None else [TaxSchema.of(tax) for tax in taxes],
        )


class DocumentChargeSchema(ChargeSchema, frozen=True, forbid_unknown_fields=True):
    """An addition to the whole offer. Without *taxes* it is apportioned over all tax groups."""

    taxes: list[TaxSchema] | None = None

    def document_charge(self) -> DocumentCharge:
        return DocumentCharge(
            percent=_decimal(self.percent),
            amount=_decimal(self.amount),
            base=_decimal(self.base),
            reason=self.reason,
            taxes=_taxes(self.taxes),
        )

    @classmethod
    def of(cls, charge: Charge) -> Self:
        taxes = charge.taxes if isinstance(charge, DocumentCharge) else None
        return cls(
            percent=_optional_text(charge.percent),
            amount=_optional_text(charge.amount),
            base=_optional_text(charge.base),
            reason=charge.reason,
            taxes=None if taxes is None else [TaxSchema.of(tax) for tax in taxes],
        )


def _taxes(schemas: list[TaxSchema] | None) -> tuple[Tax, ...] | None:
    return None if schemas is None else tuple(schema.tax() for schema in schemas)


class PricedLineSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """The line of a request for quotation in a file: texts that say what it is, and its figures."""

    quantity: DecimalText
    unit_price: DecimalText
    sku: Annotated[str, Meta(max_length=60)] = ""
    description: Annotated[str, Meta(max_length=2000)] = ""
    unit: Annotated[str, Meta(max_length=10)] = "C62"
    price_base_quantity: DecimalText = "1"
    discounts: list[DiscountSchema] = []
    charges: list[ChargeSchema] = []
    taxes: list[TaxSchema] = []
    optional: bool = False
    chosen: bool = False
    unit_cost: DecimalText | None = None
    section: Annotated[str, Meta(max_length=200)] = ""

    def pricing(self) -> LinePricing:
        return LinePricing(
            quantity=Decimal(self.quantity),
            unit_price=Decimal(self.unit_price),
            price_base_quantity=Decimal(self.price_base_quantity),
            discounts=tuple(discount.discount() for discount in self.discounts),
            charges=tuple(charge.charge() for charge in self.charges),
            taxes=tuple(tax.tax() for tax in self.taxes),
            optional=self.optional,
            chosen=self.chosen,
            unit_cost=_decimal(self.unit_cost),
            section=self.section,
        )


class DepositSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """What is paid on acceptance: either *percent* of the payable amount or *amount*."""

    percent: DecimalText | None = None
    amount: DecimalText | None = None

    def deposit(self) -> Deposit:
        return Deposit(percent=_decimal(self.percent), amount=_decimal(self.amount))

    @classmethod
    def of(cls, deposit: Deposit) -> Self:
        return cls(percent=_optional_text(deposit.percent), amount=_optional_text(deposit.amount))


class InstalmentSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """One part of what the deposit leaves, in the proportion of its *share*, due *days* after acceptance."""

    share: DecimalText
    label: Annotated[str, Meta(max_length=200)] = ""
    days: Annotated[int, Meta(ge=0, le=3650)] = 0

    def instalment(self) -> Instalment:
        return Instalment(share=Decimal(self.share), label=self.label, days=self.days)

    @classmethod
    def of(cls, instalment: Instalment) -> Self:
        return cls(share=decimal_text(instalment.share), label=instalment.label, days=instalment.days)


class SectionSchema(Struct, frozen=True):
    title: str
    net: str


class LineAmountsSchema(Struct, frozen=True):
    """*document_share* is its part of the document's charges less that of the discounts. *counts* false: in no total."""

    gross: str
    discounts: list[str]
    charges: list[str]
    net: str
    document_share: str
    cost: str | UnsetType | None
    margin: str | UnsetType | None
    optional: bool
    counts: bool

    @classmethod
    def of(cls, line: LineAmounts, digits: int) -> Self:
        return cls(
            gross=amount_text(line.gross, digits),
            discounts=[amount_text(amount, digits) for amount in line.discounts],
            charges=[amount_text(amount, digits) for amount in line.charges],
            net=amount_text(line.net, digits),
            document_share=amount_text(line.document_share, digits),
            cost=_optional_amount(line.cost, digits),
            margin=_optional_amount(line.margin, digits),
            optional=line.optional,
            counts=line.counts,
        )


class TaxSubtotalSchema(Struct, frozen=True):
    tax: TaxSchema
    base: str
    amount: str
    surcharge_amount: str

    @classmethod
    def of(cls, subtotal: TaxSubtotal, digits: int) -> Self:
        return cls(
            tax=TaxSchema.of(subtotal.tax),
            base=amount_text(subtotal.base, digits),
            amount=amount_text(subtotal.amount, digits),
            surcharge_amount=amount_text(subtotal.surcharge_amount, digits),
        )


class CalculationSchema(Struct, frozen=True):
    """What an offer comes to, in *currency*; the names are those of EN 16931."""

    currency: str
    lines: list[LineAmountsSchema]
    line_net_total: str
    discounts: list[str]
    charges: list[str]
    discount_total: str
    charge_total: str
    total_without_tax: str
    taxes: list[TaxSubtotalSchema]
    tax_total: str
    total_with_tax: str
    retained_total: str
    prepaid: str
    rounding: str
    payable: str
    en16931_exact: bool
    sections: list[SectionSchema]
    deposit: str
    balance: str
    instalments: list[str]
    cost_total: str | UnsetType | None
    margin: str | UnsetType | None
    margin_percent: str | UnsetType | None

    @classmethod
    def of(cls, calculation: Calculation) -> Self:
        digits = calculation.minor_digits
        return cls(
            currency=calculation.currency.code,
            lines=[LineAmountsSchema.of(line, digits) for line in calculation.lines],
            line_net_total=amount_text(calculation.line_net_total, digits),
            discounts=[amount_text(amount, digits) for amount in calculation.discounts],
            charges=[amount_text(amount, digits) for amount in calculation.charges],
            discount_total=amount_text(calculation.discount_total, digits),
            charge_total=amount_text(calculation.charge_total, digits),
            total_without_tax=amount_text(calculation.total_without_tax, digits),
            taxes=[TaxSubtotalSchema.of(subtotal, digits) for subtotal in calculation.taxes],
            tax_total=amount_text(calculation.tax_total, digits),
            total_with_tax=amount_text(calculation.total_with_tax, digits),
            retained_total=amount_text(calculation.retained_total, digits),
            prepaid=amount_text(calculation.prepaid, digits),
            rounding=amount_text(calculation.rounding, digits),
            payable=amount_text(calculation.payable, digits),
            en16931_exact=calculation.en16931_exact,
            sections=[SectionSchema(title=one.title, net=amount_text(one.net, digits)) for one in calculation.sections],
            deposit=amount_text(calculation.deposit, digits),
            balance=amount_text(calculation.balance, digits),
            instalments=[amount_text(amount, digits) for amount in calculation.instalments],
            cost_total=_optional_amount(calculation.cost_total, digits),
            margin=_optional_amount(calculation.margin, digits),
            margin_percent=_optional_text(calculation.margin_percent),
        )
