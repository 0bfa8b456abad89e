"""Which price wins: one function for drafts, previews, imports, jobs and buyers (``docs/prices.md``)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from uuid import UUID

from src.domain.catalog.price_list import Price, PriceList, PriceTier, Scope
from src.domain.catalog.product import Product
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.domain.shared.errors import FieldError, Invalid
from src.domain.shared.ids import CategoryId
from src.domain.shared.price_source import LosingCandidate, LosingReason, PriceKind, PriceSource

MOST_LOSERS = 5
_FINEST = Decimal("0.000001")
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_NEAREST_SCOPE = {Scope.CUSTOMER: 0, Scope.GROUP: 1, Scope.EVERYONE: 2}
_BASE_SCOPE = 3  # The product's own list price is what is left when no list has one.
_ALL_PRODUCTS = 1_000_000


class PriceNotFound(Invalid):
    """Nothing in the catalogue says what it costs."""

    code = "price_not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who buys. *group_discount_percent* is what the group gets off list prices where no list says more."""

    customer_id: UUID | None = None
    group_id: UUID | None = None
    group_name: str = ""
    group_version: int = 0
    group_discount_percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceQuestion:
    """One sale: *quantity* of *product* in *unit*, on *day*. *lineage* is its category and that one's ancestors."""

    product: Product
    lineage: tuple[CategoryId, ...]
    quantity: Decimal
    unit: str
    currency: Currency
    day: date
    buyer: Buyer


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A tier with what decides about it; *rank* orders totally, the best first."""

    kind: PriceKind
    source_type: str
    source_id: str
    name: str
    version: int
    tier: PriceTier
    rank: tuple[object, ...]
    refused: LosingReason | None


def select_price(question: PriceQuestion, offers: Iterable[tuple[PriceList, Price]]) -> PriceSource:
    """The price that wins. *offers* are the lists' prices for the product, its categories and all products.

    The order: scope (customer, group, everyone, the product's own list price), then how specific the target is, then
    the greater minimum quantity, the higher priority, the later start, the lower id. It is total, so that a tie never
    stops a quote. Raises PriceNotFound naming what removed the nearest.
    """
    candidates = sorted(_candidates(question, offers), key=lambda one: one.rank)
    fitting = [one for one in candidates if one.refused is None]
    if not fitting:
        raise _nothing_found(question, candidates)
    winner = fitting[0]
    source = _source(question, winner)
    losers = [*fitting[1:], *(one for one in candidates if one.refused is not None)]
    return _with_losers(source, winner, losers)


def _candidates(question: PriceQuestion, offers: Iterable[tuple[PriceList, Price]]) -> Iterable[_Candidate]:
    for price_list, price in offers:
        specificity = _specificity(question, price)
        if specificity is not None:
            yield _from_list(question, price_list, price, specificity)
    yield from _own(question)


def _from_list(question: PriceQuestion, price_list: PriceList, price: Price, specificity: int) -> _Candidate:
    tier = price.tier_for(question.quantity)
    shown = tier or price.tiers[0]
    start = price_list.valid_from or date.min
    rank = (
        _NEAREST_SCOPE[price_list.scope],
        specificity,
        -shown.min_quantity,
        -price_list.priority,
        -start.toordinal(),
        str(price_list.id),
    )
    return _Candidate(
        _kind(price_list, price, shown),
        "price_list",
        str(price_list.id),
        price_list.name,
        price_list.version,
        shown,
        rank,
        _refusal(question, price_list, price, tier),
    )


def _own(question: PriceQuestion) -> Iterable[_Candidate]:
    """The list price of the product itself, and the group's discount off it."""
    product, buyer = question.product, question.buyer
    wrong = _own_refusal(question)
    if buyer.group_id is not None and buyer.group_discount_percent:
        tier = PriceTier(min_quantity=Decimal(0), discount_percent=buyer.group_discount_percent)
        rank = (_NEAREST_SCOPE[Scope.GROUP], _ALL_PRODUCTS + 1, Decimal(0), 0, 0, str(buyer.group_id))
        yield _Candidate(
            PriceKind.GROUP,
            "customer_group",
            str(buyer.group_id),
            buyer.group_name,
            buyer.group_version,
            tier,
            rank,
            wrong,
        )
    tier = PriceTier(min_quantity=Decimal(0), unit_price=product.list_price)
    rank = (_BASE_SCOPE, 0, Decimal(0), 0, 0, str(product.id))
    yield _Candidate(PriceKind.LIST, "product", str(product.id), product.name, product.version, tier, rank, wrong)


def _specificity(question: PriceQuestion, price: Price) -> int | None:
    """0 for the product, then its categories by distance, then all products; None when it is for something else."""
    if price.product_id is not None:
        return 0 if price.product_id == question.product.id else None
    if price.category_id is not None:
        return 1 + question.lineage.index(price.category_id) if price.category_id in question.lineage else None
    return _ALL_PRODUCTS


def _kind(price_list: PriceList, price: Price, tier: PriceTier) -> PriceKind:
    if price_list.scope is Scope.CUSTOMER:
        return PriceKind.CONTRACT
    if price_list.scope is Scope.GROUP:
        return PriceKind.GROUP
    return PriceKind.TIER if len(price.tiers) > 1 or tier.min_quantity > 0 else PriceKind.LIST


def _refusal(
    question: PriceQuestion, price_list: PriceList, price: Price, tier: PriceTier | None
) -> LosingReason | None:
    """The first filter that removes it."""
    if not price_list.active:
        return LosingReason.INACTIVE
    owner = {Scope.CUSTOMER: question.buyer.customer_id, Scope.GROUP: question.buyer.group_id, Scope.EVERYONE: None}
    if price_list.scope_id != owner[price_list.scope]:
        return LosingReason.OTHER_CUSTOMER
    relative = tier is not None and tier.unit_price is None
    if price_list.currency != question.currency or (relative and question.product.currency != question.currency):
        return LosingReason.WRONG_CURRENCY
    if (price.unit or question.product.unit) != question.unit:
        return LosingReason.WRONG_UNIT
    if not price_list.is_valid_on(question.day):
        return LosingReason.NOT_VALID_ON_DATE
    return LosingReason.BELOW_MIN_QUANTITY if tier is None else None


def _own_refusal(question: PriceQuestion) -> LosingReason | None:
    if question.product.currency != question.currency:
        return LosingReason.WRONG_CURRENCY
    return None if question.unit == question.product.unit else LosingReason.WRONG_UNIT


def _source(question: PriceQuestion, winner: _Candidate) -> PriceSource:
    tier, list_price = winner.tier, None
    price = tier.unit_price
    if price is None:
        list_price = question.product.list_price
        kept = _EXACT.subtract(Decimal(100), tier.discount_percent or Decimal(0))
        # A unit price has six decimals at most; this is the only place where one comes out of a percentage.
        exact = _EXACT.multiply(_EXACT.multiply(list_price, kept), Decimal("0.01"))
        # 236.98 and not 236.980000, for people.
        price = Decimal(decimal_text(exact.quantize(_FINEST, ROUND_HALF_UP, _EXACT)))
    return PriceSource(
        kind=winner.kind,
        source_type=winner.source_type,
        source_id=winner.source_id,
        name=winner.name,
        version=winner.version,
        list_price=list_price,
        discount_percent=tier.discount_percent,
        unit_price=price,
        price_base_quantity=tier.price_base_quantity,
        min_quantity=tier.min_quantity,
        currency=question.currency.code,
        pricing_date=question.day,
        quantity=question.quantity,
        customer_id="" if question.buyer.customer_id is None else str(question.buyer.customer_id),
        catalog_price=price,
    )


def _with_losers(source: PriceSource, winner: _Candidate, losers: Sequence[_Candidate]) -> PriceSource:
    told = tuple(_loser(one, one.refused or _why(winner, one)) for one in losers[:MOST_LOSERS])
    return replace(source, losers=told)


def _why(winner: _Candidate, loser: _Candidate) -> LosingReason:
    """What first told two fitting candidates apart."""
    first = next(
        index for index, (ours, theirs) in enumerate(zip(winner.rank, loser.rank, strict=True)) if ours != theirs
    )
    reasons = (
        LosingReason.LESS_SPECIFIC,  # A scope further from the customer.
        LosingReason.LESS_SPECIFIC,
        LosingReason.LESS_SPECIFIC,  # A tier for smaller quantities.
        LosingReason.LOWER_PRIORITY,
        LosingReason.OLDER,
        LosingReason.OLDER,
    )
    return reasons[first]


def _loser(candidate: _Candidate, reason: LosingReason) -> LosingCandidate:
    return LosingCandidate(
        source_type=candidate.source_type,
        source_id=candidate.source_id,
        name=candidate.name,
        min_quantity=candidate.tier.min_quantity,
        reason=reason,
    )


def _nothing_found(question: PriceQuestion, candidates: Sequence[_Candidate]) -> PriceNotFound:
    nearest = [_loser(one, one.refused) for one in candidates if one.refused is not None][:MOST_LOSERS]
    why = "; ".join(f"{one.name}: {one.reason.value.replace('_', ' ')}" for one in nearest)
    message = (
        f"{question.product.sku} has no price in {question.currency} per {question.unit} on {question.day.isoformat()}"
        f" ({why}). Add one to a price list, or type a unit price with its reason."
    )
    return PriceNotFound(
        message,
        fields=(FieldError("unit_price", message),),
        sku=question.product.sku,
        removed=[
            {"source": one.source_type, "id": one.source_id, "name": one.name, "reason": one.reason.value}
            for one in nearest
        ],
    )
