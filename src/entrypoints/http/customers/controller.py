"""Customers and contacts over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import Body, FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK

from src.application.customers.change_contact import (
    ChangeContact,
    ChangeContactCommand,
    DeleteContact,
    EraseContact,
    ExportContact,
    MergeContacts,
    RestoreContact,
)
from src.application.customers.change_customer import (
    ChangeCustomer,
    ChangeCustomerCommand,
    DeleteCustomer,
    MergeCustomers,
    RestoreCustomer,
)
from src.application.customers.create_contact import CreateContact
from src.application.customers.create_customer import CreateCustomer
from src.application.customers.decide_customer import (
    CustomerVerb,
    DecideCustomer,
    DecideCustomerCommand,
    RegisterCustomerAgain,
)
from src.application.customers.read_customers import (
    GetContact,
    GetCustomer,
    ListContacts,
    ListCustomers,
    ListReminders,
)
from src.application.ports.customers import ContactFilter, CustomerFilter
from src.domain.customers.customer import CustomerStatus
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ContactId, CustomerGroupId, CustomerId
from src.entrypoints.http.catalog.schemas import custom_told
from src.entrypoints.http.customers.schemas import (
    ChangeContactRequest,
    ChangeCustomerRequest,
    ContactResponse,
    CreateContactRequest,
    CreateCustomerRequest,
    CustomerResponse,
    MergeRequest,
    PersonalDataResponse,
    ReasonRequest,
    ReminderResponse,
)
from src.entrypoints.http.organization.custom_fields import CustomFilter, custom_filter
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of
from src.entrypoints.http.versions import IfMatch, expected_version, required_version, tagged

Statuses = Annotated[
    list[CustomerStatus] | None,
    QueryParameter(name="status", description="Only these states; may be given several times."),
]
Tag = Annotated[str | None, QueryParameter(name="tag", max_length=40, description="Only what has this tag.")]
GroupParameter = Annotated[UUID | None, QueryParameter(name="group_id", description="Only customers of this group.")]
IncludeDeleted = Annotated[bool, QueryParameter(name="include_deleted", description="Deleted ones as well.")]
ReminderDays = Annotated[int, QueryParameter(name="days", ge=1, le=366, description="Today and so many days on.")]


class CustomerController(Controller):
    path = "/api/v1/customers"
    tags = ("customers",)

    @get(permission=Permission.VIEW_CUSTOMERS)
    async def list_customers(
        self,
        actor: FromDishka[Actor],
        list_customers: FromDishka[ListCustomers],
        search: Search = "",
        status: Statuses = None,
        tag: Tag = None,
        group_id: GroupParameter = None,
        custom: CustomFilter = None,
        include_deleted: IncludeDeleted = False,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[CustomerResponse]:
        """Customers, newest first; *search* looks into name, reference, VAT and registration number."""
        criteria = CustomerFilter(
            search=search,
            statuses=tuple(status or ()),
            tag=tag,
            group_id=None if group_id is None else CustomerGroupId(group_id),
            custom=custom_filter(custom),
            include_deleted=include_deleted,
        )
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_customers(actor, criteria, paging), paging, CustomerResponse.of)

    @post(permission=Permission.EDIT_CUSTOMERS)
    async def create_customer(
        self,
        data: Annotated[CreateCustomerRequest, Body()],
        actor: FromDishka[Actor],
        create_customer: FromDishka[CreateCustomer],
    ) -> CustomerResponse:
        """Register a customer. Somebody else approves it; until then offers can be drafted, and not sent."""
        return CustomerResponse.of(await create_customer(actor, data.command()))

    @get("/{customer_id:uuid}", permission=Permission.VIEW_CUSTOMERS)
    async def get_customer(
        self, customer_id: FromPath[UUID], actor: FromDishka[Actor], get_customer: FromDishka[GetCustomer]
    ) -> Response[CustomerResponse]:
        """One customer, deleted or not."""
        return tagged(CustomerResponse.of(await get_customer(actor, CustomerId(customer_id))))

    @patch("/{customer_id:uuid}", permission=Permission.EDIT_CUSTOMERS)
    async def change_customer(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[ChangeCustomerRequest, Body()],
        actor: FromDishka[Actor],
        change_customer: FromDishka[ChangeCustomer],
        if_match: IfMatch = None,
    ) -> Response[CustomerResponse]:
        """Change a customer; offers keep the buyer that they were made to."""
        command = ChangeCustomerCommand(
            customer_id=CustomerId(customer_id),
            changes=data.changes(),
            custom=custom_told(data.custom),
            expected_version=required_version(if_match),
        )
        return tagged(CustomerResponse.of(await change_customer(actor, command)))

    @delete("/{customer_id:uuid}", status_code=HTTP_200_OK, permission=Permission.EDIT_CUSTOMERS)
    async def delete_customer(
        self,
        customer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        delete_customer: FromDishka[DeleteCustomer],
        if_match: IfMatch = None,
    ) -> Response[CustomerResponse]:
        """Put a customer out of sight; its offers stay, and it can be restored."""
        stored = await delete_customer(actor, CustomerId(customer_id), required_version(if_match))
        return tagged(CustomerResponse.of(stored))

    @post("/{customer_id:uuid}/restore", status_code=HTTP_200_OK, permission=Permission.EDIT_CUSTOMERS)
    async def restore_customer(
        self, customer_id: FromPath[UUID], actor: FromDishka[Actor], restore: FromDishka[RestoreCustomer]
    ) -> Response[CustomerResponse]:
        """Bring a deleted customer back."""
        return tagged(CustomerResponse.of(await restore(actor, CustomerId(customer_id))))

    @post("/{customer_id:uuid}/merge", status_code=HTTP_200_OK, permission=Permission.MERGE_CUSTOMERS)
    async def merge_customers(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[MergeRequest, Body()],
        actor: FromDishka[Actor],
        merge: FromDishka[MergeCustomers],
    ) -> Response[CustomerResponse]:
        """Take over all that a duplicate has: offers, contacts, price lists, coupon uses. The duplicate says where it went."""
        return tagged(CustomerResponse.of(await merge(actor, CustomerId(customer_id), CustomerId(data.duplicate_id))))

    @post("/{customer_id:uuid}/approve", status_code=HTTP_200_OK, permission=Permission.APPROVE_CUSTOMERS)
    async def approve_customer(
        self,
        customer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideCustomer],
        if_match: IfMatch = None,
    ) -> Response[CustomerResponse]:
        """Approve a registration that somebody else has made. `If-Match` sees to it that it is what you looked at."""
        command = DecideCustomerCommand(
            customer_id=CustomerId(customer_id),
            verb=CustomerVerb.APPROVE,
            expected_version=expected_version(if_match),
        )
        return tagged(CustomerResponse.of(await decide(actor, command)))

    @post("/{customer_id:uuid}/reject", status_code=HTTP_200_OK, permission=Permission.APPROVE_CUSTOMERS)
    async def reject_customer(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[ReasonRequest, Body()],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideCustomer],
        if_match: IfMatch = None,
    ) -> Response[CustomerResponse]:
        """Reject a registration, with the reason; it can be registered again."""
        command = DecideCustomerCommand(
            customer_id=CustomerId(customer_id),
            verb=CustomerVerb.REJECT,
            reason=data.reason,
            expected_version=expected_version(if_match),
        )
        return tagged(CustomerResponse.of(await decide(actor, command)))

    @post("/{customer_id:uuid}/register", status_code=HTTP_200_OK, permission=Permission.EDIT_CUSTOMERS)
    async def register_again(
        self, customer_id: FromPath[UUID], actor: FromDishka[Actor], register: FromDishka[RegisterCustomerAgain]
    ) -> Response[CustomerResponse]:
        """Register a rejected customer again, once what was wrong has been mended."""
        return tagged(CustomerResponse.of(await register(actor, CustomerId(customer_id))))

    @post("/{customer_id:uuid}/suspend", status_code=HTTP_200_OK, permission=Permission.APPROVE_CUSTOMERS)
    async def suspend_customer(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[ReasonRequest, Body()],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideCustomer],
    ) -> Response[CustomerResponse]:
        """Send nothing to a customer any more, with the reason."""
        command = DecideCustomerCommand(
            customer_id=CustomerId(customer_id), verb=CustomerVerb.SUSPEND, reason=data.reason
        )
        return tagged(CustomerResponse.of(await decide(actor, command)))

    @post("/{customer_id:uuid}/reinstate", status_code=HTTP_200_OK, permission=Permission.APPROVE_CUSTOMERS)
    async def reinstate_customer(
        self, customer_id: FromPath[UUID], actor: FromDishka[Actor], decide: FromDishka[DecideCustomer]
    ) -> Response[CustomerResponse]:
        """End a suspension."""
        command = DecideCustomerCommand(customer_id=CustomerId(customer_id), verb=CustomerVerb.REINSTATE)
        return tagged(CustomerResponse.of(await decide(actor, command)))

    @get("/{customer_id:uuid}/contacts", permission=Permission.VIEW_CUSTOMERS)
    async def list_customer_contacts(
        self,
        customer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        list_contacts: FromDishka[ListContacts],
        search: Search = "",
        tag: Tag = None,
        include_deleted: IncludeDeleted = False,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ContactResponse]:
        """The contacts of one customer, newest first; *search* looks into name and e-mail."""
        criteria = ContactFilter(
            search=search, customer_id=CustomerId(customer_id), tag=tag, include_deleted=include_deleted
        )
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_contacts(actor, criteria, paging), paging, ContactResponse.of)

    @post("/{customer_id:uuid}/contacts", permission=Permission.EDIT_CUSTOMERS)
    async def create_contact(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[CreateContactRequest, Body()],
        actor: FromDishka[Actor],
        create_contact: FromDishka[CreateContact],
    ) -> ContactResponse:
        """Add a contact to a customer."""
        return ContactResponse.of(await create_contact(actor, data.command(customer_id)))


class ContactController(Controller):
    path = "/api/v1/contacts"
    tags = ("customers",)

    @get(permission=Permission.VIEW_CUSTOMERS)
    async def list_contacts(
        self,
        actor: FromDishka[Actor],
        list_contacts: FromDishka[ListContacts],
        search: Search = "",
        tag: Tag = None,
        include_deleted: IncludeDeleted = False,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ContactResponse]:
        """The contacts of all customers, newest first; *search* looks into name and e-mail."""
        criteria = ContactFilter(search=search, tag=tag, include_deleted=include_deleted)
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_contacts(actor, criteria, paging), paging, ContactResponse.of)

    @get("/reminders", permission=Permission.VIEW_CUSTOMERS)
    async def list_reminders(
        self, actor: FromDishka[Actor], list_reminders: FromDishka[ListReminders], days: ReminderDays = 30
    ) -> PageResponse[ReminderResponse]:
        """Birthdays and key dates that come up, the nearest first; the 29th of February is the 28th in common years."""
        return PageResponse.whole([ReminderResponse.of(one) for one in await list_reminders(actor, days)])

    @get("/{contact_id:uuid}", permission=Permission.VIEW_CUSTOMERS)
    async def get_contact(
        self, contact_id: FromPath[UUID], actor: FromDishka[Actor], get_contact: FromDishka[GetContact]
    ) -> Response[ContactResponse]:
        """One contact, deleted or not."""
        return tagged(ContactResponse.of(await get_contact(actor, ContactId(contact_id))))

    @patch("/{contact_id:uuid}", permission=Permission.EDIT_CUSTOMERS)
    async def change_contact(
        self,
        contact_id: FromPath[UUID],
        data: Annotated[ChangeContactRequest, Body()],
        actor: FromDishka[Actor],
        change_contact: FromDishka[ChangeContact],
        if_match: IfMatch = None,
    ) -> Response[ContactResponse]:
        """Change a contact; offers keep the recipient that they were made to."""
        command = ChangeContactCommand(
            contact_id=ContactId(contact_id), changes=data.changes(), expected_version=required_version(if_match)
        )
        return tagged(ContactResponse.of(await change_contact(actor, command)))

    @delete("/{contact_id:uuid}", status_code=HTTP_200_OK, permission=Permission.EDIT_CUSTOMERS)
    async def delete_contact(
        self,
        contact_id: FromPath[UUID],
        actor: FromDishka[Actor],
        delete_contact: FromDishka[DeleteContact],
        if_match: IfMatch = None,
    ) -> Response[ContactResponse]:
        """Put a contact out of sight; it can be restored."""
        stored = await delete_contact(actor, ContactId(contact_id), required_version(if_match))
        return tagged(ContactResponse.of(stored))

    @post("/{contact_id:uuid}/restore", status_code=HTTP_200_OK, permission=Permission.EDIT_CUSTOMERS)
    async def restore_contact(
        self, contact_id: FromPath[UUID], actor: FromDishka[Actor], restore: FromDishka[RestoreContact]
    ) -> Response[ContactResponse]:
        """Bring a deleted contact back."""
        return tagged(ContactResponse.of(await restore(actor, ContactId(contact_id))))

    @post("/{contact_id:uuid}/merge", status_code=HTTP_200_OK, permission=Permission.MERGE_CUSTOMERS)
    async def merge_contacts(
        self,
        contact_id: FromPath[UUID],
        data: Annotated[MergeRequest, Body()],
        actor: FromDishka[Actor],
        merge: FromDishka[MergeContacts],
    ) -> Response[ContactResponse]:
        """Take over what a duplicate of the same customer has and this one lacks."""
        return tagged(ContactResponse.of(await merge(actor, ContactId(contact_id), ContactId(data.duplicate_id))))

    @get("/{contact_id:uuid}/personal-data", permission=Permission.ERASE_PERSONS)
    async def export_contact(
        self, contact_id: FromPath[UUID], actor: FromDishka[Actor], export: FromDishka[ExportContact]
    ) -> PersonalDataResponse:
        """All that is kept about one person (GDPR, article 15); that somebody asked is audited."""
        return PersonalDataResponse.of(await export(actor, ContactId(contact_id)))

    @post("/{contact_id:uuid}/erase", status_code=HTTP_200_OK, permission=Permission.ERASE_PERSONS)
    async def erase_contact(
        self, contact_id: FromPath[UUID], actor: FromDishka[Actor], erase: FromDishka[EraseContact]
    ) -> Response[ContactResponse]:
        """Erase a person for good (GDPR, article 17); offers that were issued keep whom they were issued to."""
        return tagged(ContactResponse.of(await erase(actor, ContactId(contact_id))))
