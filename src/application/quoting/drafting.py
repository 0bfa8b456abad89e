"""From what somebody types to the content of a draft: products are looked up, gaps are filled, parties are copied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from src.application.custom_values import custom_values
from src.application.ports.clock import IdFactory
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.coupons import apply_coupon, find_coupons
from src.application.prices.lines import LineInput, Terms, resolve_lines
from src.application.prices.pricebook import Pricebook
from src.application.prices.staleness import check_prices, products_of, repriced
from src.domain.catalog.coupon import Coupon
from src.domain.catalog.selection import PriceNotFound
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.organization import Organization
from src.domain.quoting.calculator import calculate
from src.domain.quoting.content import AppliedCoupon, ContactRole, Participant, QuoteContent, Recipient
from src.domain.quoting.pricing import (
    Charge,
    Deposit,
    Discount,
    DocumentCharge,
    DocumentDiscount,
    Instalment,
)
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.errors import FieldError, invalid_field
from src.domain.shared.ids import ContactId, CouponId

DAYS_OF_VALIDITY = 30


class CurrencyChange(StrEnum):
    """What becomes of the lines of a draft whose currency changes: nothing is converted silently."""

    CLEAR = "clear"
    REPRICE = "reprice"
    RELABEL = "relabel"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """An offer as typed; None keeps what there is, or takes the default of customer and organisation.

    *cash_rounding* 0 is none; *deposit* of 0 percent is none. *coupons* are codes. *on_currency_change* says what becomes
    of lines that are there when the currency changes.
    """

    title: str | None = None
    contact_id: ContactId | None = None
    participants: tuple[tuple[ContactId, ContactRole], ...] | None = None
    custom: Mapping[str, str | None] | None = None
    valid_until: date | None = None
    currency: Currency | None = None
    on_currency_change: CurrencyChange | None = None
    prices_include_tax: str | None = None  # A tax category, or "" for prices without tax.
    pricing_date: date | None = None
    locale: str | None = None
    terms: str | None = None
    lines: tuple[LineInput, ...] | None = None
    discounts: tuple[DocumentDiscount, ...] | None = None
    charges: tuple[DocumentCharge, ...] | None = None
    coupons: tuple[str, ...] | None = None
    cash_rounding: Decimal | None = None
    prepaid: Decimal | None = None
    deposit: Deposit | None = None
    instalments: tuple[Instalment, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What drafting works with. *held* are the coupons that the offer uses already, in a revision that was submitted."""

    uow: UnitOfWork
    ids: IdFactory
    customer: Customer | None
    now: datetime
    held: frozenset[CouponId] = field(default_factory=frozenset)


async def new_content(desk: Desk, salesperson: str, draft: DraftInput) -> QuoteContent:
    """The content of a new draft. Raises ContactNotFound, and Invalid naming every wrong line."""
    organization = await desk.uow.organizations.current()
    customer = desk.customer
    currency = draft.currency or (customer.currency if customer else organization.default_currency)
    blank = _blank(organization, customer, currency, salesperson, desk.now)
    return await edited_content(desk, blank, replace(draft, lines=draft.lines or (), custom=draft.custom or {}))


async def edited_content(desk: Desk, content: QuoteContent, draft: DraftInput) -> QuoteContent:
    """*content* with what *draft* changes. Copies of parties and settings stay as they were taken.

    Raises ContactNotFound, PriceNotFound, and Invalid naming what cannot be.
    """
    day = draft.pricing_date or content.pricing_date or desk.now.astimezone(content.zone).date()
    currency = draft.currency or content.currency
    moved = _in_currency(content, currency, draft)
    wanted = products_of(moved)
    if draft.lines is not None:
        wanted += [line.product_id for line in draft.lines if line.product_id is not None]
    looks_up = draft.lines is not None or draft.coupons or currency != content.currency
    pricebook = await Pricebook.read(desk.uow, wanted if looks_up else (), desk.customer)
    lines = moved.lines
    if draft.lines is not None:
        lines = resolve_lines(
            draft.lines,
            known={line.id: line for line in moved.lines},
            pricebook=pricebook,
            terms=Terms(currency=currency, day=day),
            ids=desk.ids,
        )
    recipient = content.recipient
    if draft.contact_id is not None:
        recipient = _recipient(await desk.uow.contacts.get(draft.contact_id), desk.customer)
    participants = content.participants
    if draft.participants is not None:
        participants = await _participants(desk, draft.participants)
    edited = replace(
        moved,
        title=_given(draft.title, content.title),
        recipient=recipient,
        participants=participants,
        custom=await custom_values(desk.uow, FieldSubject.QUOTE, content.custom, draft.custom),
        valid_until=_last_day(draft, content, desk.now),
        currency=currency,
        prices_include_tax=_given(draft.prices_include_tax, content.prices_include_tax or "") or None,
        pricing_date=day,
        locale=_given(draft.locale, content.locale),
        terms=_given(draft.terms, content.terms),
        lines=lines,
        discounts=moved.discounts if draft.discounts is None else draft.discounts,
        charges=moved.charges if draft.charges is None else draft.charges,
        cash_rounding=content.cash_rounding if draft.cash_rounding is None else draft.cash_rounding or None,
        prepaid=content.prepaid if draft.prepaid is None else draft.prepaid,
        deposit=content.deposit if draft.deposit is None else draft.deposit,
        instalments=content.instalments if draft.instalments is None else draft.instalments,
    )
    if currency != content.currency and draft.on_currency_change is CurrencyChange.REPRICE and draft.lines is None:
        edited = _in_new_prices(edited, pricebook, day)
    if draft.coupons is None and not (content.coupons and looks_up):
        return edited
    codes = [coupon.code for coupon in content.coupons] if draft.coupons is None else draft.coupons
    return replace(edited, coupons=await _coupons(desk, edited, codes, pricebook))


