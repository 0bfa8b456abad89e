"""Imports on both stores: checked, all or nothing, skipping, resumable, told to the audit."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from src.adapters.memory.storage import MemoryStorage
from src.adapters.system import SystemClock, Uuid7Ids
from src.adapters.tabular import FileTabularReader
from src.adapters.tax_numbers import StdnumTaxNumbers
from src.application.audit.verify_audit import VerifyAudit
from src.application.catalog import import_catalog
from src.application.catalog.import_catalog import RunImport, StartImport, StartImportCommand
from src.application.catalog.price_lists import CreatePriceList, CreatePriceListCommand
from src.application.ports.audit import AuditFilter
from src.application.ports.catalog import ProductFilter
from src.application.ports.customers import ContactFilter, CustomerFilter
from src.application.ports.paging import Paging
from src.application.ports.tabular import FileRefused
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.transactions import Transactions
from src.domain.documents.catalog_import import (
    CatalogImport,
    ImportEnded,
    ImportKind,
    ImportMode,
    ImportStatus,
)
from src.domain.identity.actor import PermissionMissing, Role
from src.domain.shared.custom_fields import FieldKind, FieldSubject
from tests.builders.audit import SIGNER
from tests.builders.catalogue import Catalogue, a_catalogue
from tests.builders.identity import a_custom_field
from tests.organizations import TestOrganization

pytestmark = pytest.mark.asyncio
HEADER = "sku,name,unit,list_price,cost,category,tax_rate,tax_rate_percent\n"


@dataclass(frozen=True)
class Desk:
    open: OpenUnitOfWork
    team: TestOrganization
    catalogue: Catalogue
    storage: MemoryStorage

    def _made(self, kind: Any) -> Any:
        more = (StdnumTaxNumbers(),) if kind is RunImport else ()
        return kind(Transactions(self.open), self.storage, FileTabularReader(), *more, SystemClock(), Uuid7Ids())

    async def start(self, content: str, role: Role = Role.ADMIN, **options: Any) -> CatalogImport:
        given: dict[str, Any] = {"kind": ImportKind.PRODUCTS, "file_name": "products.csv"} | options
        command = StartImportCommand(content=content.encode(), **given)
        started: CatalogImport = await self._made(StartImport)(self.team.actor(role), command)
        return started

    async def run(self, started: CatalogImport, progress: Callable[[int], None] = lambda _: None) -> CatalogImport:
        ended: CatalogImport = await self._made(RunImport)(self.team.actor(Role.ADMIN), started.id, None, progress)
        return ended

    async def bring(self, content: str, **options: Any) -> CatalogImport:
        return await self.run(await self.start(content, **options))

    async def products(self) -> dict[str, Any]:
        async with self.open(self.team.actor(Role.SALES)) as uow:
            page = await uow.products.page(ProductFilter(), Paging(limit=100))
        return {product.sku: product for product in page.items}


@pytest_asyncio.fixture
async def desk(open_uow: OpenUnitOfWork, organization: TestOrganization) -> Desk:
    catalogue = await a_catalogue(open_uow, organization.actor(Role.ADMIN))
    return Desk(open_uow, organization, catalogue, MemoryStorage())


async def test_products_are_added_and_updated_by_their_sku(desk: Desk) -> None:
    first = await desk.bring(HEADER + "A,Bolt,C62,1.25,0.5,Parts > Bolts,VAT-STANDARD,\nB,Nut,KGM,3,,,,7\n")
    assert (first.status, first.created, first.updated, first.errors) == (ImportStatus.DONE, 2, 0, ())
    made = (await desk.products())["A"]
    assert (made.list_price, made.cost, made.tax_rate_id) == (
        Decimal("1.25"),
        Decimal("0.5"),
        desk.catalogue.tax_rate.id,
    )

    second = await desk.bring(
        "sku,name,list_price\nA,Bolt M8,1.30\nB,Nut,3\nC,Washer,1\n", mode=ImportMode.SKIP_BAD_ROWS
    )
    assert (second.created, second.updated, second.skipped) == (0, 1, 1)
    changed = (await desk.products())["A"]
    assert (changed.name, changed.cost, changed.id, changed.version) == ("Bolt M8", Decimal("0.5"), made.id, 2)


async def test_the_path_of_a_category_is_made_once(desk: Desk) -> None:
    await desk.bring(HEADER + "A,a,C62,1,,Furniture > Tables,,19\nB,b,C62,1,,Furniture > Chairs,,19\n")
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        tree = await uow.categories.tree()
    names = {one.name: None if one.parent_id is None else tree[one.parent_id].name for one in tree.values()}
    assert names == {"Desks": None, "Furniture": None, "Tables": "Furniture", "Chairs": "Furniture"}


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (",x,C62,1,,,,19", "sku", "empty"),
        ("A,,C62,1,,,,19", "name", "empty"),
        ("A,x,C62,,,,,19", "list_price", "empty"),
        ("A,x,C62,1e3,,,,19", "list_price", "plain decimal"),
        ("A,x,C62,-1,,,,19", "list_price", "between 0"),
        ("A,x,C62,1.1234567,,,,19", "list_price", "decimals"),
        ("A,x,pcs,1,,,,19", "unit", "Recommendation 20"),
        ("A,x,C62,1,,,NONE,", "tax_rate", "no tax rate"),
        ("A,x,C62,1,,,,", "tax_rate", "needs its tax"),
        ("A,x,C62,1,,Desks >,,19", "category", "no path"),
        ("A,x,C62,1,,Other > Desks,,19", "category", "does not lie below"),
    ],
)
async def test_a_bad_row_is_named_with_its_column_and_nothing_is_stored(
    desk: Desk, row: str, column: str, said: str
) -> None:
    ended = await desk.bring(f"{HEADER}GOOD,x,C62,1,,,,19\n{row}\n")

    assert ended.status is ImportStatus.REFUSED
    assert [(error.row, error.column) for error in ended.errors] == [(3, column)]
    assert said in ended.errors[0].message
    assert set(await desk.products()) == {desk.catalogue.product.sku}


async def test_skipping_stores_the_good_rows_and_counts_the_bad(desk: Desk) -> None:
    ended = await desk.bring(
        HEADER + "A,a,C62,1,,,,19\nB,b,C62,x,,,,19\nA,again,C62,1,,,,19\nC,c,C62,1,,,,19\n",
        mode=ImportMode.SKIP_BAD_ROWS,
    )
    assert (ended.status, ended.created, ended.skipped) == (ImportStatus.DONE, 2, 2)
    assert [(error.row, error.column) for error in ended.errors] == [(3, "list_price"), (4, "sku")]
    assert {"A", "C"} <= set(await desk.products())


async def test_a_dry_run_counts_and_stores_nothing(desk: Desk) -> None:
    ended = await desk.bring(HEADER + "A,a,C62,1,,New > Branch,,19\nB,b,C62,1,,,,19\n", dry_run=True)
    assert (ended.created, ended.status) == (2, ImportStatus.DONE)
    assert set(await desk.products()) == {desk.catalogue.product.sku}
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        assert len(await uow.categories.tree()) == 1


class Stopped(Exception):
    """The process ends in the middle."""


async def test_an_import_that_was_interrupted_goes_on_where_it_stopped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_catalog, "CHUNK", 2)
    content = HEADER + "".join(f"S{n},n,C62,1,,,,19\n" for n in range(7))
    started = await desk.start(content, mode=ImportMode.SKIP_BAD_ROWS)
    seen: list[int] = []

    def stop(rows: int) -> None:
        seen.append(rows)
        if len(seen) == 2:
            raise Stopped

    with pytest.raises(Stopped):
        await desk.run(started, stop)
    assert len([sku for sku in await desk.products() if sku.startswith("S")]) == 4

    again = await desk.start(content, mode=ImportMode.SKIP_BAD_ROWS)
    assert (again.id, again.last_row) == (started.id, 5)
    read: list[int] = []
    ended = await desk.run(again, read.append)
    assert sum(read) == 3  # The four that are in are not looked at again.
    assert (ended.created, ended.skipped, ended.last_row) == (7, 0, 8)
    with pytest.raises(ImportEnded):
        await desk.run(started)


async def test_an_import_is_told_to_the_audit_with_a_digest_and_the_chain_holds(desk: Desk) -> None:
    ended = await desk.bring(HEADER + "A,a,C62,1,,,,19\n")
    admin = desk.team.actor(Role.ADMIN)
    async with desk.open(admin) as uow:
        entries = await uow.audit.of_resource("import", ended.id)
    assert [entry.record.action for entry in entries] == ["import.started", "import.rows_imported", "import.finished"]
    assert ended.sha256 in entries[0].record.text
    assert '"created":1' in entries[1].record.text
    assert (await VerifyAudit(Transactions(desk.open), SIGNER)(admin)).intact
    async with desk.open(admin) as uow:
        assert (
            await uow.audit.page(AuditFilter(action="product.created"), Paging())
        ).total == 1  # The catalogue's own.


async def test_prices_replace_the_tiers_of_their_target(desk: Desk) -> None:
    sku = desk.catalogue.product.sku
    header = "price_list,sku,category,min_quantity,below,unit_price,discount_percent\n"
    ended = await desk.bring(
        f"{header}Volume,{sku},,5,20,95,\nVolume,{sku},,20,,85,\nVolume,,Desks,0,,,12.5\n", kind=ImportKind.PRICES
    )
    assert (ended.status, ended.created, ended.updated) == (ImportStatus.DONE, 1, 1)
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        page = await uow.prices.page(desk.catalogue.price_list.id, Paging())
    tiers: dict[Any, Any] = {
        price.product_id: [(tier.min_quantity, tier.unit_price) for tier in price.tiers] for price in page.items
    }
    assert tiers[desk.catalogue.product.id] == [(5, 95), (20, 85)]
    assert tiers[None] == [(0, None)]


@pytest.mark.parametrize(
    ("rows", "row", "said"),
    [
        ("Volume,{sku},,0,5,9,\nVolume,{sku},,4,,8,\n", 2, "begins before"),
        ("Volume,{sku},,0,5,9,\nVolume,{sku},,6,,8,\n", 2, "leaves a gap"),
        ("Nowhere,{sku},,0,,9,\n", 2, "no price list"),
        ("Volume,NONE,,0,,9,\n", 2, "no product"),
        ("Volume,,None,0,,,5\n", 2, "no category"),
        ("Volume,,Desks,0,,9,\n", 2, "no common price"),
        ("Volume,{sku},Desks,0,,9,\n", 2, "not for both"),
        ("Volume,{sku},,0,,9,5\n", 2, "either a unit price or a discount"),
        ("Volume,{sku},,0,,9,\nVolume,,Desks,0,,,5\nVolume,{sku},,9,,8,\n", 4, "below each other"),
    ],
)
async def test_prices_that_make_no_sense_are_named_and_nothing_is_stored(
    desk: Desk, rows: str, row: int, said: str
) -> None:
    header = "price_list,sku,category,min_quantity,below,unit_price,discount_percent\n"
    ended = await desk.bring(header + rows.format(sku=desk.catalogue.product.sku), kind=ImportKind.PRICES)
    assert ended.status is ImportStatus.REFUSED
    assert ended.errors[0].row == row
    assert said in ended.errors[0].message
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        page = await uow.prices.page(desk.catalogue.price_list.id, Paging())
    assert [tier.unit_price for price in page.items for tier in price.tiers] == [90]


async def test_exchange_rates_are_added_once(desk: Desk) -> None:
    content = "base,target,rate,as_of,source\nCHF,EUR,1.07,2026-11-20,ECB\nUSD,EUR,0.9,2026-01-01,ECB\n"
    ended = await desk.bring(content, kind=ImportKind.EXCHANGE_RATES, mode=ImportMode.SKIP_BAD_ROWS)
    assert (ended.created, ended.skipped) == (1, 1)
    assert (ended.errors[0].row, ended.errors[0].column) == (3, "as_of")


@pytest.mark.parametrize("header", ["name,list_price\n", "sku,name,list_price,colour\n", "\n"])
async def test_a_file_with_other_columns_is_refused_before_anything_is_kept(desk: Desk, header: str) -> None:
    with pytest.raises(FileRefused):
        await desk.start(header)
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        assert (await uow.imports.page(Paging())).total == 0


async def test_whoever_may_not_edit_products_may_not_import_them(desk: Desk) -> None:
    with pytest.raises(PermissionMissing):
        await desk.start(HEADER, role=Role.SALES)
    assert desk.storage.keys() == []


async def test_a_formula_in_the_middle_refuses_the_file_with_its_row(desk: Desk) -> None:
    ended = await desk.bring(HEADER + "A,a,C62,1,,,,19\nB,=cmd(),C62,1,,,,19\n")
    assert ended.status is ImportStatus.REFUSED
    assert (ended.errors[0].row, ended.errors[0].column) == (3, "name")
    assert set(await desk.products()) == {desk.catalogue.product.sku}


@pytest.mark.parametrize("mode", ImportMode)
async def test_prices_that_nothing_would_tell_apart_stay_out(desk: Desk, mode: ImportMode) -> None:
    sku = desk.catalogue.product.sku
    await CreatePriceList(Transactions(desk.open), SystemClock(), Uuid7Ids())(
        desk.team.actor(Role.ADMIN), CreatePriceListCommand(name="Second")
    )
    content = f"price_list,sku,min_quantity,unit_price\nSecond,{sku},10,80\n"
    ended = await desk.bring(content, kind=ImportKind.PRICES, mode=mode)
    assert (ended.created, ended.skipped) == (0, 1)
    assert "both have a price for the same target" in ended.errors[0].message
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        second = (await uow.price_lists.find_by_name(["Second"]))["Second"]
        assert (await uow.prices.page(second.id, Paging())).total == 0


CUSTOMERS = "name,reference,country,vat_number,registration_number,payment_days,credit_limit,tags,group\n"


async def test_customers_and_their_contacts_are_brought_in(desk: Desk) -> None:
    kind: dict[str, Any] = {"kind": ImportKind.CUSTOMERS}
    first = await desk.bring(
        CUSTOMERS + "Brandt KG,C-1,DE,de 136 695 976,,30,5000,Key; export,\nHanbit,,KR,,1248100998,,,,\n", **kind
    )
    second = await desk.bring("name,reference,notes\nBrandt GmbH,C-1,Calls.\n", **kind)
    people = await desk.bring(
        "customer,name,email,birthday,tags\nC-1,Ann,ann@example.com,1988-02-29,buyer\n124-81-00998,Kim,kim@example.com,,\n",
        kind=ImportKind.CONTACTS,
    )
    again = await desk.bring("customer,name,email,phone\nC-1,Ann Lee,ANN@example.com,+49 1\n", kind=ImportKind.CONTACTS)

    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        page = await uow.customers.page(CustomerFilter(search="c-1"), Paging())
        contacts = (await uow.contacts.page(ContactFilter(), Paging())).items
    brandt = page.items[0]
    assert [(one.status, one.created, one.updated) for one in (first, second, people, again)] == [
        (ImportStatus.DONE, 2, 0),
        (ImportStatus.DONE, 0, 1),
        (ImportStatus.DONE, 2, 0),
        (ImportStatus.DONE, 0, 1),
    ]
    assert (brandt.party.name, brandt.party.vat_number, brandt.payment_days) == ("Brandt GmbH", "DE136695976", 30)
    assert (brandt.tags, brandt.notes, brandt.status.value) == (("export", "key"), "Calls.", "pending")
    assert {(one.name, one.email, one.phone) for one in contacts} == {
        ("Ann Lee", "ann@example.com", "+49 1"),
        ("Kim", "kim@example.com", ""),
    }


@pytest.mark.parametrize(
    ("kind", "content", "column"),
    [
        (ImportKind.CUSTOMERS, "name,country,vat_number\nX,DE,DE136695977\n", "vat_number"),
        (ImportKind.CUSTOMERS, "name,reference\nX,C-1\nY,C-1\n", "reference"),
        (ImportKind.CUSTOMERS, "name,payment_days\nX,soon\n", "payment_days"),
        (ImportKind.CUSTOMERS, "name,payment_days\nX,366\n", "payment_days"),
        (ImportKind.CUSTOMERS, "name,group\nX,nobody\n", "group"),
        (ImportKind.CUSTOMERS, "name,country\nX,Germany\n", "address.country"),
        (ImportKind.CONTACTS, "customer,name,email\nC-9,Ann,ann@example.com\n", "customer"),
    ],
)
async def test_a_bad_row_about_a_company_or_a_person_names_its_column(
    kind: ImportKind, content: str, column: str, desk: Desk
) -> None:
    ended = await desk.bring(content, kind=kind)

    assert ended.status is ImportStatus.REFUSED
    assert ended.errors[0].column == column
    assert ended.errors[0].row == content.count("\n")
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        assert (await uow.customers.page(CustomerFilter(search="X"), Paging())).total == 0


@pytest_asyncio.fixture
async def with_fields(desk: Desk) -> Desk:
    """Products have a required colour, customers a number of employees."""
    colour = a_custom_field(
        subject=FieldSubject.PRODUCT, key="colour", kind=FieldKind.CHOICE, options=("red", "blue"), required=True
    )
    employees = a_custom_field(subject=FieldSubject.CUSTOMER, key="employees", kind=FieldKind.NUMBER)
    async with desk.open(desk.team.actor(Role.ADMIN)) as uow:
        for field in (colour, employees):
            await uow.custom_fields.save(field.create())
        await uow.commit()
    return desk


async def test_custom_fields_are_columns(with_fields: Desk) -> None:
    desk = with_fields
    head = "sku,name,list_price,tax_rate_percent"
    first = await desk.bring(f"{head},Custom.Colour\nC-1,Chair,10,19,red\nC-2,Stool,10,19,blue\n")
    second = await desk.bring(f"{head},custom.colour\nC-1,Chair,10,19,\nC-2,Stool,10,19,red\n")
    third = await desk.bring("sku,name,list_price\nC-2,Bar stool,10\n")
    companies = await desk.bring("name,reference,custom.employees\nBrandt,C-1,012.50\n", kind=ImportKind.CUSTOMERS)

    products = await desk.products()
    async with desk.open(desk.team.actor(Role.SALES)) as uow:
        customer = (await uow.customers.page(CustomerFilter(search="c-1"), Paging())).items[0]
    assert [(one.status, one.created, one.updated) for one in (first, second, third, companies)] == [
        (ImportStatus.DONE, 2, 0),
        (ImportStatus.DONE, 0, 1),  # An empty cell keeps what there is.
        (ImportStatus.DONE, 0, 1),
        (ImportStatus.DONE, 1, 0),
    ]
    assert [products[sku].custom for sku in ("C-1", "C-2")] == [(("colour", "red"),), (("colour", "red"),)]
    assert customer.custom == (("employees", "12.5"),)


@pytest.mark.parametrize(
    ("kind", "content", "column"),
    [
        (
            ImportKind.PRODUCTS,
            "sku,name,list_price,tax_rate_percent,custom.colour\nX,x,1,19,green\n",
            "custom.colour",
        ),
        (ImportKind.PRODUCTS, "sku,name,list_price,tax_rate_percent\nX,x,1,19\n", "custom.colour"),
        (ImportKind.PRODUCTS, "sku,name,list_price,tax_rate_percent,custom.size\nX,x,1,19,9\n", "custom.size"),
        (ImportKind.CUSTOMERS, "name,custom.employees\nX,many\n", "custom.employees"),
    ],
)
async def test_a_bad_custom_value_names_its_column(
    kind: ImportKind, content: str, column: str, with_fields: Desk
) -> None:
    ended = await with_fields.bring(content, kind=kind)

    assert ended.status is ImportStatus.REFUSED
    assert (ended.errors[0].row, ended.errors[0].column) == (2, column)
    assert "X" not in await with_fields.products()


async def test_only_what_has_custom_fields_takes_their_columns(desk: Desk) -> None:
    with pytest.raises(FileRefused):
        await desk.start("base,target,rate,as_of,custom.note\n", kind=ImportKind.EXCHANGE_RATES)
