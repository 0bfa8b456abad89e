"""Random offers: every setting, currencies of 0 to 4 digits, negative lines, and many exact halves."""

from decimal import Decimal

from hypothesis import strategies as st

from src.domain.quoting.pricing import (
    Charge,
    Deposit,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    Instalment,
    LinePricing,
    QuotePricing,
    Tax,
)
from src.domain.shared.currency import Currency
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxMode, TaxRounding

D = Decimal

currencies = st.sampled_from(["KRW", "EUR", "OMR", "UYW"]).map(Currency.of)


def decimals(largest: int, places: int, *, smallest: int | None = None) -> st.SearchStrategy[Decimal]:
    """Decimals from -largest (or smallest) to largest with at most this many places; coarse ones, so ties, are common."""
    low = -largest if smallest is None else smallest
    return st.integers(0, places).flatmap(
        lambda p: st.integers(low * 10**p, largest * 10**p).map(lambda n: D(n).scaleb(-p))
    )


ties = st.sampled_from([D("0.5"), D("-0.5"), D("0.125"), D("2.5"), D("-0.005"), D("0.0005"), D("0.00005"), D(0)])
quantities = st.one_of(decimals(20, 2), ties)
prices = st.one_of(decimals(2000, 4), ties)
bases = st.sampled_from([D(1), D(1), D(100), D(3), D(7), D("0.8")])
percents = st.one_of(decimals(100, 2, smallest=0), st.sampled_from([D(0), D(100), D("12.5"), D("33.333333")]))
amounts = st.one_of(decimals(500, 3), ties)

taxes = st.sampled_from(
    [
        Tax(category="VAT", rate_percent=D(19)),
        Tax(category="VAT", rate_percent=D(7)),
        Tax(category="VAT", rate_percent=D("9.975"), code="q"),
        Tax(category="VAT", rate_percent=D(0)),
        Tax(category="VAT", rate_percent=None, code="export"),
        Tax(category="VAT", rate_percent=D(21), surcharge_percent=D("5.2")),
        Tax(category="CITY", rate_percent=D("2.5")),
        Tax(category="IRPF", rate_percent=D(15), retained=True),
        Tax(category="VAT", rate_percent=D(10), retained=True),
    ]
)
tax_sets = st.one_of(
    taxes.map(lambda tax: (tax,)), taxes.map(lambda tax: (tax,)), st.lists(taxes, max_size=3, unique=True).map(tuple)
)


def _in_percent(kind: type[Discount] | type[Charge]) -> st.SearchStrategy[Discount | Charge]:
    return st.builds(kind, percent=percents, base=st.one_of(st.none(), st.none(), amounts))


def adjusting(kind: type[Discount] | type[Charge]) -> st.SearchStrategy[Discount | Charge]:
    return st.one_of(_in_percent(kind), st.builds(kind, amount=amounts))


discounts = st.lists(adjusting(Discount), max_size=2).map(tuple)
charges = st.lists(adjusting(Charge), max_size=2).map(tuple)
lines = st.builds(
    LinePricing,
    quantity=quantities,
    unit_price=prices,
    price_base_quantity=bases,
    discounts=st.one_of(st.just(()), discounts),
    charges=st.one_of(st.just(()), charges),
    taxes=tax_sets,
    optional=st.sampled_from([False, False, False, True]),
    chosen=st.booleans(),
    unit_cost=st.one_of(st.none(), prices.map(abs)),
    section=st.sampled_from(["", "", "Hardware", "Services"]),
)

document_taxes = st.one_of(st.none(), st.none(), tax_sets)
document_discounts = st.one_of(
    st.builds(DocumentDiscount, percent=percents, taxes=document_taxes),
    st.builds(DocumentDiscount, amount=amounts, taxes=document_taxes),
)


def coupons(count: int) -> st.SearchStrategy[DocumentDiscount]:
    """Discounts of some of *count* lines."""
    some = st.lists(st.integers(0, count - 1), min_size=1, unique=True).map(tuple)
    return st.one_of(
        st.builds(DocumentDiscount, percent=percents, lines=some, coupon=st.just("SPRING")),
        st.builds(DocumentDiscount, amount=amounts, lines=some, coupon=st.just("FIVE")),
    )


document_charges = st.one_of(
    st.builds(DocumentCharge, percent=percents, taxes=document_taxes),
    st.builds(DocumentCharge, amount=amounts, taxes=document_taxes),
)


def settings(*roundings: Rounding) -> st.SearchStrategy[RoundingSettings]:
    return st.builds(
        RoundingSettings,
        rounding=st.sampled_from(roundings or tuple(Rounding)),
        tax_rounding=st.sampled_from(TaxRounding),
        inclusive_tax=st.sampled_from(InclusiveTax),
        tax_mode=st.sampled_from([TaxMode.HALF_UP, *TaxMode]),
    )


instalments = st.lists(st.builds(Instalment, share=st.sampled_from([D(1), D(2), D("33.33"), D("0.5")])), max_size=4)


def pricings(*roundings: Rounding) -> st.SearchStrategy[QuotePricing]:
    return st.lists(lines, max_size=5).flatmap(lambda some: _pricings(tuple(some), roundings))


def _pricings(some: tuple[LinePricing, ...], roundings: tuple[Rounding, ...]) -> st.SearchStrategy[QuotePricing]:
    of_document = st.one_of(document_discounts, coupons(len(some))) if some else document_discounts
    return st.builds(
        QuotePricing,
        currency=currencies,
        lines=st.just(some),
        settings=settings(*roundings),
        prices_include_tax=st.sampled_from([None, "VAT"]),
        discounts=st.lists(of_document, max_size=2).map(tuple),
        charges=st.lists(document_charges, max_size=2).map(tuple),
        prepaid=st.one_of(st.just(D(0)), amounts),
        cash_rounding=st.sampled_from([None, None, D(1), D(5), D(50)]),
        discounts_may_exceed_total=st.just(True),
        deposit=st.one_of(st.none(), st.builds(Deposit, percent=percents)),
        instalments=instalments.map(tuple),
    )