def _last_day(draft: DraftInput, content: QuoteContent, now: datetime) -> date:
    """A day that has passed meanwhile may stay in a draft, which is not submitted so; a new one must not have passed."""
    given = draft.valid_until
    if given is None or given == content.valid_until:
        return content.valid_until
    if given < now.astimezone(content.zone).date():
        raise invalid_field("valid_until", "This day is over; the offer could not be submitted.")
    return given


def _in_currency(content: QuoteContent, currency: Currency, draft: DraftInput) -> QuoteContent:
    """What stays of *content* in another currency. Raises Invalid when nobody said."""
    if currency == content.currency:
        return content
    how = draft.on_currency_change
    if how is None and draft.lines is None and content.lines:
        raise invalid_field(
            "on_currency_change",
            "Prices do not convert by themselves: say clear, reprice or relabel, or give new lines.",
        )
    if how is CurrencyChange.RELABEL:
        return content
    if how is CurrencyChange.CLEAR or draft.lines is not None:
        content = replace(content, lines=())
    if how is CurrencyChange.CLEAR:
        kept = tuple(entry for entry in content.discounts if not _is_amount(entry))
        charges = tuple(entry for entry in content.charges if not _is_amount(entry))
        return replace(content, discounts=kept, charges=charges, coupons=(), prepaid=Decimal(0), deposit=None)
    if _has_amounts(content, draft):
        raise invalid_field("currency", "Amounts do not convert by themselves: give discounts and charges anew.")
    return content


def _in_new_prices(content: QuoteContent, pricebook: Pricebook, day: date) -> QuoteContent:
    """Every line at the catalogue's price in the new currency. Raises PriceNotFound naming those that have none."""
    checks = check_prices(content, pricebook, day, include_manual=True)
    priced = {check.line_id for check in checks if check.source is not None} | {
        line.id for line in content.lines if line.price_source and line.price_source.currency == content.currency.code
    }
    missing = tuple(
        FieldError(f"lines[{position}].unit_price", f"The catalogue has no price in {content.currency}.")
        for position, line in enumerate(content.lines)
        if line.id not in priced
    )
    if missing:
        raise PriceNotFound(f"Some lines have no price in {content.currency}.", fields=missing)
    return repriced(content, checks, pricebook, day)


async def _coupons(
    desk: Desk, content: QuoteContent, codes: Sequence[str], pricebook: Pricebook
) -> tuple[AppliedCoupon, ...]:
    """Coupons count on the day on which they are used, whatever day the prices are of."""
    today = desk.now.astimezone(content.zone).date()
    coupons = await find_coupons(desk.uow, codes)
    applied = tuple(apply_coupon(coupon, content.lines, pricebook, content.currency, today) for coupon in coupons)
    if any(coupon.minimum is not None for coupon in coupons):
        total = calculate(replace(content, coupons=()).pricing()).line_net_total
        for coupon in coupons:
            coupon.check_minimum(total)
    await _check_uses(desk, coupons)
    return applied


async def _check_uses(desk: Desk, coupons: Sequence[Coupon]) -> None:
    """An early word; what counts is the redemption at submission."""
    for coupon in coupons:
        limited = coupon.total_limit is not None or coupon.customer_limit is not None
        if desk.customer is not None and limited and coupon.id not in desk.held:
            coupon.check_uses(await desk.uow.coupons.uses(coupon.id, desk.customer.id))


def _blank(
    organization: Organization, customer: Customer | None, currency: Currency, salesperson: str, now: datetime
) -> QuoteContent:
    today = now.astimezone(ZoneInfo(organization.time_zone)).date()
    return QuoteContent(
        title="",
        seller=organization.party,
        logo=organization.logo,
        buyer=customer.party if customer else organization.party,
        recipient=None,
        salesperson=salesperson,
        valid_until=today + timedelta(days=DAYS_OF_VALIDITY),
        time_zone=organization.time_zone,
        locale=customer.locale if customer else organization.locale,
        currency=currency,
        settings=organization.settings,
        prices_include_tax=organization.prices_include_tax,
        pricing_date=today,
        lines=(),
    )


def _has_amounts(content: QuoteContent, draft: DraftInput) -> bool:
    """Whether discounts or charges in the old currency would stay."""
    kept: list[Discount | Charge] = []
    if draft.discounts is None:
        kept.extend(content.discounts)
    if draft.charges is None:
        kept.extend(content.charges)
    return any(_is_amount(entry) for entry in kept)


def _is_amount(entry: Discount | Charge) -> bool:
    return entry.amount is not None or entry.base is not None


def _given(value: str | None, otherwise: str) -> str:
    return otherwise if value is None else value


async def _participants(desk: Desk, told: Sequence[tuple[ContactId, ContactRole]]) -> tuple[Participant, ...]:
    """Raises ContactNotFound, ContactDeleted, and Invalid for another customer's contact."""
    named = [(_recipient(await desk.uow.contacts.get(contact_id), desk.customer), role) for contact_id, role in told]
    return tuple(
        Participant(contact_id=one.contact_id, role=role, name=one.name, email=one.email) for one, role in named
    )


def _recipient(contact: Contact, customer: Customer | None) -> Recipient:
    contact.check_here()
    if customer is not None and contact.customer_id != customer.id:
        raise invalid_field("contact_id", "This contact belongs to another customer.")
    return Recipient(contact_id=contact.id, name=contact.name, email=contact.email)


def check_costs(actor: Actor, lines: Iterable[LineInput] | None) -> None:
    """Whoever may not see costs may not say any: margins decide about approvals. Raises PermissionMissing."""
    if any(line.unit_cost is not None for line in lines or ()):
        actor.require(Permission.VIEW_COSTS)
