"""Contents as rich as they may be, for round trips."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from src.domain.quoting.content import LineItem, QuoteContent, Recipient
from src.domain.quoting.pricing import Charge, Discount, DocumentCharge, DocumentDiscount, LinePricing, Tax
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, LineItemId
from src.domain.shared.party import Address, Party
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxMode, TaxRounding

# No control characters and no surrogates: those are refused before.
_texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)


def _decimals(low: str, high: str, places: int = 6) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places, allow_nan=False, allow_infinity=False)


_taxes = st.builds(
    Tax,
    category=st.sampled_from(["VAT", "IGIC", "S", "E"]),
    rate_percent=st.none() | _decimals("0", "30", 2),
    code=_texts,
    surcharge_percent=st.none() | _decimals("0", "10", 1),
    retained=st.booleans(),
)
_reduction = {"percent": _decimals("0", "20", 4), "reason": _texts}
_fixed = {"amount": _decimals("0", "1", 2), "reason": _texts}
_lines = st.builds(
    LineItem,
    id=st.uuids().map(LineItemId),
    sku=_texts,
    description=_texts,
    unit=st.sampled_from(["C62", "HUR", ""]),
    pricing=st.builds(
        LinePricing,
        quantity=_decimals("1", "1000"),
        unit_price=_decimals("1", "100000"),
        price_base_quantity=_decimals("1", "100", 2),
        discounts=st.lists(st.builds(Discount, **_reduction), max_size=2).map(tuple),
        charges=st.lists(st.builds(Charge, **_fixed), max_size=2).map(tuple),
        taxes=st.lists(_taxes, max_size=2, unique_by=lambda tax: tax.category).map(tuple),
    ),
)
_parties = st.builds(
    Party,
    name=_texts,
    address=st.builds(Address, street=_texts, postal_code=_texts, city=_texts, region=_texts, country=st.just("KR")),
    registration_number=_texts,
    vat_number=_texts,
)
contents = st.builds(
    QuoteContent,
    title=_texts,
    seller=_parties,
    buyer=_parties,
    recipient=st.none() | st.builds(Recipient, contact_id=st.uuids().map(ContactId), name=_texts, email=_texts),
    salesperson=_texts,
    valid_until=st.dates(date(2020, 1, 1), date(2090, 12, 31)),
    time_zone=st.sampled_from(["Europe/Berlin", "Asia/Seoul", "America/Sao_Paulo"]),
    locale=st.sampled_from(["en", "ko", "de-CH"]),
    currency=st.sampled_from(["EUR", "KRW", "OMR", "UYW"]).map(Currency.of),
    settings=st.builds(
        RoundingSettings,
        rounding=st.sampled_from(Rounding),
        tax_rounding=st.sampled_from(TaxRounding),
        inclusive_tax=st.sampled_from(InclusiveTax),
        tax_mode=st.sampled_from(TaxMode),
    ),
    prices_include_tax=st.none() | st.just("VAT"),
    lines=st.lists(_lines, max_size=4).map(tuple),
    discounts=st.just(()) | st.just((DocumentDiscount(percent=Decimal("2.5"), reason="Framework"),)),
    charges=st.just(())
    | st.just((DocumentCharge(amount=Decimal(15), taxes=(Tax(category="VAT", rate_percent=Decimal(7)),)),)),
    terms=_texts,
)
