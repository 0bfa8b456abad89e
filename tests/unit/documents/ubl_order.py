"""The part of UBL 2.1 that our quotations use: the children of each element in the order of the schema's sequence.

``!`` marks what has to be there, ``*`` what may be there several times. Written down from the published schemas
(UBL-Quotation-2.1 and UBL-CommonAggregateComponents-2.1), because no package that carries them could be installed here.
"""

from collections.abc import Iterator
from typing import Any

from lxml.etree import QName

from src.adapters.documents.ubl import CAC, CBC, ROOT

_PARTY = "PartyName* PostalAddress PartyTaxScheme* PartyLegalEntity* Contact"
_CATEGORY = "ID Percent TaxExemptionReasonCode TaxExemptionReason* TaxScheme!"
SEQUENCES = {
    "Quotation": "UBLVersionID ID IssueDate! Note* PricingCurrencyCode LineCountNumeric ValidityPeriod "
    "AdditionalDocumentReference* SellerSupplierParty! BuyerCustomerParty TransactionConditions AllowanceCharge* "
    "TaxTotal* QuotedMonetaryTotal! QuotationLine!*",
    "ValidityPeriod": "EndDate",
    "AdditionalDocumentReference": "ID! DocumentType",
    "SellerSupplierParty": "Party",
    "BuyerCustomerParty": "Party",
    "Party": _PARTY,
    "PartyName": "Name!",
    "PostalAddress": "StreetName CityName PostalZone CountrySubentity Country",
    "Country": "IdentificationCode",
    "PartyTaxScheme": "CompanyID TaxScheme!",
    "PartyLegalEntity": "RegistrationName CompanyID",
    "Contact": "Name ElectronicMail",
    "TransactionConditions": "Description*",
    "AllowanceCharge": "ChargeIndicator! AllowanceChargeReason* Amount! TaxCategory*",
    "TaxTotal": "TaxAmount! TaxSubtotal*",
    "TaxSubtotal": "TaxableAmount TaxAmount! TaxCategory!",
    "TaxCategory": _CATEGORY,
    "ClassifiedTaxCategory": _CATEGORY,
    "TaxScheme": "ID",
    "QuotedMonetaryTotal": "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount AllowanceTotalAmount "
    "ChargeTotalAmount PrepaidAmount PayableRoundingAmount PayableAmount!",
    "QuotationLine": "ID LineItem!",
    "LineItem": "ID! Note* Quantity LineExtensionAmount AllowanceCharge* Price Item!",
    "Price": "PriceAmount! BaseQuantity",
    "Item": "Description* Name SellersItemIdentification ClassifiedTaxCategory*",
    "SellersItemIdentification": "ID!",
}


def faults_of(element: Any) -> Iterator[str]:
    """What the schema would not take: unknown or misplaced elements, missing or repeated ones, empty ones."""
    name, children = QName(element).localname, list(element)
    if not children:
        yield from _faults_of_value(element, name)
        return
    sequence = SEQUENCES.get(name)
    if sequence is None or QName(element).namespace != (ROOT if name == "Quotation" else CAC):
        yield f"{name} is unknown"
        return
    yield from _faults_of_sequence(name, sequence, [QName(child).localname for child in children])
    for child in children:
        yield from faults_of(child)


def _faults_of_value(element: Any, name: str) -> Iterator[str]:
    if QName(element).namespace != CBC or not (element.text or "").strip():
        yield f"{name} is empty"
    for end, attribute in (("Amount", "currencyID"), ("Quantity", "unitCode")):
        if name.endswith(end) and not element.get(attribute):
            yield f"{name} has no {attribute}"


def _faults_of_sequence(name: str, sequence: str, names: list[str]) -> Iterator[str]:
    allowed = [one.rstrip("!*") for one in sequence.split()]
    if strangers := [one for one in names if one not in allowed]:
        yield f"{name} has {strangers}"
    elif [allowed.index(one) for one in names] != sorted(allowed.index(one) for one in names):
        yield f"{name} has {names}, out of order"
    for one in sequence.split():
        count = names.count(one.rstrip("!*"))
        if ("!" in one and not count) or ("*" not in one and count > 1):
            yield f"{name} has {count} {one}"
