"""Explanations follow from themselves to the figures, and nothing in one can be changed unseen."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.adapters.postgres.json_columns import from_json, to_json
from src.domain.quoting.calculator import calculate
from src.domain.quoting.explaining import explain
from src.domain.quoting.explanation import Explanation, Step, StepKind
from src.domain.quoting.pricing import Deposit, Discount, DocumentDiscount, Instalment, QuotePricing
from src.domain.quoting.verification import verify
from src.domain.shared.rounding import InclusiveTax, Rounding, RoundingSettings, TaxRounding
from tests.pricings import a_line, a_pricing, percent_off, vat
from tests.property.quoting.strategies import pricings

D = Decimal
OUTCOMES = ("exact", "rounded", "result")
FIGURES = ("base", "rate", "amount", *OUTCOMES)


@settings(max_examples=600)
@given(pricing=pricings())
def test_an_explanation_follows_and_leads_to_the_figures(pricing: QuotePricing) -> None:
    calculation, explanation = explain(pricing)

    assert calculation == calculate(pricing)
    assert verify(explanation, calculation) is None


@settings(max_examples=50)
@given(pricing=pricings())
def test_an_explanation_survives_being_stored(pricing: QuotePricing) -> None:
    calculation, explanation = explain(pricing)

    stored = from_json(Explanation, to_json(explanation))

    assert stored == explanation
    assert verify(stored, calculation) is None


@settings(max_examples=400)
@given(pricing=pricings(), data=st.data())
def test_every_changed_outcome_of_any_step_is_found(pricing: QuotePricing, data: st.DataObject) -> None:
    """A changed input may lead to the same: nothing times five is nothing times six."""
    calculation, explanation = explain(pricing)
    section, at, chain, seq = data.draw(st.sampled_from(list(_steps(explanation))))
    figure = data.draw(st.sampled_from(OUTCOMES))
    by = data.draw(st.sampled_from([D(1), D(-1), D("0.01"), D("1E-9")]))

    changed = _changed(explanation, section, at, chain, seq, figure, by)

    fault = verify(changed, calculation)
    assert fault is not None, (section, at, chain, seq, figure)


MODES = [
    RoundingSettings(),
    RoundingSettings(tax_rounding=TaxRounding.PER_LINE),
    RoundingSettings(inclusive_tax=InclusiveTax.FROM_NET),
    RoundingSettings(rounding=Rounding.PRECISE),
]


@pytest.mark.parametrize("included", [None, "VAT"])
@pytest.mark.parametrize("mode", MODES, ids=["per_group", "per_line", "from_net", "precise"])
def test_every_figure_of_a_full_offer_is_guarded(mode: RoundingSettings, included: str | None) -> None:
    """All steps, all figures, one after another: none may be changed by a hundredth."""
    pricing = a_pricing(
        a_line("3", "19.99", vat("19"), discounts=percent_off("5", "2.5"), unit_cost=D("11.50")),
        a_line("2.5", "8.40", vat("7"), discounts=(Discount(amount=D("1.11")),), unit_cost=D(3), section="Food"),
        a_line("1", "250", vat("19"), price_base_quantity=D(7), unit_cost=D(20)),
        settings=mode,
        prices_include_tax=included,
        discounts=(DocumentDiscount(percent=D(3)), DocumentDiscount(percent=D(10), lines=(0, 1), coupon="TEN")),
        cash_rounding=D("0.05"),
        deposit=Deposit(percent=D(30)),
        instalments=(Instalment(share=D(1)), Instalment(share=D(2))),
    )
    calculation, explanation = explain(pricing)
    assert verify(explanation, calculation) is None

    unseen = [
        (section, at, chain, seq, figure)
        for section, at, chain, seq in _steps(explanation)
        for figure in FIGURES
        if getattr(_step(explanation, section, at, chain, seq), figure) is not None
        # Another step of cash rounding may well lead to the same multiple.
        and (_step(explanation, section, at, chain, seq).kind, figure) != (StepKind.CASH_ROUNDING, "amount")
        and verify(_changed(explanation, section, at, chain, seq, figure, D("0.01")), calculation) is None
    ]
    assert unseen == []


def test_the_first_step_that_does_not_follow_is_named() -> None:
    calculation, explanation = explain(
        a_pricing(a_line("3", "10", vat("19")), a_line("2", "5", vat("19"), discounts=percent_off("10")))
    )

    changed = _changed(explanation, "lines", 1, "steps", 2, "exact", D("0.5"))

    fault = verify(changed, calculation)
    assert fault is not None
    assert (fault.place, fault.seq, fault.kind) == ("lines[1]", 3, StepKind.LINE_DISCOUNT)
    assert "comes to 1" in fault.message


@settings(max_examples=200)
@given(pricing=pricings(), data=st.data())
def test_every_step_of_lines_document_and_totals_that_is_missing_is_found(
    pricing: QuotePricing, data: st.DataObject
) -> None:
    calculation, explanation = explain(pricing)
    places = [
        place for place in _steps(explanation) if place[0] != "taxes" and place[2] != "shares" and place[0] != "pots"
    ]
    section, at, chain, seq = data.draw(st.sampled_from(places))
    step = _step(explanation, section, at, chain, seq)
    whole: Any = list(getattr(explanation, section))
    if not chain:
        del whole[seq]
    else:
        whole[at] = whole[at]._replace(**{chain: tuple(one for one in getattr(whole[at], chain) if one is not step)})
    changed: dict[str, Any] = {section: tuple(whole)}

    # A deposit of nothing is the same as none.
    assert verify(replace(explanation, **changed), calculation) is not None or (
        step.kind is StepKind.DEPOSIT and not calculation.deposit
    )


def test_a_step_that_is_missing_is_found() -> None:
    calculation, explanation = explain(a_pricing(a_line("3", "10", vat("19"), discounts=percent_off("10"))))
    line = explanation.lines[0]

    changed = replace(explanation, lines=(line._replace(steps=line.steps[:-1]),))

    assert verify(changed, calculation) is not None


def test_an_explanation_of_other_figures_is_refused() -> None:
    _, explanation = explain(a_pricing(a_line("3", "10", vat("19"))))

    assert verify(explanation, calculate(a_pricing(a_line("3", "10.01", vat("19"))))) is not None


def _steps(explanation: Explanation) -> Iterator[tuple[str, int, str, int]]:
    """Where every step stands: the section, the place in it, the chain, the place in that."""
    for section in ("lines", "pots", "taxes"):
        for at, one in enumerate(getattr(explanation, section)):
            for chain in ("steps", "shares"):
                yield from ((section, at, chain, seq) for seq in range(len(getattr(one, chain, ()))))
    for section in ("document", "totals"):
        yield from ((section, 0, "", seq) for seq in range(len(getattr(explanation, section))))


def _step(explanation: Explanation, section: str, at: int, chain: str, seq: int) -> Step:
    steps: Any = getattr(explanation, section)
    step: Step = steps[seq] if not chain else getattr(steps[at], chain)[seq]
    return step


def _changed(
    explanation: Explanation, section: str, at: int, chain: str, seq: int, figure: str, by: Decimal
) -> Explanation:
    step = _step(explanation, section, at, chain, seq)
    step = step._replace(**{figure: getattr(step, figure) + by})
    whole: Any = list(getattr(explanation, section))
    if not chain:
        whole[seq] = step
    else:
        steps = list(getattr(whole[at], chain))
        steps[seq] = step
        one = whole[at]
        whole[at] = (
            one._replace(**{chain: tuple(steps)}) if section == "lines" else replace(one, **{chain: tuple(steps)})
        )
    changed: dict[str, Any] = {section: tuple(whole)}
    return replace(explanation, **changed)
