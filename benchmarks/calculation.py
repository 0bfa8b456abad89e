"""How long a large offer takes, beside the bare decimal operations that it cannot do without.

``python -m benchmarks.calculation [--profile]``: 1,000 lines, each with two discounts and one tax. The floor makes the
same multiplications, roundings and sums on numbers that lie ready, without limits, groups or records of any kind.
"""

import cProfile
import sys
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from time import perf_counter

from src.domain.quoting.calculator import calculate
from src.domain.quoting.explaining import explain
from src.domain.quoting.pricing import Discount, LinePricing, QuotePricing, Tax
from src.domain.shared.currency import Currency

LINES, RUNS = 1_000, 25
CENT, HUNDREDTH = Decimal("0.01"), Decimal("0.01")


def a_large_offer() -> QuotePricing:
    return QuotePricing(
        currency=Currency.of("EUR"),
        lines=tuple(
            LinePricing(
                quantity=Decimal(1 + n % 40),
                unit_price=Decimal(1999 + 37 * n).scaleb(-2),
                discounts=(
                    Discount(percent=Decimal(5 + n % 7)),
                    Discount(percent=Decimal("2.5")),
                ),
                taxes=(Tax(category="VAT", rate_percent=Decimal(("19", "7", "0")[n % 3])),),
            )
            for n in range(LINES)
        ),
    )


def bare(figures: list[tuple[Decimal, Decimal, Decimal, Decimal, int]]) -> Decimal:
    """The arithmetic alone. A figure is quantity, price, two percentages and the number of its tax group."""
    total, bases = Decimal(0), [Decimal(0), Decimal(0), Decimal(0)]
    for quantity, price, first, second, group in figures:
        gross = (quantity * price).quantize(CENT, ROUND_HALF_UP)
        discount = (gross * first * HUNDREDTH).quantize(CENT, ROUND_HALF_UP)
        another = (gross * second * HUNDREDTH).quantize(CENT, ROUND_HALF_UP)
        net = gross - discount - another
        total += net
        bases[group] += net
    for base, rate in zip(bases, (19, 7, 0), strict=True):
        total += (base * rate * HUNDREDTH).quantize(CENT, ROUND_HALF_UP)
    return total


def milliseconds(work: Callable[[], object]) -> float:
    """The median of several runs."""
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return median(times) * 1000


def main() -> None:
    offer = a_large_offer()
    figures = [
        (line.quantity, line.unit_price, line.discounts[0].percent, line.discounts[1].percent, n % 3)
        for n, line in enumerate(offer.lines)
    ]
    ready = [(q, p, first, second, n) for q, p, first, second, n in figures if first is not None and second is not None]
    assert bare(ready) == calculate(offer).payable
    if "--profile" in sys.argv:
        with cProfile.Profile() as profile:
            for _ in range(10):
                calculate(offer)
        profile.print_stats("tottime")
        return
    floor, full = milliseconds(lambda: bare(ready)), milliseconds(lambda: calculate(offer))
    explained = milliseconds(lambda: explain(offer))
    print(f"{LINES} lines, medians of {RUNS} runs: bare decimals {floor:.2f} ms")
    print(f"calculate {full:.2f} ms, ratio {full / floor:.1f}")
    print(f"calculate and explain {explained:.2f} ms, ratio {explained / floor:.1f}")


if __name__ == "__main__":
    main()
