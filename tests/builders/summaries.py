"""Summaries of quotes for tests, and for the picture in the documentation."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from src.application.ports.reporting import SummaryRow
from src.application.ports.summaries import SummaryDocument
from src.domain.shared.currency import Currency

EUR, USD = Currency.of("EUR"), Currency.of("USD")
_CUSTOMERS = (
    *("Hansen Reederei GmbH & Co. KG", "Brandt Innenausbau", "Klinikum Wesermarsch", "Stadtwerke Lüneburg"),
    *("Vogel & Partner Architekten", "Kranich Logistik SE", "Nordsee Verlag", "Möbelhaus Petersen"),
)
_OWNERS = ("Jonas Weber", "Anna Lindqvist", "Mehmet Yıldız", "Katrin Oltmanns")


def a_row(key: str, amount: str, quotes: int = 1, **changes: Any) -> SummaryRow:
    values: dict[str, Any] = {
        "key": key,
        "name": "",
        "currency": EUR,
        "quotes": quotes,
        "amount": Decimal(amount),
        "won_quotes": 0,
        "won_amount": Decimal(0),
        "lost_quotes": 0,
    }
    return SummaryRow(**values | changes)


def a_summary(**changes: Any) -> SummaryDocument:
    """A good year of a trading house."""
    values: dict[str, Any] = {
        "organization": "Nordlicht Objekteinrichtung GmbH",
        "locale": "en",
        "time_zone": "Europe/Berlin",
        "made_at": datetime(2026, 11, 21, 9, 40, tzinfo=ZoneInfo("Europe/Berlin")),
        "start": date(2026, 1, 1),
        "end": date(2026, 11, 20),
        "statuses": (),
        "customer": "",
        "owner": "",
        "by_status": _states(),
        "by_month": _months(),
        "by_customer": _ranked(_CUSTOMERS, 412_300),
        "by_owner": _ranked(_OWNERS, 968_150),
    }
    return SummaryDocument(**values | changes)


def _states() -> Sequence[SummaryRow]:
    return [
        a_row("accepted", "1284550.40", 148, won_quotes=148, won_amount=Decimal("1284550.40")),
        a_row("approved", "61240.00", 7),
        a_row("cancelled", "18900.00", 4),
        a_row("declined", "402118.75", 51, lost_quotes=51),
        a_row("draft", "96310.00", 19),
        a_row("expired", "211904.10", 33, lost_quotes=33),
        a_row("pending_approval", "143870.50", 6),
        a_row("sent", "508233.90", 42),
        a_row("accepted", "88400.00", 9, currency=USD, won_quotes=9, won_amount=Decimal("88400.00")),
        a_row("sent", "41250.50", 5, currency=USD),
        a_row("declined", "12000.00", 2, currency=USD, lost_quotes=2),
    ]


def _months() -> Sequence[SummaryRow]:
    amounts = (188, 204, 251, 219, 243, 298, 176, 164, 287, 352, 345)
    rows = []
    for month, amount in enumerate(amounts, start=1):
        won = Decimal(amount * (40 + month % 4 * 7)) * 10
        row = a_row(
            f"2026-{month:02}",
            f"{amount}430.50",
            18 + month * 2,
            won_quotes=9 + month,
            won_amount=won,
            lost_quotes=5 + month % 3,
        )
        rows.append(row)
    rows += [
        a_row(f"2026-{month:02}", f"{month * 3}900.00", month, currency=USD, won_quotes=1, won_amount=Decimal(9000))
        for month in (3, 6, 9, 10)
    ]
    return rows


def _ranked(names: Sequence[str], largest: int) -> Sequence[SummaryRow]:
    rows = [
        a_row(
            name,
            f"{largest * 3 // (3 + place)}.25",
            42 - place * 3,
            name=name,
            won_quotes=20 - place,
            won_amount=Decimal(largest // (3 + place)),
            lost_quotes=9 + place,
        )
        for place, name in enumerate(names)
    ]
    return [*rows, a_row("x", "81650.50", 9, name="Halcyon Interiors LLC", currency=USD, won_quotes=6, lost_quotes=1)]
