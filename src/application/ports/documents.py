"""Documents: the printed offer and the spreadsheets that leave the house."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol, Self

from src.domain.quoting.allowances import TaxedAllowance
from src.domain.quoting.calculation import Calculation
from src.domain.quoting.content import LineItem, QuoteContent
from src.domain.quoting.pricing import Instalment, Tax
from src.domain.quoting.quote import Quote
from src.domain.shared.errors import Invalid, NotFound
from src.domain.shared.party import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """One line as it is printed; its amounts stand at the same position in ``QuoteDocument.calculation.lines``."""

    sku: str
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    price_base_quantity: Decimal
    taxes: tuple[Tax, ...]
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteDocument:
    """All that the buyer sees of one revision, frozen. *locale* is a BCP 47 tag such as ``en``, ``de`` or ``ko``.

    *content_digest* is printed at the foot, so that paper and record can be matched. *salesperson* may be empty.
    *logo* is the seller's, a PNG or a JPEG; ``of`` leaves it empty, for the file lies in the storage.
    """

    number: str
    revision: int
    title: str
    locale: str
    issued_on: date
    valid_until: date
    seller: Party
    buyer: Party
    contact_name: str
    salesperson: str
    lines: tuple[DocumentLine, ...]
    discount_reasons: tuple[str, ...]
    charge_reasons: tuple[str, ...]
    prices_include_tax: bool
    calculation: Calculation
    terms: str
    content_digest: str
    instalments: tuple[Instalment, ...] = ()
    logo: bytes = b""

    @classmethod
    def of(cls, quote: Quote, number: int) -> Self:
        """What the buyer sees of the revision with this *number*, which must have been sent."""
        revision = next(revision for revision in quote.revisions if revision.number == number)
        content = revision.content
        issued = revision.sent_at or revision.created_at
        return cls(
            number=quote.number,
            revision=number,
            title=content.title,
            locale=content.locale,
            issued_on=issued.astimezone(content.zone).date(),
            valid_until=content.valid_until,
            seller=content.seller,
            buyer=content.buyer,
            contact_name=content.recipient.name if content.recipient else "",
            salesperson=content.salesperson,
            lines=tuple(_line_of(line) for line in content.lines),
            discount_reasons=tuple(discount.reason for discount in content.pricing().discounts),
            charge_reasons=tuple(charge.reason for charge in content.charges),
            prices_include_tax=content.prices_include_tax is not None,
            calculation=revision.calculation,
            terms=content.terms,
            content_digest=revision.content_digest or "",
            instalments=content.instalments,
        )

    @property
    def file_name(self) -> str:
        """``Q-2026-000123-2.pdf``."""
        return f"{self.number}-{self.revision}.pdf"


def _line_of(line: LineItem) -> DocumentLine:
    return DocumentLine(
        sku=line.sku,
        description=line.description,
        quantity=line.pricing.quantity,
        unit=line.unit,
        unit_price=line.pricing.unit_price,
        price_base_quantity=line.pricing.price_base_quantity,
        taxes=line.pricing.taxes,
        section=line.pricing.section,
    )


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """A PDF, and the characters that no font has and that were replaced by U+FFFD or a box sign.

    *logo_left_out*: it was no picture that can be printed.
    """

    content: bytes
    replaced_characters: str
    logo_left_out: bool = False


class QuoteRenderer(Protocol):
    @abstractmethod
    def render(self, document: QuoteDocument) -> RenderedDocument:
        """The offer as PDF. Same input, same bytes. Holds a core for some 10 ms: call it in a thread, in a job.

        Never reads the network; text is text, never markup.
        """


class QuotationWriter(Protocol):
    @abstractmethod
    def write(self, document: QuoteDocument, content: QuoteContent, allowances: Sequence[TaxedAllowance]) -> bytes:
        """The offer as OASIS UBL 2.1 Quotation, in UTF-8. Same input, same bytes.

        *content* and *allowances* are those of the document's revision; every figure is one of its calculation.
        """


Cell = str | bool | int | Decimal | date | datetime | None


class ColumnKind(StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    AMOUNT = "amount"
    DATE = "date"
    INSTANT = "instant"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Column:
    """*key* names it for programs; without one it is the *title* in small letters. *width* is in characters."""

    title: str
    kind: ColumnKind
    width: int = 16
    key: str = ""

    @property
    def name(self) -> str:
        return self.key or "_".join(self.title.lower().split())


class NothingToExport(NotFound):
    code = "nothing_to_export"


class TooManyRows(Invalid):
    """More than the format holds."""

    code = "too_many_rows"


# Sends rows to what it is given as PostgreSQL's COPY writes text, in pieces that may end anywhere, and says how many there were:
# UTF-8, a tab between fields, a line feed after each row; those within texts are escaped by a backslash; NULL is nothing.
CopiedRows = Callable[[Callable[[bytes], Awaitable[None]]], Awaitable[int]]


class SpreadsheetFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"
    JSON_LINES = "jsonl"


class SpreadsheetWriter(Protocol):
    @abstractmethod
    async def write(
        self,
        path: Path,
        file_format: SpreadsheetFormat,
        columns: Sequence[Column],
        rows: AsyncIterator[Sequence[Cell]],
        sheet: str,
        totals: Callable[[], Sequence[Sequence[Cell]]] = tuple,
    ) -> int:
        """Write *rows* into the file at *path* in flat memory and return how many there were.

        *totals* is asked after the last row for rows that close an XLSX; the other formats are for programs and have
        none. Raises TooManyRows.

        Text is never a formula, whatever it begins with. Instants are UTC. Amounts are numbers in XLSX when a double
        holds them exactly (15 digits), text otherwise; in CSV and in JSON Lines (one
        object for each row) they are plain decimals with a point.
        """

    @abstractmethod
    async def write_csv(self, path: Path, columns: Sequence[Column], source: CopiedRows) -> int:
        """As ``write`` makes a CSV, of rows that nobody has looked at: texts are guarded as ever."""
