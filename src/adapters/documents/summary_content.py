"""What the template of a summary prints: ready texts, and how long its bars are."""

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from src.adapters.documents.summary_labels import SUMMARY_LABELS, SummaryLabels
from src.application.ports.reporting import SummaryRow
from src.application.ports.summaries import SummaryDocument
from src.domain.documents import Notation, notation_for
from src.domain.quoting.states import QuoteStatus
from src.domain.shared.currency import Currency

MOST_MONTHS: Final = 18
_NOTHING: Final = "–"
_TENTH: Final = Decimal("0.1")
_ORDER: Final = [status.value for status in QuoteStatus]


def summary_content(document: SummaryDocument, printable: Callable[[str], str]) -> dict[str, Any]:
    """JSON values: texts, lists, and whole numbers of thousandths for bars. *printable* sees what people wrote."""
    writer = _Writer(document, printable)
    labels = writer.labels
    return {
        "language": writer.notation.language,
        "made_on": [document.made_at.year, document.made_at.month, document.made_at.day],
        "title": labels.title,
        "organization": writer.text(document.organization),
        "facts": writer.facts(),
        "sections": [writer.section(currency) for currency in writer.currencies()],
        "labels": {
            "quotes": labels.quotes,
            "volume": labels.volume,
            "won": labels.won,
            "won_quotes": labels.won_quotes,
            "win_rate": labels.win_rate,
            "share": labels.share,
            "month": labels.month,
            "status": labels.status,
            "by_status": labels.by_status,
            "by_month": labels.by_month,
            "months": labels.months_in_figures,
            "customer": labels.customer,
            "owner": labels.owner,
            "top_customers": labels.top_customers,
            "top_owners": labels.top_owners,
            "legend_volume": labels.legend_volume,
            "legend_won": labels.legend_won,
        },
        "notes": labels.notes,
        "page": labels.page.split("{}"),
    }


