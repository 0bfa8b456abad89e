"""The end of a calculation: totals, cash rounding, the payable amount, every figure in whole minor units."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from src.domain.quoting.apportion import apportion
from src.domain.quoting.arithmetic import HUNDREDTH, ONE, ZERO, Scale
from src.domain.quoting.calculation import Calculation, LineAmounts, SectionSubtotal, TaxSubtotal
from src.domain.quoting.limits import check_deposit, check_total
from src.domain.quoting.pricing import Deposit, QuotePricing
from src.domain.quoting.standard import is_en16931_exact
from src.domain.shared.rounding import Rounding

Amounts = tuple[Decimal, ...]
_HUNDRED = Decimal(100)
_PERCENT_SHOWN = Decimal("0.0001")


def conclude(
    pricing: QuotePricing,
    scale: Scale,
    lines: tuple[LineAmounts, ...],
    discounts: Amounts,
    charges: Amounts,
    taxes: tuple[TaxSubtotal, ...],
) -> Calculation:
    """The calculation with its totals. The amounts given are unrounded when the rounding is ``precise``."""
    line_net_total = sum([line.net for line in lines if line.counts], ZERO)
    discount_total, charge_total = sum(discounts, ZERO), sum(charges, ZERO)
    before_tax = line_net_total - discount_total + charge_total
    total_without_tax = before_tax - _included_tax(taxes, pricing.prices_include_tax)
    tax_total = _tax(taxes, retained=False)
    retained_total = _tax(taxes, retained=True)
    total_with_tax = total_without_tax + tax_total

    # Money that changes hands has whole minor units, whatever the rounding on the way.
    due, prepaid = scale.money(total_with_tax - retained_total), scale.money(pricing.prepaid)
    rounding = scale.money(_rounding(pricing, due - prepaid))
    payable = due - prepaid + rounding
    deposit = _deposit(pricing.deposit, payable, scale)
    costs = [line.cost for line in lines if line.counts]
    known = [cost for cost in costs if cost is not None]
    cost_total = sum(known, ZERO) if costs and len(known) == len(costs) else None

    calculation = Calculation(
        currency=pricing.currency,
        minor_digits=scale.minor_digits,
        lines=lines if pricing.settings.rounding is Rounding.PER_LINE else tuple(_shown(line, scale) for line in lines),
        line_net_total=scale.money(line_net_total),
        discounts=_money(discounts, scale),
        charges=_money(charges, scale),
        discount_total=scale.money(discount_total),
        charge_total=scale.money(charge_total),
        total_without_tax=scale.money(total_without_tax),
        taxes=tuple(_shown_group(group, scale) for group in taxes),
        tax_total=scale.tax(tax_total),
        total_with_tax=scale.money(total_with_tax),
        retained_total=scale.tax(retained_total),
        prepaid=prepaid,
        rounding=rounding,
        payable=payable,
        en16931_exact=False,
        sections=_sections(pricing, lines, scale),
        deposit=deposit,
        balance=payable - deposit,
        instalments=_instalments(pricing, payable - deposit, scale),
        cost_total=None if cost_total is None else scale.money(cost_total),
        margin=None if cost_total is None else scale.money(total_without_tax - cost_total),
        margin_percent=None if cost_total is None else _percent(total_without_tax - cost_total, total_without_tax),
    )
    _check(calculation)
    exact = is_en16931_exact(calculation, prices_include_tax=pricing.prices_include_tax is not None)
    return replace(calculation, en16931_exact=exact)


def _included_tax(taxes: tuple[TaxSubtotal, ...], category: str | None) -> Decimal:
    inside = [group.amount for group in taxes if group.tax.category == category and not group.tax.retained]
    return sum(inside, ZERO)


def _tax(taxes: tuple[TaxSubtotal, ...], *, retained: bool) -> Decimal:
    return sum([group.amount + group.surcharge_amount for group in taxes if group.tax.retained is retained], ZERO)


def _rounding(pricing: QuotePricing, due: Decimal) -> Decimal:
    """What is added at the very end: the amount given, or what leads to the nearest multiple of the step."""
    step = pricing.cash_rounding
    if step is None:
        return pricing.rounding_amount
    return (due / step).quantize(ONE, ROUND_HALF_UP) * step - due


def _deposit(deposit: Deposit | None, payable: Decimal, scale: Scale) -> Decimal:
    """Raises DepositExceedsPayable."""
    if deposit is None:
        return scale.money(ZERO)
    if deposit.percent is not None:
        return scale.money(payable * deposit.percent * HUNDREDTH)
    amount = scale.money(deposit.amount or ZERO)
    check_deposit(amount, payable)
    return amount


def _instalments(pricing: QuotePricing, balance: Decimal, scale: Scale) -> Amounts:
    """By the largest remainder, so that they sum to the balance and none goes the other way."""
    if not pricing.instalments:
        return ()
    return apportion(balance, [instalment.share for instalment in pricing.instalments], scale.unit)


def _sections(pricing: QuotePricing, lines: tuple[LineAmounts, ...], scale: Scale) -> tuple[SectionSubtotal, ...]:
    """In the order in which they first appear."""
    nets: dict[str, Decimal] = {}
    if not any([line.section for line in pricing.lines]):  # noqa: C419 — a list is twice as quick.
        return ()
    for line, amounts in zip(pricing.lines, lines, strict=True):
        if line.section:
            nets[line.section] = nets.get(line.section, ZERO) + (amounts.net if amounts.counts else ZERO)
    return tuple(SectionSubtotal(title=title, net=scale.money(net)) for title, net in nets.items())


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part * _HUNDRED / whole).quantize(_PERCENT_SHOWN, ROUND_HALF_UP) + ZERO if whole else None


def _money(amounts: Amounts, scale: Scale) -> Amounts:
    return tuple([scale.money(amount) for amount in amounts])


def _shown(line: LineAmounts, scale: Scale) -> LineAmounts:
    return LineAmounts(
        gross=scale.money(line.gross),
        discounts=_money(line.discounts, scale),
        charges=_money(line.charges, scale),
        net=scale.money(line.net),
        document_share=scale.money(line.document_share),
        cost=None if line.cost is None else scale.money(line.cost),
        margin=None if line.margin is None else scale.money(line.margin),
        optional=line.optional,
        counts=line.counts,
    )


def _shown_group(group: TaxSubtotal, scale: Scale) -> TaxSubtotal:
    return TaxSubtotal(
        tax=group.tax,
        base=scale.money(group.base),
        amount=scale.tax(group.amount),
        surcharge_amount=scale.tax(group.surcharge_amount),
    )


def _check(calculation: Calculation) -> None:
    check_total("lines", calculation.line_net_total)
    for name in ("discount", "charge"):
        check_total(f"{name}s", getattr(calculation, f"{name}_total"))
    for group in calculation.taxes:
        for amount in (group.base, group.amount, group.surcharge_amount):
            check_total("taxes", amount)
    for amount in (
        calculation.total_without_tax,
        calculation.tax_total,
        calculation.total_with_tax,
        calculation.retained_total,
        calculation.payable,
    ):
        check_total("payable", amount)
