"""What becomes of the rows of an import: products, prices and exchange rates, a chunk at a time."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from src.application.catalog.import_rows import Cells, RowRefused
from src.application.custom_values import imported_values
from src.application.ports.clock import IdFactory
from src.application.ports.tabular import TabularRow
from src.application.ports.unit_of_work import UnitOfWork
from src.application.prices.ambiguity import check_unambiguous
from src.domain.catalog.category import Category
from src.domain.catalog.exchange_rate import ExchangeRate
from src.domain.catalog.price_list import Price, PriceList, PriceTier, Target, TierRange, tiers_of
from src.domain.catalog.product import Product
from src.domain.catalog.tax_rate import TaxRate
from src.domain.documents.catalog_import import RowError
from src.domain.shared.currency import Currency
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.errors import DomainError, Invalid
from src.domain.shared.ids import CategoryId, ExchangeRateId, PriceId, PriceListId, ProductId


@dataclass(slots=True)
class Outcome:
    """What a chunk came to. *made* is digested into the audit."""

    created: int = 0
    updated: int = 0
    errors: list[RowError] = field(default_factory=list)
    made: list[object] = field(default_factory=list)

    def refuse(self, row: int, error: RowRefused | DomainError) -> None:
        if isinstance(error, RowRefused):
            self.errors.append(RowError(row=row, column=error.column, message=error.message))
        elif isinstance(error, Invalid) and error.fields:
            self.errors += [RowError(row=row, column=one.field, message=one.message) for one in error.fields]
        else:
            self.errors.append(RowError(row=row, column="", message=error.message))

    def count(self, before: object | None, after: object) -> bool:
        """Whether *after* is to be written: what is as it was before counts neither as created nor as updated."""
        self.created += before is None
        self.updated += before is not None and before != after
        return before != after


class Importer(Protocol):
    """Takes the rows of one file in their order. One instance for each file, because it remembers what it has seen."""

    @abstractmethod
    async def take(self, uow: UnitOfWork, rows: Sequence[TabularRow], *, write: bool, now: datetime) -> Outcome:
        """Check the rows, and with *write* put the good ones into the store."""

    @abstractmethod
    async def finish(self, uow: UnitOfWork) -> Sequence[RowError]:
        """What only all rows so far can tell is wrong, after they are written."""

    def belongs(self, row: TabularRow, before: TabularRow) -> bool:
        """Whether the two rows cannot be taken apart."""
        return False


class ProductImporter(Importer):
    """Upserts by SKU; an empty cell of an optional column keeps what there is. Categories are named by their path.

    A category that is not there is made: ``Furniture > Desks``.
    """

    def __init__(self, ids: IdFactory) -> None:
        self._ids = ids
        self._seen: dict[str, int] = {}

    async def take(self, uow: UnitOfWork, rows: Sequence[TabularRow], *, write: bool, now: datetime) -> Outcome:
        outcome = Outcome()
        organization = await uow.organizations.current()
        known = await uow.products.find_by_sku([row.cells.get("sku", "") for row in rows])
        taxes = {rate.code: rate for rate in await uow.tax_rates.all()}
        named = any(row.cells.get("category") for row in rows)
        fields = await uow.custom_fields.all(FieldSubject.PRODUCT)
        paths = _Paths(await uow.categories.lock_tree() if named else {}, self._ids, now)
        made: list[Product] = []
        for row in rows:
            try:
                before, product = self._row(row, known, taxes, paths, organization.default_currency, now)
                custom = imported_values(fields, before.custom if before else None, Cells(row.cells).custom())
                product = replace(product, custom=custom)
            except (RowRefused, DomainError) as error:
                outcome.refuse(row.number, error)
                continue
            if outcome.count(before, product):
                made.append(replace(product, version=product.version + 1))
        if write:
            for category in paths.new:
                await uow.categories.save(category.create())
            await uow.products.put(made)
            outcome.made += made
        return outcome

    async def finish(self, uow: UnitOfWork) -> Sequence[RowError]:
        return ()

    def _row(
        self,
        row: TabularRow,
        known: Mapping[str, Product],
        taxes: Mapping[str, TaxRate],
        paths: "_Paths",
        currency: Currency,
        now: datetime,
    ) -> tuple[Product | None, Product]:
        """The product as it was and as it becomes. Raises RowRefused, Invalid."""
        cells = Cells(row.cells)
        sku = cells.needed("sku")
        if sku in self._seen:
            raise RowRefused("sku", f"Row {self._seen[sku]} has this SKU already.")
        self._seen[sku] = row.number
        before = known.get(sku)
        product = self._product(cells, before, currency, now)
        if cells.has("tax_rate"):
            if cells.text("tax_rate") not in taxes:
                raise RowRefused("tax_rate", f"There is no tax rate {cells.text('tax_rate')[:40]!r}.")
            product = replace(product, tax_rate_id=taxes[cells.text("tax_rate")].id)
        if cells.has("category"):
            product = replace(product, category_id=paths.category(cells.text("category")))
        return before, product

    def _product(self, cells: Cells, before: Product | None, currency: Currency, now: datetime) -> Product:
        """Raises RowRefused and Invalid."""
        has_rate = cells.has("tax_rate_percent")
        if before is None:
            if not has_rate and not cells.has("tax_rate") and not cells.has("tax_category"):
                raise RowRefused(
                    "tax_rate", "A new product needs its tax: tax_rate, or tax_rate_percent, or tax_category if exempt."
                )
            return Product(
                id=ProductId(self._ids.new()),
                sku=cells.needed("sku"),
                name=cells.needed("name"),
                description=cells.text("description"),
                unit=cells.text("unit", "C62"),
                list_price=cells.needed_decimal("list_price"),
                currency=cells.currency("currency") or currency,
                cost=cells.decimal("cost"),
                tax_category=cells.text("tax_category", "VAT"),
                tax_rate_percent=cells.decimal("tax_rate_percent"),
                archived=cells.yes("archived"),
                created_at=now,
            )
        given = cells.currency("currency")
        if given is not None and given != before.currency:
            raise RowRefused("currency", f"{before.sku} is priced in {before.currency}; a product keeps its currency.")
        return replace(
            before,
            name=cells.needed("name"),
            description=cells.text("description", before.description),
            unit=cells.text("unit", before.unit),
            list_price=cells.needed_decimal("list_price"),
            cost=cells.decimal("cost") if cells.has("cost") else before.cost,
            tax_category=cells.text("tax_category", before.tax_category),
            tax_rate_percent=cells.decimal("tax_rate_percent") if has_rate else before.tax_rate_percent,
            tax_rate_id=None if has_rate else before.tax_rate_id,
            archived=cells.yes("archived") if cells.has("archived") else before.archived,
        )


class _Paths:
    """Categories by name; those that are missing are collected in *new*, parents first."""

    def __init__(self, tree: Mapping[CategoryId, Category], ids: IdFactory, now: datetime) -> None:
        self._by_name = {category.name: category for category in tree.values()}
        self._ids, self._now = ids, now
        self.new: list[Category] = []

    def category(self, path: str) -> CategoryId:
        """The last of ``A > B > C``. Raises RowRefused when a name stands elsewhere in the tree."""
        parent: CategoryId | None = None
        names = [name.strip() for name in path.split(">")]
        if not all(names) or len(names) > 10:
            raise RowRefused("category", f"{path[:60]!r} is no path such as «Furniture > Desks».")
        for depth, name in enumerate(names):
            known = self._by_name.get(name)
            if known is None:
                known = Category(id=CategoryId(self._ids.new()), name=name, parent_id=parent, created_at=self._now)
                self._by_name[name] = known
                self.new.append(known)
            elif depth and known.parent_id != parent:
                raise RowRefused("category", f"{name[:60]!r} does not lie below {names[depth - 1][:60]!r}.")
            parent = known.id
        if parent is None:
            raise RowRefused("category", "A path has at least one name.")
        return parent


@dataclass(slots=True)
class _Group:
    """The rows of one target in one list: its tiers."""

    key: tuple[str, str, str]
    rows: list[tuple[int, TierRange]]
    unit: str | None
    refused: bool = False


class PriceImporter(Importer):
    """Puts the tiers of a target in the place of those that the list had. Rows of one target stand together."""

    def __init__(self, ids: IdFactory) -> None:
        self._ids = ids
        self._done: set[tuple[str, str, str]] = set()
        self._open: _Group | None = None
        self._lists: dict[PriceListId, PriceList] = {}

    async def take(self, uow: UnitOfWork, rows: Sequence[TabularRow], *, write: bool, now: datetime) -> Outcome:
        outcome = Outcome()
        groups: list[_Group] = []
        for row in rows:
            cells = Cells(row.cells)
            try:
                self._add(row.number, cells, groups)
            except RowRefused as error:
                outcome.refuse(row.number, error)
                if self._open is not None and self._open.key == _key(cells):
                    self._open.refused = True
        await self._store(uow, groups, outcome, write=write, now=now)
        return outcome

    async def finish(self, uow: UnitOfWork) -> Sequence[RowError]:
        """Whether two lists now say something about the same sale with nothing to tell them apart."""
        errors: list[RowError] = []
        for price_list in self._lists.values():
            for one in (price_list, *await uow.price_lists.taking_tiers_from(price_list.id)):
                try:
                    await check_unambiguous(uow, one)
                except DomainError as error:
                    errors.append(RowError(row=None, column="price_list", message=error.message))
        return errors

    def belongs(self, row: TabularRow, before: TabularRow) -> bool:
        return _key(Cells(row.cells)) == _key(Cells(before.cells))

    def _add(self, number: int, cells: Cells, groups: list[_Group]) -> None:
        key = _key(cells)
        cells.needed("price_list")
        if cells.has("sku") and cells.has("category"):
            raise RowRefused("category", "A price is for a product or for a category, not for both.")
        tier = TierRange(
            tier=PriceTier(
                min_quantity=cells.decimal("min_quantity") or Decimal(0),
                unit_price=cells.decimal("unit_price"),
                discount_percent=cells.decimal("discount_percent"),
                price_base_quantity=cells.decimal("price_base_quantity") or Decimal(1),
            ),
            below=cells.decimal("below"),
        )
        if self._open is None or self._open.key != key:
            if key in self._done:
                raise RowRefused("price_list", "The tiers of one product stand in rows below each other.")
            self._done.add(key)
            self._open = _Group(key, [], cells.text("unit") or None)
            groups.append(self._open)
        elif self._open not in groups:
            groups.append(self._open)
        self._open.rows.append((number, tier))

    async def _store(
        self, uow: UnitOfWork, groups: Sequence[_Group], outcome: Outcome, *, write: bool, now: datetime
    ) -> None:
        if not groups:
            return
        await uow.price_lists.lock_prices()
        lists = await uow.price_lists.find_by_name([group.key[0] for group in groups])
        products = await uow.products.find_by_sku([group.key[1] for group in groups if group.key[1]])
        categories = (
            {one.name: one for one in (await uow.categories.tree()).values()}
            if any(group.key[2] for group in groups)
            else {}
        )
        known = await _known(uow, lists, products, categories)
        made: list[Price] = []
        for group in groups:
            first = group.rows[0][0]
            if group.refused:
                continue
            try:
                price_list, target = _target(group, lists, products, categories)
                before = known.get((price_list.id, target))
                price = Price(
                    id=before.id if before else PriceId(self._ids.new()),
                    price_list_id=price_list.id,
                    product_id=target[0],
                    category_id=target[1],
                    unit=group.unit,
                    tiers=tiers_of(tuple(tier for _, tier in group.rows)),
                    created_at=before.created_at if before else now,
                    version=before.version if before else 0,
                )
            except (RowRefused, DomainError) as error:
                outcome.refuse(first, error)
                continue
            self._lists[price_list.id] = price_list
            outcome.count(before, price)
            made.append(replace(price, version=price.version + 1))
        if write:
            await uow.prices.put(made)
            outcome.made += made


def _key(cells: Cells) -> tuple[str, str, str]:
    return cells.text("price_list"), cells.text("sku"), cells.text("category")


def _target(
    group: _Group,
    lists: Mapping[str, PriceList],
    products: Mapping[str, Product],
    categories: Mapping[str, Category],
) -> tuple[PriceList, Target]:
    name, sku, path = group.key
    if name not in lists:
        raise RowRefused("price_list", f"There is no price list {name[:60]!r}; make it first.")
    if sku and sku not in products:
        raise RowRefused("sku", f"There is no product {sku[:60]!r}.")
    category = path.rpartition(">")[2].strip()
    if category and category not in categories:
        raise RowRefused("category", f"There is no category {category[:60]!r}.")
    return lists[name], (
        products[sku].id if sku else None,
        categories[category].id if category else None,
    )


async def _known(
    uow: UnitOfWork,
    lists: Mapping[str, PriceList],
    products: Mapping[str, Product],
    categories: Mapping[str, Category],
) -> dict[tuple[PriceListId, Target], Price]:
    found = await uow.prices.of_targets(
        [one.id for one in lists.values()],
        [one.id for one in products.values()],
        [one.id for one in categories.values()],
    )
    return {(price.price_list_id, price.target): price for price in found}


class ExchangeRateImporter(Importer):
    """Adds rates; one that the source has given for that day already is refused."""

    def __init__(self, ids: IdFactory, file_name: str) -> None:
        self._ids, self._file_name = ids, file_name
        self._seen: dict[tuple[object, ...], int] = {}

    async def take(self, uow: UnitOfWork, rows: Sequence[TabularRow], *, write: bool, now: datetime) -> Outcome:
        outcome = Outcome()
        for row in rows:
            try:
                rate = await self._new(uow, row, now)
            except (RowRefused, DomainError) as error:
                outcome.refuse(row.number, error)
                continue
            outcome.created += 1
            if write:
                outcome.made.append(await uow.exchange_rates.save(rate.add()))
        return outcome

    async def finish(self, uow: UnitOfWork) -> Sequence[RowError]:
        return ()

    async def _new(self, uow: UnitOfWork, row: TabularRow, now: datetime) -> ExchangeRate:
        """Raises RowRefused, Invalid."""
        rate = self._rate(Cells(row.cells), now)
        latest = await uow.exchange_rates.latest(rate.base, rate.target, rate.as_of)
        if latest is not None and (latest.as_of, latest.source) == (rate.as_of, rate.source):
            raise RowRefused("as_of", f"{rate.source} has a rate for that day already.")
        key = (rate.base, rate.target, rate.as_of, rate.source)
        if key in self._seen:
            raise RowRefused("as_of", f"Row {self._seen[key]} has this rate already.")
        self._seen[key] = row.number
        return rate

    def _rate(self, cells: Cells, now: datetime) -> ExchangeRate:
        base, target = cells.currency("base"), cells.currency("target")
        if base is None or target is None:
            raise RowRefused("base" if base is None else "target", "This must not be empty.")
        return ExchangeRate(
            id=ExchangeRateId(self._ids.new()),
            base=base,
            target=target,
            rate=cells.needed_decimal("rate"),
            source=cells.text("source", self._file_name[:60]),
            as_of=cells.day("as_of"),
            created_at=now,
        )