class _Writer:
    """One summary in the words and figures of its language."""

    def __init__(self, document: SummaryDocument, printable: Callable[[str], str]) -> None:
        self.document = document
        self.notation: Notation = notation_for(document.locale)
        self.labels: SummaryLabels = SUMMARY_LABELS[self.notation.language]
        self._printable = printable

    def text(self, text: str) -> str:
        return " ".join(self._printable(text).split())

    def currencies(self) -> list[Currency]:
        """Where most quotes are comes first."""
        counts: dict[Currency, int] = {}
        for row in self.document.by_status:
            counts[row.currency] = counts.get(row.currency, 0) + row.quotes
        return sorted(counts, key=lambda one: (-counts[one], one.code))

    def facts(self) -> list[list[str]]:
        document, labels = self.document, self.labels
        statuses = ", ".join(labels.statuses.get(status, status) for status in document.statuses)
        made_at = f"{self.notation.day(document.made_at.date())}, {document.made_at:%H:%M} ({document.time_zone})"
        facts = [
            (labels.period, self._period()),
            (labels.status, statuses),
            (labels.customer, self.text(document.customer)),
            (labels.owner, self.text(document.owner)),
            (labels.made_at, made_at),
        ]
        return [[label, value] for label, value in facts if value]

    def section(self, currency: Currency) -> dict[str, Any]:
        states = sorted(_of(self.document.by_status, currency), key=lambda row: _ORDER.index(row.key))
        months = _of(self.document.by_month, currency)
        shown = months[-MOST_MONTHS:]
        volume = sum((row.amount for row in states), Decimal(0))
        return {
            "currency": currency.code,
            "tiles": self._tiles(states, volume, currency),
            "states": [self._state(row, volume) for row in states],
            "months": [self._month(row, max(one.amount for one in shown)) for row in shown],
            "earlier": self.labels.earlier.format(len(shown)) if len(months) > len(shown) else "",
            "customers": self._largest(_of(self.document.by_customer, currency), volume),
            "owners": self._largest(_of(self.document.by_owner, currency), volume),
        }

    def _tiles(self, states: Sequence[SummaryRow], volume: Decimal, currency: Currency) -> list[list[str]]:
        labels, quotes = self.labels, sum(row.quotes for row in states)
        won = sum((row.won_amount for row in states), Decimal(0))
        won_quotes, lost = sum(row.won_quotes for row in states), sum(row.lost_quotes for row in states)
        average = (volume / quotes).quantize(Decimal(1).scaleb(-currency.minor_digits), ROUND_HALF_UP)
        return [
            [labels.volume, self._whole(volume), currency.code],
            [labels.won, self._whole(won), f"{labels.won_quotes} {self._count(won_quotes)}"],
            [labels.quotes, self._count(quotes), f"{labels.average} {self._whole(average)}"],
            [
                labels.win_rate,
                self._rate(won_quotes, lost),
                f"{self._count(won_quotes)} / {self._count(won_quotes + lost)}",
            ],
        ]

    def _state(self, row: SummaryRow, volume: Decimal) -> dict[str, Any]:
        return {
            "name": self.labels.statuses[row.key],
            "quotes": self._count(row.quotes),
            "amount": self._amount(row),
            "share": self._percent(row.amount, volume),
            "bar": _thousandths(row.amount, volume),
        }

    def _month(self, row: SummaryRow, largest: Decimal) -> dict[str, Any]:
        year, month = row.key.split("-")
        return {
            "name": self.labels.months[int(month) - 1],
            "year": year,
            "quotes": self._count(row.quotes),
            "amount": self._amount(row),
            "won": self.notation.amount(row.won_amount, row.currency.minor_digits),
            "rate": self._rate(row.won_quotes, row.lost_quotes),
            "bar": _thousandths(row.amount, largest),
            "won_bar": _thousandths(row.won_amount, largest),
        }

    def _largest(self, rows: Sequence[SummaryRow], volume: Decimal) -> list[dict[str, Any]]:
        return [
            {
                "name": self.text(row.name) or _NOTHING,
                "quotes": self._count(row.quotes),
                "amount": self._amount(row),
                "won": self.notation.amount(row.won_amount, row.currency.minor_digits),
                "rate": self._rate(row.won_quotes, row.lost_quotes),
                "share": self._percent(row.amount, volume),
                "bar": _thousandths(row.amount, rows[0].amount),
            }
            for row in rows
        ]

    def _period(self) -> str:
        start, end = self.document.start, self.document.end
        if start and end:
            return f"{self.notation.day(start)} – {self.notation.day(end)}"
        if start:
            return self.labels.since.format(self.notation.day(start))
        return self.labels.until.format(self.notation.day(end)) if end else self.labels.whole_period

    def _amount(self, row: SummaryRow) -> str:
        return self.notation.amount(row.amount, row.currency.minor_digits)

    def _whole(self, value: Decimal) -> str:
        """Large figures say more without their cents, which stand in the tables."""
        return self.notation.number(value.quantize(Decimal(1), ROUND_HALF_UP))

    def _count(self, value: int) -> str:
        return self.notation.number(Decimal(value))

    def _percent(self, part: Decimal, whole: Decimal) -> str:
        if whole <= 0:
            return _NOTHING
        share = (100 * part / whole).quantize(_TENTH, ROUND_HALF_UP)
        return f"{self.notation.amount(share, 1)}{self.notation.percent_sign}"

    def _rate(self, won: int, lost: int) -> str:
        return self._percent(Decimal(won), Decimal(won + lost))


def _of(rows: Sequence[SummaryRow], currency: Currency) -> list[SummaryRow]:
    return [row for row in rows if row.currency == currency]


def _thousandths(part: Decimal, whole: Decimal) -> int:
    """The length of a bar; none for what is less than nothing."""
    return min(max(int(1000 * part / whole), 0), 1000) if whole > 0 else 0
