"""The catalogue on both stores: what is made comes back, what clashes is refused, what drafts and submissions do with it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.catalog.ask_prices import AskPrices, AskPricesCommand, PriceRequest
from src.application.catalog.categories import ChangeCategory, ChangeCategoryCommand
from src.application.catalog.change_product import ChangeProduct, ChangeProductCommand
from src.application.catalog.coupons import ChangeCoupon, ChangeCouponCommand
from src.application.catalog.price_lists import (
    ChangePriceList,
    ChangePriceListCommand,
    CreatePriceList,
    CreatePriceListCommand,
)
from src.application.catalog.read_products import ListProducts, ProductSearch
from src.application.catalog.set_price import RemovePrice, RemovePriceCommand, SetPrice, SetPriceCommand
from src.application.catalog.tax_rates import DeleteTaxRate
from src.application.customers.customer_groups import RegroupCustomer
from src.application.ports.audit import AuditFilter
from src.application.ports.paging import Paging
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.prices.staleness import StaleReason
from src.application.quoting.cancel_quote import CancelQuote, CancelQuoteCommand
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import CurrencyChange, DraftInput
from src.application.quoting.edit_quote import EditQuote, EditQuoteCommand
from src.application.quoting.explain_quote import ExplainQuote
from src.application.quoting.recall_quote import RecallQuote, RecallQuoteCommand
from src.application.quoting.reprice_quote import CheckQuotePrices, RepriceQuote, RepriceQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.application.versions import VersionChanged
from src.domain.approvals.policy import StepRule
from src.domain.catalog.category import CategoryCycle
from src.domain.catalog.coupon import CouponExhausted, CouponExpired, CouponNotValid, CouponUnknown
from src.domain.catalog.exchange_rate import ExchangeRateMissing
from src.domain.catalog.price_list import AmbiguousPrice, PriceListInUse, PriceTier, Scope, TierRange
from src.domain.catalog.product import ProductArchived
from src.domain.catalog.selection import PriceNotFound
from src.domain.catalog.tax_rate import TaxRateInUse
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, PermissionMissing, Role
from src.domain.quoting.errors import PricesStale, QuoteHasNoLines
from src.domain.quoting.facts import facts_of
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency
from src.domain.shared.errors import DomainError, Invalid
from src.domain.shared.price_source import PriceKind
from tests.builders.approvals import SUBJECTS
from tests.builders.catalogue import Catalogue, a_catalogue
from tests.builders.quotes import a_contact, a_customer, a_product
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio
D = Decimal
TODAY = datetime.now(UTC).date()


@dataclass(frozen=True)
class Shop:
    """An organisation with a catalogue, and everything that its people do."""

    open: OpenUnitOfWork
    team: TestOrganization
    catalogue: Catalogue
    customer: Customer
    contact: Contact

    def use(self, kind: Any, *more: Any) -> Any:
        return kind(Transactions(self.open), *more)

    @property
    def admin(self) -> Actor:
        return self.team.actor(Role.ADMIN)

    @property
    def sales(self) -> Actor:
        return self.team.actor(Role.SALES)

    async def draft(self, quantity: str = "1", actor: Actor | None = None, **draft: Any) -> Quote:
        line = LineInput(quantity=D(quantity), product_id=self.catalogue.product.id)
        given: dict[str, Any] = {
            "lines": (line,),
            "contact_id": self.contact.id,
            "valid_until": TODAY + timedelta(days=30),
        } | draft
        command = CreateQuoteCommand(customer_id=self.customer.id, draft=DraftInput(**given))
        made: Quote = await self.use(CreateQuote, SystemClock(), Uuid7Ids())(actor or self.sales, command)
        return made

    async def edit(self, quote: Quote, **draft: Any) -> Quote:
        command = EditQuoteCommand(quote_id=quote.id, draft=DraftInput(**draft))
        made: Quote = await self.use(EditQuote, SystemClock(), Uuid7Ids())(self.sales, command)
        return made

    async def submit(self, quote: Quote, actor: Actor | None = None, **options: Any) -> Quote:
        command = SubmitQuoteCommand(quote_id=quote.id, **options)
        made: Quote = await self.use(SubmitQuote, SystemClock(), Uuid7Ids())(actor or self.sales, command)
        return made

    async def reprice(self, quote: Quote, **options: Any) -> Any:
        command = RepriceQuoteCommand(quote_id=quote.id, **options)
        return await self.use(RepriceQuote, SystemClock())(self.sales, command)

    async def change_product(self, **changes: Any) -> None:
        command = ChangeProductCommand(product_id=self.catalogue.product.id, changes=changes)  # type: ignore[arg-type]  # As a request gives them.
        await self.use(ChangeProduct, SystemClock())(self.admin, command)

    async def add_list(self, name: str, *tiers: tuple[str, str], **options: Any) -> Any:
        made = await self.use(CreatePriceList, SystemClock(), Uuid7Ids())(
            self.admin, CreatePriceListCommand(name=name, **options)
        )
        if tiers:
            await self.set_price(made.id, *tiers)
        return made

    async def set_price(self, list_id: Any, *tiers: tuple[str, str], **target: Any) -> Any:
        made = tuple(TierRange(tier=PriceTier(min_quantity=D(start), unit_price=D(price))) for start, price in tiers)
        command = SetPriceCommand(
            price_list_id=list_id, tiers=made, **(target or {"product_id": self.catalogue.product.id})
        )
        return await self.use(SetPrice, SystemClock(), Uuid7Ids())(self.admin, command)

    async def price(self, quantity: str = "1", **options: Any) -> Any:
        item = PriceRequest(product_id=self.catalogue.product.id, quantity=D(quantity))
        command = AskPricesCommand(items=(item,), customer_id=self.customer.id, **options)
        (answer,) = await self.use(AskPrices, SystemClock())(self.sales, command)
        return answer


@pytest_asyncio.fixture
async def shop(open_uow: OpenUnitOfWork, organization: TestOrganization) -> Shop:
    catalogue = await a_catalogue(open_uow, organization.actor(Role.ADMIN))
    async with open_uow(organization.actor(Role.SALES)) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        await uow.commit()
    return Shop(open_uow, organization, catalogue, customer, contact)


async def test_products_that_are_put_keep_the_sku_that_they_have(shop: Shop) -> None:
    known, new = shop.catalogue.product, a_product()
    async with shop.open(shop.admin) as uow:
        await uow.products.put([replace(known, sku="OTHER", name="Renamed"), new])
        await uow.commit()

    async with shop.open(shop.admin) as uow:
        stored, added = await uow.products.get(known.id), await uow.products.get(new.id)
    assert (stored.sku, stored.name, added.sku) == (known.sku, "Renamed", new.sku)


async def test_the_catalogue_comes_back_as_it_was_made(shop: Shop) -> None:
    made = shop.catalogue
    async with shop.open(shop.sales) as uow:
        assert await uow.products.get(made.product.id) == made.product
        assert (await uow.categories.tree()) == {made.category.id: made.category}
        assert list(await uow.tax_rates.all()) == [made.tax_rate]
        assert await uow.price_lists.get(made.price_list.id) == made.price_list
        assert await uow.coupons.get(made.coupon.id) == made.coupon
        assert list(await uow.customer_groups.all()) == [made.group]
        assert (await uow.exchange_rates.page(Paging())).total == 1
        (price,) = (await uow.prices.page(made.price_list.id, Paging())).items
        assert price.tiers == (PriceTier(min_quantity=D(10), unit_price=D(90)),)


async def test_a_new_line_takes_text_price_tax_and_cost_from_the_catalogue(shop: Shop) -> None:
    few, many = await shop.draft("9"), await shop.draft("10")
    (line,) = few.current.content.lines
    assert [line.pricing.unit_price, line.pricing.unit_cost, line.pricing.taxes[0].rate_percent] == [100, 60, 19]
    assert line.price_source is not None
    assert line.price_source.kind is PriceKind.LIST
    assert many.current.content.lines[0].pricing.unit_price == 90
    assert few.current.calculation.margin == D(360)


async def test_the_same_price_answers_a_question_and_a_draft(shop: Shop) -> None:
    answer, draft = await shop.price("25"), await shop.draft("25")
    assert draft.current.content.lines[0].price_source == answer.source
    assert draft.current.content.lines[0].pricing.taxes == (answer.tax,)


async def test_a_rate_of_next_year_applies_to_quotes_of_next_year(shop: Shop) -> None:
    now, later = await shop.draft(pricing_date=date(2026, 12, 31)), await shop.draft(pricing_date=date(2027, 1, 1))
    rates = [quote.current.content.lines[0].pricing.taxes[0].rate_percent for quote in (now, later)]
    assert rates == [19, 21]
    moved = await shop.edit(now, pricing_date=date(2027, 1, 1))
    assert moved.current.content.lines[0].pricing.taxes[0].rate_percent == 19
    check = await shop.use(CheckQuotePrices, SystemClock())(shop.sales, now.id)
    assert [line.reasons for line in check.lines] == [(StaleReason.TAX_CHANGED,)]
    again = await shop.reprice(now)
    assert again.quote.current.content.lines[0].pricing.taxes[0].rate_percent == 21


async def test_a_typed_price_needs_its_reason_and_counts_as_a_discount(shop: Shop) -> None:
    line = LineInput(quantity=D(1), product_id=shop.catalogue.product.id, unit_price=D(80))
    with pytest.raises(Invalid) as refused:
        await shop.draft(lines=(line,))
    assert [one.field for one in refused.value.fields] == ["lines[0].price_reason"]

    quote = await shop.draft(lines=(replace(line, price_reason="Old friends"),))
    (item,) = quote.current.content.lines
    assert item.price_source is not None
    assert (item.price_source.kind, item.price_source.reason) == (PriceKind.OVERRIDE, "Old friends")
    assert item.price_source.catalog_price == 100
    same = await shop.draft(lines=(replace(line, unit_price=D(100)),))
    assert same.current.content.lines[0].is_priced_by_catalog


async def test_nothing_moves_until_it_is_repriced(shop: Shop) -> None:
    quote = await shop.draft("2")
    (line,) = quote.current.content.lines
    await shop.change_product(list_price=D(120))
    edited = await shop.edit(
        quote, lines=(LineInput(id=line.id, product_id=line.product_id, quantity=D(20)),), title="More"
    )
    assert edited.current.content.lines[0].pricing.unit_price == 100

    dry = await shop.reprice(quote, dry_run=True)
    assert [(check.old_unit_price, check.source.unit_price, check.reasons) for check in dry.lines] == [
        (100, 90, (StaleReason.QUANTITY_CHANGED,))
    ]
    assert dry.quote.current.content.lines[0].pricing.unit_price == 100
    wet = await shop.reprice(quote)
    assert wet.quote.current.content.lines[0].pricing.unit_price == 90
    assert (await shop.reprice(quote)).lines == []


async def test_stale_prices_are_not_submitted_unless_somebody_may_insist(shop: Shop) -> None:
    quote = await shop.draft("2")
    await shop.change_product(list_price=D(120))
    with pytest.raises(PricesStale) as refused:
        await shop.submit(quote)
    assert refused.value.details["lines"] == [
        {
            "line_id": str(quote.current.content.lines[0].id),
            "sku": shop.catalogue.product.sku,
            "old": "100",
            "new": "120",
            "reasons": ["catalog_changed"],
        }
    ]
    with pytest.raises(PermissionMissing):
        await shop.submit(quote, keep_prices=True)
    kept = await shop.submit(quote, shop.admin, keep_prices=True)
    assert kept.current.status is QuoteStatus.APPROVED
    async with shop.open(shop.admin) as uow:
        entries = (await uow.audit.page(AuditFilter(action="quote.submitted"), Paging())).items
    assert '"kept_stale_prices":true' in entries[0].record.text


async def test_typed_prices_are_repriced_only_when_asked(shop: Shop) -> None:
    line = LineInput(quantity=D(1), product_id=shop.catalogue.product.id, unit_price=D(80), price_reason="Friends")
    quote = await shop.draft(lines=(line,))
    await shop.change_product(list_price=D(120))
    assert (await shop.reprice(quote, dry_run=True)).lines == []
    dry = await shop.reprice(quote, dry_run=True, include_manual=True)
    assert [check.reasons for check in dry.lines] == [(StaleReason.TYPED,)]
    wet = await shop.reprice(quote, include_manual=True)
    assert wet.quote.current.content.lines[0].pricing.unit_price == 120


async def test_an_archived_product_is_on_no_new_line_and_makes_its_drafts_stale(shop: Shop) -> None:
    quote = await shop.draft("2")
    await shop.change_product(archived=True)
    with pytest.raises(ProductArchived):
        await shop.draft("1")
    with pytest.raises(PricesStale) as refused:
        await shop.submit(quote)
    assert "product_archived" in str(refused.value.details["lines"])


async def test_a_tax_rate_that_products_have_cannot_be_removed(shop: Shop) -> None:
    with pytest.raises(TaxRateInUse):
        await shop.use(DeleteTaxRate, SystemClock())(shop.admin, shop.catalogue.tax_rate.id)
    await shop.change_product(tax_rate_id=None, tax_rate_percent=D(7))
    await shop.use(DeleteTaxRate, SystemClock())(shop.admin, shop.catalogue.tax_rate.id)
    async with shop.open(shop.sales) as uow:
        assert list(await uow.tax_rates.all()) == []


async def test_prices_that_nothing_tells_apart_are_refused_when_they_are_saved(shop: Shop) -> None:
    await shop.add_list("Second", ("5", "95"))  # Another quantity: the greater wins.
    with pytest.raises(AmbiguousPrice):
        await shop.add_list("Third", ("10", "91"))
    third = await shop.add_list("Fourth", ("10", "91"), priority=1)
    with pytest.raises(AmbiguousPrice):
        await shop.use(ChangePriceList, SystemClock())(
            shop.admin, ChangePriceListCommand(price_list_id=third.id, changes={"priority": 0})
        )
    await shop.use(ChangePriceList, SystemClock())(
        shop.admin, ChangePriceListCommand(price_list_id=third.id, changes={"priority": 0, "active": False})
    )
    await shop.use(ChangePriceList, SystemClock())(
        shop.admin,
        ChangePriceListCommand(price_list_id=shop.catalogue.price_list.id, changes={"valid_from": date(2020, 1, 2)}),
    )
    past = await shop.add_list("Past", ("10", "91"), valid_until=date(2020, 1, 1))
    with pytest.raises(AmbiguousPrice):
        await shop.use(ChangePriceList, SystemClock())(
            shop.admin, ChangePriceListCommand(price_list_id=past.id, changes={"valid_until": None})
        )


async def test_a_list_inherits_the_tiers_of_another_but_for_its_own(shop: Shop) -> None:
    source = shop.catalogue.price_list
    own = await shop.add_list("Contract", scope=Scope.CUSTOMER, scope_id=shop.customer.id, tiers_from=source.id)
    answer = await shop.price("10")
    assert (answer.source.kind, answer.source.name, answer.source.unit_price) == (PriceKind.CONTRACT, "Contract", 90)
    await shop.set_price(own.id, ("0", "70"))
    assert (await shop.price("10")).source.unit_price == 70
    await shop.use(RemovePrice, SystemClock())(
        shop.admin, RemovePriceCommand(price_list_id=own.id, product_id=shop.catalogue.product.id)
    )
    assert (await shop.price("10")).source.unit_price == 90


async def test_tiers_are_not_inherited_across_currencies_nor_over_two_lists(shop: Shop) -> None:
    source = shop.catalogue.price_list
    with pytest.raises(Invalid):
        await shop.add_list("Dollars", currency=Currency.of("USD"), tiers_from=source.id)
    second = await shop.add_list("Second", priority=1, tiers_from=source.id)
    with pytest.raises(Invalid):
        await shop.add_list("Third", priority=2, tiers_from=second.id)
    fourth = await shop.add_list("Fourth", priority=4)
    with pytest.raises(PriceListInUse):
        await shop.use(ChangePriceList, SystemClock())(
            shop.admin, ChangePriceListCommand(price_list_id=source.id, changes={"tiers_from": fourth.id})
        )


async def test_a_group_gives_its_discount_once_the_customer_is_in_it(shop: Shop) -> None:
    assert (await shop.price()).source.unit_price == 100
    quote = await shop.draft()
    await shop.use(RegroupCustomer, SystemClock(), Uuid7Ids())(shop.sales, shop.customer.id, shop.catalogue.group.id)
    assert (await shop.price()).source.unit_price == 95
    check = await shop.use(CheckQuotePrices, SystemClock())(shop.sales, quote.id)
    assert [line.reasons for line in check.lines] == [(StaleReason.CATALOG_CHANGED,)]


async def test_a_category_is_not_moved_below_itself_and_lists_what_lies_below(shop: Shop) -> None:
    category = shop.catalogue.category
    with pytest.raises(CategoryCycle):
        await shop.use(ChangeCategory, SystemClock())(
            shop.admin, ChangeCategoryCommand(category_id=category.id, changes={"parent_id": category.id})
        )
    found = await shop.use(ListProducts)(shop.sales, ProductSearch(category_id=category.id), Paging())
    assert [product.id for product in found.items] == [shop.catalogue.product.id]


async def test_who_looked_at_an_older_product_cannot_change_it(shop: Shop) -> None:
    await shop.change_product(name="Table")
    command = ChangeProductCommand(
        product_id=shop.catalogue.product.id, changes={"name": "Chair"}, expected_version=shop.catalogue.product.version
    )
    with pytest.raises(VersionChanged):
        await shop.use(ChangeProduct, SystemClock())(shop.admin, command)


async def test_a_coupon_is_taken_of_the_lines_that_it_is_for(shop: Shop) -> None:
    delivery = LineInput(quantity=D(1), description="Delivery", unit_price=D(50))
    desk = LineInput(quantity=D(1), product_id=shop.catalogue.product.id)
    quote = await shop.draft(lines=(desk, delivery), coupons=("spring",))
    calculation = quote.current.calculation
    assert calculation.discounts == (D(10),)
    assert [line.document_share for line in calculation.lines] == [-10, 0]
    without = await shop.edit(quote, coupons=())
    assert without.current.calculation.discounts == ()


@pytest.mark.parametrize(
    ("codes", "changes", "kind"),
    [
        (("NONE",), {}, CouponUnknown),
        (("SPRING", "spring"), {}, CouponNotValid),
        (("SPRING",), {"active": False}, CouponNotValid),
        (("SPRING",), {"valid_until": date(2020, 1, 1)}, CouponExpired),
        (("SPRING",), {"minimum": D("100.01"), "currency": Currency.of("EUR")}, CouponNotValid),
    ],
    ids=["unknown", "twice", "inactive", "expired", "minimum"],
)
async def test_a_coupon_that_does_not_count_keeps_the_draft_out(
    shop: Shop, codes: tuple[str, ...], changes: Any, kind: type[DomainError]
) -> None:
    command = ChangeCouponCommand(coupon_id=shop.catalogue.coupon.id, changes=changes)
    await shop.use(ChangeCoupon, SystemClock())(shop.admin, command)
    with pytest.raises(kind):
        await shop.draft(coupons=codes)


async def test_a_coupon_is_used_from_submission_until_the_offer_is_taken_back(shop: Shop) -> None:
    first, second, third = [await shop.draft(coupons=("SPRING",)) for _ in range(3)]
    await shop.submit(first)
    await shop.submit(second)
    with pytest.raises(CouponExhausted):
        await shop.submit(third)
    with pytest.raises(CouponExhausted):
        await shop.draft(coupons=("SPRING",))
    cancel = CancelQuoteCommand(quote_id=first.id, reason=CancelReason.MISTAKE)
    await shop.use(CancelQuote, SystemClock())(shop.sales, cancel)
    assert (await shop.submit(third)).current.status is QuoteStatus.APPROVED
    async with shop.open(shop.sales) as uow:
        assert (await uow.coupons.uses(shop.catalogue.coupon.id, shop.customer.id)).total == 2
        assert await uow.coupons.held_by(first.id) == frozenset()


async def test_a_foreign_offer_freezes_its_rate_and_recall_drops_it(shop: Shop) -> None:
    line = LineInput(quantity=D(3), description="Audit", unit_price=D("99.99"))
    quote = await shop.draft(lines=(line,), currency=Currency.of("USD"))
    assert quote.current.content.exchange_rate is None
    submitted = await shop.submit(quote)
    rate = submitted.current.content.exchange_rate
    assert rate is not None
    assert (rate.rate, rate.source, rate.as_of) == (D("0.92"), "ECB", date(2026, 1, 1))
    assert rate.convert(submitted.current.calculation.payable) == D("275.97")


async def test_a_rate_that_is_missing_is_an_error_and_never_one(shop: Shop) -> None:
    line = LineInput(quantity=D(1), description="Audit", unit_price=D(1))
    quote = await shop.draft(lines=(line,), currency=Currency.of("KRW"))
    with pytest.raises(ExchangeRateMissing, match="from KRW to EUR"):
        await shop.submit(quote)


async def test_the_currency_of_a_draft_changes_only_with_a_word_about_its_lines(shop: Shop) -> None:
    quote = await shop.draft()
    usd = Currency.of("USD")
    with pytest.raises(Invalid) as refused:
        await shop.edit(quote, currency=usd)
    assert [one.field for one in refused.value.fields] == ["on_currency_change"]
    with pytest.raises(PriceNotFound):
        await shop.edit(quote, currency=usd, on_currency_change=CurrencyChange.REPRICE)
    relabelled = await shop.edit(quote, currency=usd, on_currency_change=CurrencyChange.RELABEL)
    assert relabelled.current.content.lines[0].pricing.unit_price == 100
    cleared = await shop.edit(quote, currency=Currency.of("EUR"), on_currency_change=CurrencyChange.CLEAR)
    assert cleared.current.content.lines == ()

    dollars = await shop.add_list("Dollars", ("0", "111"), currency=usd)
    assert dollars.currency == usd
    repriced = await shop.edit(await shop.draft(), currency=usd, on_currency_change=CurrencyChange.REPRICE)
    assert repriced.current.content.lines[0].pricing.unit_price == 111


async def test_the_explanation_is_stored_with_the_revision_and_covered_by_the_digest(shop: Shop) -> None:
    quote = await shop.draft("12", coupons=("SPRING",))
    explain = shop.use(ExplainQuote)
    live = await explain(shop.sales, quote.id, None)
    assert live.fault is None
    submitted = await shop.submit(quote)
    await shop.change_product(list_price=D(500))
    stored = await explain(shop.sales, quote.id, 1)

    assert stored.explanation == live.explanation
    assert stored.fault is None
    assert submitted.current.explanation_digest is not None
    other = replace(submitted.current, explanation_digest="0" * 64)
    assert other.digest(quote.number) != submitted.current.digest(quote.number)


async def test_recall_drops_the_frozen_rate_and_the_explanation(shop: Shop) -> None:
    step = StepRule(name="Management", roles=(Role.APPROVER,))
    await shop.use(CreatePolicy, SystemClock(), Uuid7Ids(), SUBJECTS)(
        shop.admin, CreatePolicyCommand(name="All", order=1, conditions=(), steps=(step,))
    )
    line = LineInput(quantity=D(3), description="Audit", unit_price=D(10))
    quote = await shop.submit(await shop.draft(lines=(line,), currency=Currency.of("USD")))
    assert quote.current.content.exchange_rate is not None
    recalled = await shop.use(RecallQuote, SystemClock())(shop.sales, RecallQuoteCommand(quote_id=quote.id))
    assert recalled.current.content.exchange_rate is None
    assert recalled.current.explanation_digest is None


async def test_a_price_typed_too_low_is_told_to_policies_as_a_discount(shop: Shop) -> None:
    line = LineInput(quantity=D(1), product_id=shop.catalogue.product.id, unit_price=D(80), price_reason="Friends")
    quote = (await shop.draft(lines=(line,))).current
    facts = facts_of(quote.calculation, quote.content.pricing(), quote.content)
    assert [facts["discount_percent"], facts["greatest_line_discount_percent"]] == [20, 20]


async def test_an_offer_of_nothing_but_options_that_nobody_chose_is_not_submitted(shop: Shop) -> None:
    option = LineInput(quantity=D(1), description="Assembly", unit_price=D(50), optional=True)
    quote = await shop.draft(lines=(option,))
    with pytest.raises(QuoteHasNoLines):
        await shop.submit(quote)
    assert (await shop.submit(await shop.draft(lines=(replace(option, chosen=True),)))).current.content_digest


async def test_inherited_tiers_can_be_ambiguous_too(shop: Shop) -> None:
    source = await shop.add_list("Source", ("10", "80"), active=False)
    with pytest.raises(AmbiguousPrice):
        await shop.add_list("Taker", tiers_from=source.id)
    taker = await shop.add_list("Taker of dates", tiers_from=source.id, priority=3)
    own = await shop.set_price(taker.id, ("20", "70"))
    assert own.tiers[0].min_quantity == 20
    rival = await shop.add_list("Rival", ("10", "60"), priority=3)
    assert rival.priority == 3
    with pytest.raises(AmbiguousPrice):  # Without its own price the tiers of the source would hold.
        await shop.use(RemovePrice, SystemClock())(
            shop.admin, RemovePriceCommand(price_list_id=taker.id, product_id=shop.catalogue.product.id)
        )


async def test_another_base_quantity_is_another_price(shop: Shop) -> None:
    """Or 100.00 for one would quietly become 100.00 for a hundred."""
    desk = shop.catalogue.product.id
    with pytest.raises(Invalid) as refused:
        await shop.draft(lines=(LineInput(quantity=D(1), product_id=desk, price_base_quantity=D(100)),))
    assert [one.field for one in refused.value.fields] == ["lines[0].price_reason"]
    quote = await shop.draft()
    (line,) = quote.current.content.lines
    cheaper = LineInput(
        id=line.id, product_id=desk, quantity=D(1), unit_price=line.pricing.unit_price, price_base_quantity=D(100)
    )
    with pytest.raises(Invalid):
        await shop.edit(quote, lines=(cheaper,))
    typed = (await shop.edit(quote, lines=(replace(cheaper, price_reason="Sold by the hundred"),))).current
    facts = facts_of(typed.calculation, typed.content.pricing(), typed.content)
    assert (typed.calculation.line_net_total, facts["discount_percent"]) == (D("1.00"), D(99))


async def test_a_coupon_counts_on_the_day_of_its_use_and_with_the_prices_of_then(shop: Shop) -> None:
    quote = await shop.draft("12", coupons=("SPRING",), pricing_date=date(2027, 6, 1))
    command = ChangeCouponCommand(
        coupon_id=shop.catalogue.coupon.id,
        changes={"minimum": D(1080), "currency": Currency.of("EUR"), "valid_until": TODAY},
    )
    await shop.use(ChangeCoupon, SystemClock())(shop.admin, command)
    await shop.set_price(shop.catalogue.price_list.id, ("10", "80"))
    await shop.reprice(quote)
    with pytest.raises(CouponNotValid, match="960"):
        await shop.submit(quote)
    await shop.set_price(shop.catalogue.price_list.id, ("10", "90"))
    await shop.reprice(quote)
    assert (await shop.submit(quote)).current.content.coupons
