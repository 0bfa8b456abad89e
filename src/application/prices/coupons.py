"""Coupons on offers: what a code gives, and who has used it up."""

from collections.abc import Sequence
from datetime import date

from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.pricebook import Pricebook
from src.domain.catalog.coupon import (
    Coupon,
    CouponExhausted,
    CouponNotValid,
    CouponRedeemed,
    CouponReleased,
    CouponUnknown,
    Redemption,
)
from src.domain.quoting.content import AppliedCoupon, LineItem
from src.domain.quoting.quote import Quote
from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import FieldError

MOST_COUPONS = 10


async def find_coupons(uow: UnitOfWork, codes: Sequence[str]) -> Sequence[Coupon]:
    """The coupons with these codes, in their order. Raises CouponUnknown, and CouponNotValid for too many or twice."""
    wanted = [code.strip().upper() for code in codes]
    if len(wanted) > MOST_COUPONS or len(set(wanted)) < len(wanted):
        raise CouponNotValid(f"At most {MOST_COUPONS} coupons are taken, each once.")
    known = await uow.coupons.find_by_code(wanted) if wanted else {}
    for index, code in enumerate(wanted):
        if code not in known:
            message = f"There is no coupon {code[:40]!r}."
            raise CouponUnknown(message, fields=(FieldError(f"coupons[{index}]", message),))
    return [known[code] for code in wanted]


def apply_coupon(
    coupon: Coupon, lines: Sequence[LineItem], pricebook: Pricebook, currency: Currency, day: date
) -> AppliedCoupon:
    """*coupon* on these lines. Raises CouponNotValid, CouponExpired."""
    coupon.check_usable(currency, day)
    if coupon.is_for_everything:
        return AppliedCoupon(coupon_id=coupon.id, code=coupon.code, percent=coupon.percent, amount=coupon.amount)
    covered = tuple(
        line.id
        for line in lines
        if line.product_id is not None and coupon.covers(line.product_id, pricebook.lineage(line.product_id))
    )
    if not covered:
        raise CouponNotValid(f"No line of the offer is one that the coupon {coupon.code} is for.")
    return AppliedCoupon(
        coupon_id=coupon.id, code=coupon.code, percent=coupon.percent, amount=coupon.amount, line_ids=covered
    )


async def save_quote(uow: UnitOfWork, change: Change[Quote]) -> Quote:
    """Save the quote; the coupons that it begins to use are redeemed, those that it gives up are released.

    A coupon is locked before its uses are counted, so that the last one goes to one offer only.
    Raises CouponExhausted, CouponExpired, CouponNotValid, and what saving raises.
    """
    saved = await uow.quotes.save(change)
    wanted = saved.coupons_held()
    held = await uow.coupons.held_by(saved.id) if wanted or _may_hold(change) else frozenset()
    at = change.events[-1].at
    for coupon_id in sorted(held - wanted):
        await uow.coupons.release(coupon_id, saved.id)
        uow.record(CouponReleased(resource_id=coupon_id, at=at, quote_id=saved.id))
    if wanted - held:
        coupons = await uow.coupons.lock(sorted(wanted - held))
        for coupon_id in sorted(wanted - held):
            coupon = coupons.get(coupon_id)
            if coupon is None:
                raise CouponExhausted("The coupon is no longer there.")
            coupon.check_usable(saved.current.content.currency, at.astimezone(saved.current.content.zone).date())
            coupon.check_minimum(saved.current.calculation.line_net_total)  # Prices may have been taken anew since.
            uses = await uow.coupons.uses(coupon_id, saved.customer_id)
            coupon.check_uses(uses)
            await uow.coupons.redeem(
                Redemption(coupon_id=coupon_id, quote_id=saved.id, customer_id=saved.customer_id, at=at)
            )
            uow.record(CouponRedeemed(resource_id=coupon_id, at=at, quote_id=saved.id, uses=uses.total + 1))
    return saved


def _may_hold(change: Change[Quote]) -> bool:
    return change.before is not None and bool(change.before.coupons_held())
