"""Offers as OASIS UBL 2.1 Quotation. The elements stand in the order of the schema's sequences."""

import re

# Only ever writes; the module's weakness is reading what strangers send.
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from decimal import Decimal
from xml.etree.ElementTree import Element

from src.adapters.documents.labels import LABELS
from src.application.ports.documents import QuotationWriter, QuoteDocument
from src.domain.documents import notation_for
from src.domain.quoting.allowances import TaxedAllowance
from src.domain.quoting.calculation import Calculation, LineAmounts, TaxSubtotal
from src.domain.quoting.content import LineItem, QuoteContent, Recipient
from src.domain.quoting.pricing import Charge, Discount, Tax
from src.domain.shared.canonical import decimal_text
from src.domain.shared.party import Party
from src.domain.shared.uncl import tax_code

ROOT = "urn:oasis:names:specification:ubl:schema:xsd:Quotation-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
UBL_VERSION = "2.1"
ONE_PIECE = "C62"  # What UN/ECE Recommendation 20 calls one; the standard wants some unit (BR-23).
UNTAXED = frozenset(
    {"E", "AE", "K", "G", "O"}
)  # These have to say why (BR-E-10 and its siblings), the others must not.
NOT_SUBJECT = "O"  # The one category without a rate (BR-O-5).
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # No XML 1.0 can hold them.
_LONGEST_NAME = 100


class UblQuotationWriter(QuotationWriter):
    def write(self, document: QuoteDocument, content: QuoteContent, allowances: Sequence[TaxedAllowance]) -> bytes:
        root = _Quotation(document, content, allowances).element()
        ET.indent(root)
        text: str = ET.tostring(root, encoding="unicode")
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


class _Quotation:
    def __init__(self, document: QuoteDocument, content: QuoteContent, allowances: Sequence[TaxedAllowance]) -> None:
        self._document, self._content, self._allowances = document, content, allowances
        self._calculation: Calculation = document.calculation

    def element(self) -> Element:
        document, calculation = self._document, self._calculation
        # The prefixes are written by hand, because a registered one would be the whole process's.
        root = Element("Quotation", {"xmlns": ROOT, "xmlns:cac": CAC, "xmlns:cbc": CBC})
        lines = [*zip(self._content.lines, calculation.lines, strict=True)]
        counted = [(number, *line) for number, line in enumerate(lines, start=1) if line[1].counts]
        _text(root, "UBLVersionID", UBL_VERSION)
        _text(root, "ID", f"{document.number}-{document.revision}")
        _text(root, "IssueDate", document.issued_on.isoformat())
        for note in self._notes():
            _text(root, "Note", note)
        _text(root, "PricingCurrencyCode", calculation.currency.code)
        _text(root, "LineCountNumeric", str(len(counted)))
        _text(_below(root, "ValidityPeriod"), "EndDate", document.valid_until.isoformat())
        if document.content_digest:
            reference = _below(root, "AdditionalDocumentReference")
            _text(reference, "ID", document.content_digest)
            _text(reference, "DocumentType", "SHA-256 of the content")
        seller = _party(_below(root, "SellerSupplierParty"), document.seller)
        if document.salesperson:
            _text(_below(seller, "Contact"), "Name", document.salesperson)
        buyer = _party(_below(root, "BuyerCustomerParty"), document.buyer)
        _contact(buyer, self._content.recipient)
        if document.terms:
            _text(_below(root, "TransactionConditions"), "Description", document.terms)
        for allowance in self._allowances:
            adjustment = self._adjustment(root, allowance.amount, allowance.reason, charge=allowance.charge)
            _category(adjustment, "TaxCategory", allowance.tax)
        self._taxes(root)
        self._totals(root)
        for number, line, amounts in counted:
            self._line(root, number, line, amounts)
        return root

    def _notes(self) -> list[str]:
        """What the schema has no place for: the title, options that are not chosen, how it is paid."""
        document, calculation = self._document, self._calculation
        labels = LABELS[notation_for(document.locale).language]
        notes = [document.title] if document.title else []
        for line, amounts in zip(self._content.lines, calculation.lines, strict=True):
            if not amounts.counts:
                told = " ".join(part for part in (line.sku, line.description) if part)
                quantity = f"{decimal_text(line.pricing.quantity)} {line.unit}".strip()
                notes.append(f"{labels.option}: {told}, {quantity}: {self._figure(amounts.net)}")
        if calculation.deposit:
            notes.append(f"{labels.deposit}: {self._figure(calculation.deposit)}")
        parts = zip(document.instalments, calculation.instalments, strict=True)
        for number, (part, amount) in enumerate(parts, start=1):
            name = part.label or f"{labels.instalment} {number}"
            notes.append(f"{name}: {self._figure(amount)} ({labels.days.format(part.days)})")
        return notes

    def _taxes(self, root: Element) -> None:
        total = _below(root, "TaxTotal")
        self._amount(total, "TaxAmount", self._calculation.tax_total)
        for group in self._calculation.taxes:
            self._tax(_below(total, "TaxSubtotal"), group)

    def _tax(self, subtotal: Element, group: TaxSubtotal) -> None:
        self._amount(subtotal, "TaxableAmount", group.base)
        self._amount(subtotal, "TaxAmount", group.amount)
        _category(subtotal, "TaxCategory", group.tax, reason=True)

    def _totals(self, root: Element) -> None:
        calculation, total = self._calculation, _below(root, "QuotedMonetaryTotal")
        self._amount(total, "LineExtensionAmount", calculation.line_net_total)
        self._amount(total, "TaxExclusiveAmount", calculation.total_without_tax)
        self._amount(total, "TaxInclusiveAmount", calculation.total_with_tax)
        for name, amount in (
            ("AllowanceTotalAmount", calculation.discount_total),
            ("ChargeTotalAmount", calculation.charge_total),
            ("PrepaidAmount", calculation.prepaid),
            ("PayableRoundingAmount", calculation.rounding),
        ):
            if amount:
                self._amount(total, name, amount)
        self._amount(total, "PayableAmount", calculation.payable)

    def _line(self, root: Element, number: int, line: LineItem, amounts: LineAmounts) -> None:
        quotation_line = _below(root, "QuotationLine")
        _text(quotation_line, "ID", str(number))
        item_line = _below(quotation_line, "LineItem")
        unit, pricing = {"unitCode": line.unit or ONE_PIECE}, line.pricing
        _text(item_line, "ID", str(number))
        if pricing.section:
            _text(item_line, "Note", pricing.section)
        _text(item_line, "Quantity", decimal_text(pricing.quantity), unit)
        self._amount(item_line, "LineExtensionAmount", amounts.net)
        given: list[tuple[Discount | Charge, Decimal, bool]] = [
            *((discount, amount, False) for discount, amount in zip(pricing.discounts, amounts.discounts, strict=True)),
            *((charge, amount, True) for charge, amount in zip(pricing.charges, amounts.charges, strict=True)),
        ]
        for adjustment, amount, charge in given:
            if amount:
                self._adjustment(item_line, amount, adjustment.reason, charge=charge)
        price = _below(item_line, "Price")
        # A price keeps all its decimals.
        _text(price, "PriceAmount", decimal_text(pricing.unit_price), self._currency())
        if pricing.price_base_quantity != 1:
            _text(price, "BaseQuantity", decimal_text(pricing.price_base_quantity), unit)
        _item(_below(item_line, "Item"), line)

    def _adjustment(self, parent: Element, amount: Decimal, reason: str, *, charge: bool) -> Element:
        adjustment = _below(parent, "AllowanceCharge")
        _text(adjustment, "ChargeIndicator", "true" if charge else "false")
        # Some reason is needed (BR-33, BR-38, BR-41 and BR-43).
        _text(adjustment, "AllowanceChargeReason", reason or ("Charge" if charge else "Discount"))
        self._amount(adjustment, "Amount", amount)
        return adjustment

    def _amount(self, parent: Element, name: str, amount: Decimal) -> None:
        _text(parent, name, f"{amount:.{self._calculation.minor_digits}f}", self._currency())

    def _figure(self, amount: Decimal) -> str:
        return f"{amount:.{self._calculation.minor_digits}f} {self._calculation.currency.code}"

    def _currency(self) -> dict[str, str]:
        return {"currencyID": self._calculation.currency.code}


