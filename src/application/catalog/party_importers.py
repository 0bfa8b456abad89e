"""What becomes of the rows of an import: customers and contacts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from src.application.approvals.desk import ApprovalDesk, People
from src.application.approvals.subjects.customer_registration import register, register_anew
from src.application.catalog.import_rows import Cells, RowRefused
from src.application.catalog.importers import Importer, Outcome
from src.application.custom_values import imported_values
from src.application.ports.clock import IdFactory
from src.application.ports.tabular import TabularRow
from src.application.ports.tax_numbers import TaxNumbers
from src.application.ports.unit_of_work import UnitOfWork
from src.domain.customers.contact import Contact
from src.domain.customers.customer import Customer
from src.domain.customers.group import CustomerGroup
from src.domain.documents.catalog_import import RowError
from src.domain.identity.actor import Actor
from src.domain.identity.organization import Organization
from src.domain.shared.custom_fields import FieldSubject
from src.domain.shared.errors import DomainError
from src.domain.shared.ids import ContactId, CustomerId, UserId
from src.domain.shared.party import Address, Party
from src.domain.shared.tags import normal_tags


class CustomerImporter(Importer):
    """Upserts by reference, else by registration number; an empty cell keeps what there is. New ones are pending."""

    def __init__(self, ids: IdFactory, tax_numbers: TaxNumbers, actor: Actor, registered_by: UserId) -> None:
        self._ids, self._tax_numbers, self._actor, self._registered_by = ids, tax_numbers, actor, registered_by
        self._seen: dict[tuple[str, str], int] = {}

    async def take(self, uow: UnitOfWork, rows: Sequence[TabularRow], *, write: bool, now: datetime) -> Outcome:
        outcome, organization = Outcome(), await uow.organizations.current()
        by_reference = await uow.customers.by_reference([row.cells.get("reference", "") for row in rows])
        numbers = [row.cells.get("registration_number", "") for row in rows]
        by_registration = await uow.customers.by_registration(numbers)
        groups = {group.name: group for group in await uow.customer_groups.all()}
        # Nobody wants a thousand mails: who decides finds them in the inbox.
        desk = ApprovalDesk(uow, self._actor, self._ids, await People.read(uow, now), quiet=True)
        fields = await uow.custom_fields.all(FieldSubject.CUSTOMER)
        for row in rows:
            cells = Cells(row.cells)
            try:
                self._check_once(cells, row.number)
                before = by_reference.get(cells.text("reference")) or by_registration.get(
                    cells.text("registration_number")
                )
                after = self._customer(cells, before, organization, groups, now)
                custom = imported_values(fields, before.custom if before else None, cells.custom())
                after = replace(after, custom=custom)
            except (RowRefused, DomainError) as error:
                outcome.refuse(row.number, error)
                continue
            if outcome.count(before, after) and write:
                by = self._registered_by
                change = after.create() if before is None else before.become(after, now, by=by)
                stored = await uow.customers.save(change)
                outcome.made.append(stored.id)
                if before is None:
                    await register(uow, desk, stored, strict=False)
                else:
                    await register_anew(uow, desk, before, stored, strict=False)
        return outcome

    async def finish(self, uow: UnitOfWork) -> Sequence[RowError]:
        return ()

    def _check_once(self, cells: Cells, row: int) -> None:
        """Raises RowRefused."""
        for column in ("reference", "registration_number"):
            if cells.has(column):
                key = column, cells.text(column)
                if key in self._seen:
                    raise RowRefused(column, f"Row {self._seen[key]} has this already.")
                self._seen[key] = row

    def _customer(
        self,
        cells: Cells,
        before: Customer | None,
        organization: Organization,
        groups: Mapping[str, CustomerGroup],
        now: datetime,
    ) -> Customer:
        """Raises RowRefused, Invalid."""
        if before is None:
            before = Customer(
                id=CustomerId(self._ids.new()),
                party=Party(name=cells.needed("name"), address=Address()),
                currency=organization.default_currency,
                locale=organization.locale,
                created_at=now,
                registered_by=self._registered_by,
            )
        party, address = before.party, before.party.address
        group_id = before.group_id
        if cells.has("group"):
            if cells.text("group") not in groups:
                raise RowRefused("group", f"There is no customer group {cells.text('group')[:40]!r}.")
            group_id = groups[cells.text("group")].id
        told = Party(
            name=cells.needed("name"),
            address=Address(
                street=cells.text("street", address.street),
                postal_code=cells.text("postal_code", address.postal_code),
                city=cells.text("city", address.city),
                region=cells.text("region", address.region),
                country=cells.text("country", address.country).upper(),
            ),
            registration_number=cells.text("registration_number", party.registration_number),
            vat_number=cells.text("vat_number", party.vat_number),
        )
        limit = cells.decimal("credit_limit")
        return replace(
            before,
            party=self._tax_numbers.normal(told),
            currency=cells.currency("currency") or before.currency,
            locale=cells.text("locale", before.locale),
            group_id=group_id,
            reference=cells.text("reference", before.reference),
            payment_days=_days(cells, before.payment_days),
            payment_terms=cells.text("payment_terms", before.payment_terms),
            credit_limit=before.credit_limit if limit is None else limit,
            tags=_tags(cells, before.tags),
            notes=cells.text("notes", before.notes),
        )


class ContactImporter(Importer):
    """Upserts by customer and e-mail; the customer is told by reference or registration number. An empty cell keeps what there is."""

    def __init__(self, ids: IdFactory) -> None:
        self._ids = ids
        self._seen: dict[tuple[CustomerId, str], int] = {}

    async def take(self, uow: UnitOfWork, rows: Sequence[TabularRow], *, write: bool, now: datetime) -> Outcome:
        outcome, told = Outcome(), [row.cells.get("customer", "") for row in rows]
        customers = {**await uow.customers.by_registration(told), **await uow.customers.by_reference(told)}
        emails = [row.cells.get("email", "") for row in rows]
        known = {(one.customer_id, one.email.casefold()): one for one in await uow.contacts.by_email(emails)}
        for row in rows:
            cells = Cells(row.cells)
            try:
                key = self._key(cells, customers, row.number)
                before = known.get(key)
                after = self._contact(cells, before, key[0], now)
            except (RowRefused, DomainError) as error:
                outcome.refuse(row.number, error)
                continue
            if outcome.count(before, after) and write:
                change = after.create() if before is None else before.become(after, now)
                outcome.made.append((await uow.contacts.save(change)).id)
        return outcome

    async def finish(self, uow: UnitOfWork) -> Sequence[RowError]:
        return ()

    def _key(self, cells: Cells, customers: Mapping[str, Customer], row: int) -> tuple[CustomerId, str]:
        """Whose contact it is, and by which address. Raises RowRefused."""
        customer = customers.get(cells.needed("customer"))
        if customer is None:
            raise RowRefused("customer", "No customer has this reference or registration number.")
        key = customer.id, cells.needed("email").casefold()
        if key in self._seen:
            raise RowRefused("email", f"Row {self._seen[key]} has this person already.")
        self._seen[key] = row
        return key

    def _contact(self, cells: Cells, before: Contact | None, customer_id: CustomerId, now: datetime) -> Contact:
        """Raises RowRefused, Invalid."""
        if before is None:
            before = Contact(
                id=ContactId(self._ids.new()),
                customer_id=customer_id,
                name=cells.needed("name"),
                email=cells.needed("email"),
                phone="",
                job_title="",
                created_at=now,
            )
        born: date | None = cells.day("birthday") if cells.has("birthday") else before.birthday
        return replace(
            before,
            name=cells.needed("name"),
            phone=cells.text("phone", before.phone),
            job_title=cells.text("job_title", before.job_title),
            language=cells.text("language", before.language),
            birthday=born,
            tags=_tags(cells, before.tags),
        )


def _tags(cells: Cells, before: tuple[str, ...]) -> tuple[str, ...]:
    """Separated by semicolons."""
    if not cells.has("tags"):
        return before
    return normal_tags(tuple(tag for tag in cells.text("tags").split(";") if tag.strip()))


def _days(cells: Cells, before: int | None) -> int | None:
    text = cells.text("payment_days")
    if not text:
        return before
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise RowRefused("payment_days", f"{text[:40]!r} is no whole number of days.")
    return int(text)
