"""Contents as rich as they may be, for round trips."""

from datetime import date
from decimal import Decimal

from hypothesis import strategies as st

from src.domain.quoting.content import AppliedCoupon, LineItem, QuoteContent, Recipient
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
from src.domain.shared.currency import Currency
from src.domain.shared.ids import ContactId, CouponId, LineItemId
from src.domain.shared.party import Address, Party
from src.domain.shared.price_source import LosingCandidate, LosingReason, PriceKind, PriceSource
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
_losers = st.builds(
    LosingCandidate,
    source_type=st.just("price_list"),
    source_id=_texts,
    name=_texts,
    min_quantity=_decimals("0", "100"),
    reason=st.sampled_from(LosingReason),
)
_sources = st.builds(
    PriceSource,
    kind=st.sampled_from(PriceKind),
    source_type=st.sampled_from(["product", "price_list", "customer_group", "typed"]),
    source_id=_texts,
    name=_texts,
    version=st.integers(0, 99),
    list_price=st.none() | _decimals("0", "1000"),
    discount_percent=st.none() | _decimals("0", "100"),
    unit_price=_decimals("0", "1000"),
    min_quantity=_decimals("0", "100"),
    currency=st.just("EUR"),
    pricing_date=st.dates(date(2020, 1, 1), date(2090, 12, 31)),
    quantity=_decimals("0", "100"),
    customer_id=_texts,
    losers=st.lists(_losers, max_size=2).map(tuple),
    reason=_texts,
    price_base_quantity=_decimals("1", "100"),
    catalog_price=st.none() | _decimals("0", "1000"),
)
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
        optional=st.booleans(),
        chosen=st.booleans(),
        unit_cost=st.none() | _decimals("0", "100000"),
        section=_texts,
    ),
    price_source=st.none() | _sources,
    taxes_typed=st.booleans(),
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
    pricing_date=st.none() | st.dates(date(2020, 1, 1), date(2090, 12, 31)),
    cash_rounding=st.none() | st.just(Decimal(100)),
    prepaid=st.just(Decimal(0)) | _decimals("0", "10", 2),
    deposit=st.none() | st.builds(Deposit, percent=_decimals("0", "100", 2)),
    instalments=st.lists(
        st.builds(Instalment, share=_decimals("1", "9", 2), label=_texts, days=st.integers(0, 90)), max_size=3
    ).map(tuple),
    coupons=st.just(())
    | st.tuples(
        st.builds(
            AppliedCoupon,
            coupon_id=st.uuids().map(CouponId),
            code=st.just("SPRING"),
            percent=_decimals("0", "5", 2),
            amount=st.none(),
        )
    ),
)