def _item(item: Element, line: LineItem) -> None:
    first_line = line.description.strip().partition("\n")[0].strip()
    if line.description:
        _text(item, "Description", line.description)
    _text(item, "Name", (first_line or line.sku or "-")[:_LONGEST_NAME])  # BR-25 wants a name.
    if line.sku:
        _text(_below(item, "SellersItemIdentification"), "ID", line.sku)
    _category(item, "ClassifiedTaxCategory", line.pricing.taxes[0])


def _party(parent: Element, party: Party) -> Element:
    element, address = _below(parent, "Party"), party.address
    _text(_below(element, "PartyName"), "Name", party.name)
    postal = _below(element, "PostalAddress")
    for name, value in (
        ("StreetName", address.street),
        ("CityName", address.city),
        ("PostalZone", address.postal_code),
        ("CountrySubentity", address.region),
    ):
        if value:
            _text(postal, name, value)
    if address.country:
        _text(_below(postal, "Country"), "IdentificationCode", address.country)
    if party.vat_number:
        scheme = _below(element, "PartyTaxScheme")
        _text(scheme, "CompanyID", party.vat_number)
        _text(_below(scheme, "TaxScheme"), "ID", "VAT")
    entity = _below(element, "PartyLegalEntity")
    _text(entity, "RegistrationName", party.name)
    if party.registration_number:
        _text(entity, "CompanyID", party.registration_number)
    return element


def _contact(party: Element, recipient: Recipient | None) -> None:
    if recipient is not None:
        contact = _below(party, "Contact")
        _text(contact, "Name", recipient.name)
        _text(contact, "ElectronicMail", recipient.email)


def _category(parent: Element, name: str, tax: Tax, *, reason: bool = False) -> None:
    """With a *reason* why nothing is taxed, as the breakdown has to say it."""
    element, code = _below(parent, name), tax_code(tax.category, tax.rate_percent)
    _text(element, "ID", code.category)
    if code.category != NOT_SUBJECT:
        _text(element, "Percent", decimal_text(tax.rate_percent or Decimal(0)))
    if reason and code.category in UNTAXED:
        known = tax.code.upper().startswith("VATEX-")
        why = tax.code or LABELS["en"].tax_categories[code.category]
        _text(element, "TaxExemptionReasonCode" if known else "TaxExemptionReason", why)
    _text(_below(element, "TaxScheme"), "ID", code.scheme)


def _below(parent: Element, name: str) -> Element:
    child = Element(f"cac:{name}")
    parent.append(child)
    return child


def _text(parent: Element, name: str, text: str, attributes: dict[str, str] | None = None) -> None:
    child = Element(f"cbc:{name}", attributes or {})
    child.text = _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
    parent.append(child)
