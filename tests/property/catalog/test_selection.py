"""The choice of a price depends on nothing but the offers: not on their order, and not on those that lose."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from src.domain.catalog.price_list import Price, PriceList, PriceTier, Scope
from src.domain.catalog.selection import PriceQuestion, select_price
from src.domain.shared.ids import PriceId, PriceListId
from tests.unit.catalog.test_selection import ANN, BUYER, DAY, DESK, DESKS, EUR, FURNITURE, GOLD, NOON

D = Decimal
days = st.one_of(st.none(), st.integers(-3, 3).map(lambda n: DAY + timedelta(days=n)))
scopes = st.sampled_from([(Scope.CUSTOMER, ANN), (Scope.GROUP, GOLD), (Scope.EVERYONE, None), (Scope.CUSTOMER, GOLD)])
targets = st.sampled_from([(DESK.id, None), (None, DESKS), (None, FURNITURE), (None, None)])


@st.composite
def offers(draw: st.DrawFn) -> list[tuple[PriceList, Price]]:
    made = []
    for number in range(draw(st.integers(0, 6))):
        scope, scope_id = draw(scopes)
        starts, ends = draw(days), draw(days)
        if starts and ends and starts > ends:
            starts, ends = ends, starts
        price_list = PriceList(
            id=PriceListId(UUID(int=number + 1)),
            name=f"List {number}",
            currency=EUR,
            scope=scope,
            scope_id=scope_id,
            valid_from=starts,
            valid_until=ends,
            priority=draw(st.integers(0, 2)),
            active=draw(st.booleans()),
            created_at=NOON,
        )
        product_id, category_id = draw(targets)
        quantities = sorted(draw(st.sets(st.sampled_from([D(0), D(5), D(10)]), min_size=1)))
        price = Price(
            id=PriceId(price_list.id),
            price_list_id=price_list.id,
            product_id=product_id,
            category_id=category_id,
            tiers=tuple(PriceTier(min_quantity=quantity, discount_percent=D(number)) for quantity in quantities),
            created_at=NOON,
        )
        made.append((price_list, price))
    return made


def question(quantity: Decimal, day: date = DAY) -> PriceQuestion:
    return PriceQuestion(
        product=DESK, lineage=(DESKS, FURNITURE), quantity=quantity, unit="C62", currency=EUR, day=day, buyer=BUYER
    )


@given(some=offers(), quantity=st.sampled_from([D(1), D(5), D(7), D(10), D(99)]), order=st.randoms())
def test_the_order_of_the_offers_is_irrelevant(
    some: list[tuple[PriceList, Price]], quantity: Decimal, order: Random
) -> None:
    asked = question(quantity)
    straight = select_price(asked, some)
    shuffled = list(some)
    order.shuffle(shuffled)
    assert select_price(asked, shuffled) == straight


@given(some=offers(), quantity=st.sampled_from([D(1), D(5), D(7), D(10), D(99)]))
def test_without_its_losers_the_winner_wins_too(some: list[tuple[PriceList, Price]], quantity: Decimal) -> None:
    asked = question(quantity)
    winner = select_price(asked, some)
    alone = [offer for offer in some if str(offer[0].id) == winner.source_id]
    assert replace(select_price(asked, alone), losers=()) == replace(winner, losers=())


@given(some=offers(), quantity=st.sampled_from([D(1), D(5), D(7), D(10), D(99)]))
def test_there_is_always_a_price_in_the_products_own_currency(
    some: list[tuple[PriceList, Price]], quantity: Decimal
) -> None:
    assert 0 <= select_price(question(quantity), some).unit_price <= DESK.list_price
