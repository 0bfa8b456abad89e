"""``proffer catalog …``: import files, find products, ask what they cost, make price lists."""

from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

from cyclopts import Parameter

from src.application.catalog.ask_prices import AskPrices, AskPricesCommand, PriceRequest
from src.application.catalog.import_catalog import RunImport, StartImport, StartImportCommand
from src.application.catalog.price_lists import CreatePriceList, CreatePriceListCommand
from src.application.catalog.read_products import ListProducts, ProductSearch
from src.application.catalog.tax_rates import CreateTaxRate, CreateTaxRateCommand
from src.application.customers.customer_groups import ListCustomerGroups
from src.application.ports.paging import Paging
from src.application.ports.tabular import FileRefused
from src.domain.catalog.price_list import Scope
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxPeriod
from src.domain.documents.catalog_import import CatalogImport, ImportKind, ImportMode, ImportStatus
from src.domain.shared.canonical import decimal_text
from src.domain.shared.currency import Currency
from src.domain.shared.errors import NotFound, invalid_field
from src.entrypoints.cli.failures import INVALID
from src.entrypoints.cli.naming import customer_of
from src.entrypoints.cli.output import counted, print_json, print_table, progress
from src.entrypoints.cli.pages import every
from src.entrypoints.cli.session import As, CliSession, Limit, Organization, session_of
from src.entrypoints.schemas.pricing import is_decimal_text
from src.entrypoints.strict_json import printable

SHOWN_ERRORS = 20


async def import_file(
    kind: Annotated[ImportKind, Parameter(help="What the rows are.")],
    file: Annotated[Path, Parameter(help="A CSV (UTF-8) or XLSX file; its first row names the columns.")],
    *,
    user: As,
    organization: Organization = None,
    mode: Annotated[
        ImportMode, Parameter(help="Whether one bad row keeps all others out.")
    ] = ImportMode.ALL_OR_NOTHING,
    dry_run: Annotated[bool, Parameter(help="Check every row and store none.", negative="")] = False,
    json: Annotated[bool, Parameter(help="Print JSON instead of sentences.", negative="")] = False,
) -> int:
    """Import products, prices, exchange rates, customers or contacts; exit code 3 when rows are refused.

    Known SKUs are updated, new ones added. Interrupted while skipping bad rows, the same command goes on.

    Example: proffer catalog import products examples/catalogue/products.csv --as owner@nordlicht.example
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FileRefused(f"{file} cannot be read: {error.strerror}.") from None
    command = StartImportCommand(
        kind=kind, file_name=file.name, content=content, mode=mode, dry_run=dry_run, later=False
    )
    async with session_of(user, organization) as session:
        started = await (await session.get(StartImport))(session.actor, command)
        run = await session.get(RunImport)
        with progress() as bar:
            task = bar.add_task(
                f"Importing {kind.value}", total=max(content.count(b"\n"), 1) if file.suffix == ".csv" else None
            )
            ended = await run(session.actor, started.id, content, lambda rows: bar.advance(task, rows))
    if json:
        print_json(_as_json(ended))
    else:
        _tell(ended)
    return INVALID if ended.errors else 0


async def search(
    text: Annotated[str, Parameter(help="Text in SKU, name or description.")] = "",
    *,
    user: As,
    organization: Organization = None,
    limit: Limit = 20,
    json: Annotated[bool, Parameter(help="Print JSON instead of a table.", negative="")] = False,
) -> int:
    """Find products.

    Example: proffer catalog search desk --as sales@nordlicht.example
    """
    paging = Paging(limit=limit)
    async with session_of(user, organization) as session:
        page = await (await session.get(ListProducts))(session.actor, ProductSearch(search=text), paging)
    if json:
        print_json(
            [
                {
                    "id": str(one.id),
                    "sku": one.sku,
                    "name": one.name,
                    "unit": one.unit,
                    "list_price": decimal_text(one.list_price),
                    "currency": one.currency.code,
                    "archived": one.archived,
                }
                for one in page.items
            ]
        )
        return 0
    columns = (("SKU", "left"), ("Name", "left"), ("Unit", "left"), ("List price", "right"))
    print_table(
        columns,
        [(one.sku, one.name, one.unit, f"{decimal_text(one.list_price)} {one.currency}") for one in page.items],
    )
    print(f"{len(page.items)} of {counted(page.total, 'product')}.")
    return 0


async def ask(
    sku: Annotated[str, Parameter(help="The product.")],
    *,
    user: As,
    organization: Organization = None,
    quantity: Annotated[str, Parameter(help="How many units.")] = "1",
    customer: Annotated[str, Parameter(help="Part of the customer's name, or its id; a list price when absent.")] = "",
    currency: Annotated[str | None, Parameter(help="ISO 4217; the customer's when absent.")] = None,
    day: Annotated[date | None, Parameter(help="YYYY-MM-DD; today when absent.")] = None,
) -> int:
    """Say what a product costs, and why no other price won.

    Example: proffer catalog price DESK-180 --quantity 25 --customer Brandt --as sales@nordlicht.example
    """
    if not is_decimal_text(quantity):
        raise invalid_field("quantity", f"{quantity!r} is no plain decimal such as 12.5.")
    async with session_of(user, organization) as session:
        product = await _product_of(session, sku)
        command = AskPricesCommand(
            items=(PriceRequest(product_id=product.id, quantity=Decimal(quantity)),),
            customer_id=await customer_of(session, customer) if customer else None,
            currency=None if currency is None else Currency.of(currency),
            day=day,
        )
        (answer,) = await (await session.get(AskPrices))(session.actor, command)
    source = answer.source
    per = "" if source.price_base_quantity == 1 else f" per {decimal_text(source.price_base_quantity)}"
    print(f"{product.sku}  {product.name}")
    print(f"{decimal_text(source.unit_price)} {source.currency}{per}, from {source.kind.value} «{source.name}»", end="")
    if source.discount_percent is not None and source.list_price is not None:
        print(f": {decimal_text(source.list_price)} less {decimal_text(source.discount_percent)} %", end="")
    print(f", from {decimal_text(source.min_quantity)} on." if source.min_quantity else ".")
    for loser in source.losers:
        print(f"  not «{loser.name}»: {loser.reason.value.replace('_', ' ')}")
    return 0


async def add_price_list(
    name: Annotated[str, Parameter(help="A name of its own.")],
    *,
    user: As,
    organization: Organization = None,
    currency: Annotated[str | None, Parameter(help="ISO 4217; the organisation's when absent.")] = None,
    customer: Annotated[str, Parameter(help="Only for this customer: part of its name, or its id.")] = "",
    group: Annotated[str, Parameter(help="Only for this customer group.")] = "",
    start_date: Annotated[date | None, Parameter(help="First day, YYYY-MM-DD.")] = None,
    end_date: Annotated[date | None, Parameter(help="Last day, included.")] = None,
    priority: Annotated[int, Parameter(help="The higher wins among equals.")] = 0,
) -> int:
    """Add a price list; then import its prices.

    Example: proffer catalog add-price-list "Volume 2027" --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        scope = Scope.EVERYONE
        scope_id: UUID | None = None
        if customer:
            scope, scope_id = Scope.CUSTOMER, await customer_of(session, customer)
        elif group:
            groups = await (await session.get(ListCustomerGroups))(session.actor)
            scope, scope_id = Scope.GROUP, next((one.id for one in groups if one.name == group), None)
            if scope_id is None:
                raise NotFound(f"There is no customer group {group!r}.")
        command = CreatePriceListCommand(
            name=name,
            currency=None if currency is None else Currency.of(currency),
            scope=scope,
            scope_id=scope_id,
            valid_from=start_date,
            valid_until=end_date,
            priority=priority,
        )
        made = await (await session.get(CreatePriceList))(session.actor, command)
    print(f"The price list «{made.name}» in {made.currency} is there.")
    return 0


