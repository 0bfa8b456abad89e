"""Explanations and the origins of prices on the wire: decimals as plain text."""

from collections.abc import Sequence
from datetime import date
from typing import Self
from uuid import UUID

from msgspec import Struct

from src.domain.quoting.explanation import Explanation, LineExplanation, PotExplanation, Step, TaxExplanation
from src.domain.quoting.verification import Fault
from src.domain.shared.canonical import decimal_text
from src.domain.shared.price_source import LosingCandidate, PriceSource
from src.entrypoints.schemas.pricing import TaxSchema


class LosingCandidateSchema(Struct, frozen=True):
    source_type: str
    source_id: str
    name: str
    min_quantity: str
    reason: str

    @classmethod
    def of(cls, loser: LosingCandidate) -> Self:
        return cls(
            source_type=loser.source_type,
            source_id=loser.source_id,
            name=loser.name,
            min_quantity=decimal_text(loser.min_quantity),
            reason=loser.reason.value,
        )


class PriceSourceSchema(Struct, frozen=True):
    """Where a unit price came from, and at most five candidates that lost, each with one reason."""

    kind: str
    source_type: str
    source_id: str
    name: str
    version: int
    list_price: str | None
    discount_percent: str | None
    unit_price: str
    price_base_quantity: str
    min_quantity: str
    currency: str
    pricing_date: date
    reason: str
    catalog_price: str | None
    losers: list[LosingCandidateSchema]

    @classmethod
    def of(cls, source: PriceSource) -> Self:
        return cls(
            kind=source.kind.value,
            source_type=source.source_type,
            source_id=source.source_id,
            name=source.name,
            version=source.version,
            list_price=None if source.list_price is None else decimal_text(source.list_price),
            discount_percent=None if source.discount_percent is None else decimal_text(source.discount_percent),
            unit_price=decimal_text(source.unit_price),
            price_base_quantity=decimal_text(source.price_base_quantity),
            min_quantity=decimal_text(source.min_quantity),
            currency=source.currency,
            pricing_date=source.pricing_date,
            reason=source.reason,
            catalog_price=None if source.catalog_price is None else decimal_text(source.catalog_price),
            losers=[LosingCandidateSchema.of(loser) for loser in source.losers],
        )


class StepSchema(Struct, frozen=True):
    """One step: what it looks at, at which rate or with which amount, before and after rounding, and the figure reached."""

    seq: int
    kind: str
    note: str
    base: str | None
    rate: str | None
    amount: str | None
    exact: str
    rounded: str
    result: str

    @classmethod
    def of(cls, seq: int, step: Step) -> Self:
        return cls(
            seq=seq,
            kind=step.kind.value,
            note=step.note,
            base=None if step.base is None else decimal_text(step.base),
            rate=None if step.rate is None else decimal_text(step.rate),
            amount=None if step.amount is None else decimal_text(step.amount),
            exact=decimal_text(step.exact),
            rounded=decimal_text(step.rounded),
            result=decimal_text(step.result),
        )


def steps_of(steps: Sequence[Step]) -> list[StepSchema]:
    return [StepSchema.of(seq, step) for seq, step in enumerate(steps, start=1)]


class LineExplanationSchema(Struct, frozen=True):
    """From price to net, then its shares of the document's amounts. *pot* is the position of what is taxed with it."""

    counts: bool
    pot: int | None
    price: PriceSourceSchema | None
    steps: list[StepSchema]
    shares: list[StepSchema]

    @classmethod
    def of(cls, line: LineExplanation) -> Self:
        return cls(
            counts=line.counts,
            pot=line.pot,
            price=None if line.source is None else PriceSourceSchema.of(line.source),
            steps=steps_of(line.steps),
            shares=steps_of(line.shares),
        )


class PotExplanationSchema(Struct, frozen=True):
    """What is taxed alike; *taxes* are positions in the explanation's taxes."""

    taxes: list[int]
    steps: list[StepSchema]

    @classmethod
    def of(cls, pot: PotExplanation) -> Self:
        return cls(taxes=list(pot.taxes), steps=steps_of(pot.steps))


class TaxExplanationSchema(Struct, frozen=True):
    tax: TaxSchema
    steps: list[StepSchema]

    @classmethod
    def of(cls, tax: TaxExplanation) -> Self:
        return cls(tax=TaxSchema.of(tax.tax), steps=steps_of(tax.steps))


class FaultSchema(Struct, frozen=True):
    """The first step that does not follow from what stands before it."""

    place: str
    seq: int
    kind: str
    message: str

    @classmethod
    def of(cls, fault: Fault) -> Self:
        return cls(place=fault.place, seq=fault.seq, kind=str(fault.kind), message=fault.message)


class ExplanationSchema(Struct, frozen=True):
    """How every amount came about. Replayed by anybody, the steps lead to the figures of the calculation."""

    rounding: str
    tax_rounding: str
    inclusive_tax: str
    tax_mode: str
    minor_digits: int
    prices_include_tax: str | None
    lines: list[LineExplanationSchema]
    document: list[StepSchema]
    pots: list[PotExplanationSchema]
    taxes: list[TaxExplanationSchema]
    totals: list[StepSchema]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        settings = explanation.settings
        return cls(
            rounding=settings.rounding.value,
            tax_rounding=settings.tax_rounding.value,
            inclusive_tax=settings.inclusive_tax.value,
            tax_mode=settings.tax_mode.value,
            minor_digits=explanation.minor_digits,
            prices_include_tax=explanation.prices_include_tax,
            lines=[LineExplanationSchema.of(line) for line in explanation.lines],
            document=steps_of(explanation.document),
            pots=[PotExplanationSchema.of(pot) for pot in explanation.pots],
            taxes=[TaxExplanationSchema.of(tax) for tax in explanation.taxes],
            totals=steps_of(explanation.totals),
        )


class RevisionExplanationSchema(Struct, frozen=True):
    """The explanation of one revision. *follows* says that a replay has led to the figures; else *fault* says where not."""

    quote_id: UUID
    revision: int
    content_digest: str | None
    explanation_digest: str | None
    follows: bool
    fault: FaultSchema | None
    explanation: ExplanationSchema