async def add_tax_rate(
    code: Annotated[str, Parameter(help="Such as VAT-STANDARD.")],
    percent: Annotated[str, Parameter(help="The rate, or «exempt».")],
    *,
    user: As,
    organization: Organization = None,
    name: Annotated[str, Parameter(help="The code when absent.")] = "",
    category: Annotated[str, Parameter(help="UNCL 5305, or a scheme such as VAT.")] = "VAT",
) -> int:
    """Add a tax rate that products can name.

    Example: proffer catalog add-tax-rate VAT-STANDARD 19 --as owner@nordlicht.example
    """
    if percent != "exempt" and not is_decimal_text(percent):
        raise invalid_field("percent", f"{percent!r} is neither a decimal such as 19 nor «exempt».")
    period = TaxPeriod(valid_from=None, rate_percent=None if percent == "exempt" else Decimal(percent))
    command = CreateTaxRateCommand(code=code, name=name or code, category=category, periods=(period,))
    async with session_of(user, organization) as session:
        made = await (await session.get(CreateTaxRate))(session.actor, command)
    print(f"The tax rate {made.code} is there.")
    return 0


async def _product_of(session: CliSession, sku: str) -> Product:
    """Raises NotFound."""
    async for product in every(partial(await session.get(ListProducts), session.actor, ProductSearch(search=sku))):
        if product.sku == sku:
            return product
    raise NotFound(f"There is no product {printable(sku)}; proffer catalog search TEXT finds some.")


def _tell(ended: CatalogImport) -> None:
    for error in ended.errors[:SHOWN_ERRORS]:
        place = "the file" if error.row is None else f"row {error.row}"
        column = f", {printable(error.column)}" if error.column else ""
        print(f"{place}{column}: {printable(error.message)}")
    more = ended.skipped - min(len(ended.errors), SHOWN_ERRORS)
    if more > 0:
        print(f"… and {more} more.")
    would = "would be " if ended.dry_run else ""
    if ended.status is ImportStatus.REFUSED and not ended.dry_run and ended.mode is ImportMode.ALL_OR_NOTHING:
        print("Nothing was stored: mend the rows above, or use --mode skip-bad-rows.")
        return
    skipped = f", {ended.skipped} refused" if ended.skipped else ""
    print(f"{ended.created} {would}added, {ended.updated} {would}changed{skipped}.")


def _as_json(ended: CatalogImport) -> dict[str, object]:
    return {
        "id": str(ended.id),
        "status": ended.status.value,
        "dry_run": ended.dry_run,
        "created": ended.created,
        "updated": ended.updated,
        "skipped": ended.skipped,
        "errors": [{"row": one.row, "column": one.column, "message": one.message} for one in ended.errors],
    }
