"""Customers and contacts over HTTP."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post
from litestar.params import Body, FromPath

from src.application.customers.create_contact import CreateContact
from src.application.customers.create_customer import CreateCustomer
from src.application.customers.read_customers import GetContact, GetCustomer, ListContacts, ListCustomers
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import ContactId, CustomerId
from src.entrypoints.http.customers.schemas import (
    ContactResponse,
    CreateContactRequest,
    CreateCustomerRequest,
    CustomerResponse,
)
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of


class CustomerController(Controller):
    path = "/api/v1"
    tags = ("customers",)

    @get("/customers", permission=Permission.VIEW_CUSTOMERS)
    async def list_customers(
        self,
        actor: FromDishka[Actor],
        list_customers: FromDishka[ListCustomers],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[CustomerResponse]:
        """Customers, newest first; *search* looks into name, VAT and registration number."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_customers(actor, search, paging), paging, CustomerResponse.of)

    @post("/customers", permission=Permission.EDIT_CUSTOMERS)
    async def create_customer(
        self,
        data: Annotated[CreateCustomerRequest, Body()],
        actor: FromDishka[Actor],
        create_customer: FromDishka[CreateCustomer],
    ) -> CustomerResponse:
        """Add a customer."""
        return CustomerResponse.of(await create_customer(actor, data.command()))

    @get("/customers/{customer_id:uuid}", permission=Permission.VIEW_CUSTOMERS)
    async def get_customer(
        self, customer_id: FromPath[UUID], actor: FromDishka[Actor], get_customer: FromDishka[GetCustomer]
    ) -> CustomerResponse:
        """One customer."""
        return CustomerResponse.of(await get_customer(actor, CustomerId(customer_id)))

    @get("/customers/{customer_id:uuid}/contacts", permission=Permission.VIEW_CUSTOMERS)
    async def list_customer_contacts(
        self,
        customer_id: FromPath[UUID],
        actor: FromDishka[Actor],
        list_contacts: FromDishka[ListContacts],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ContactResponse]:
        """The contacts of one customer, newest first; *search* looks into name and e-mail."""
        paging = paging_of(skip, limit, cursor)
        page = await list_contacts(actor, CustomerId(customer_id), search, paging)
        return PageResponse.of(page, paging, ContactResponse.of)

    @post("/customers/{customer_id:uuid}/contacts", permission=Permission.EDIT_CUSTOMERS)
    async def create_contact(
        self,
        customer_id: FromPath[UUID],
        data: Annotated[CreateContactRequest, Body()],
        actor: FromDishka[Actor],
        create_contact: FromDishka[CreateContact],
    ) -> ContactResponse:
        """Add a contact to a customer."""
        return ContactResponse.of(await create_contact(actor, data.command(customer_id)))

    @get("/contacts", permission=Permission.VIEW_CUSTOMERS)
    async def list_contacts(
        self,
        actor: FromDishka[Actor],
        list_contacts: FromDishka[ListContacts],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[ContactResponse]:
        """The contacts of all customers, newest first; *search* looks into name and e-mail."""
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_contacts(actor, None, search, paging), paging, ContactResponse.of)

    @get("/contacts/{contact_id:uuid}", permission=Permission.VIEW_CUSTOMERS)
    async def get_contact(
        self, contact_id: FromPath[UUID], actor: FromDishka[Actor], get_contact: FromDishka[GetContact]
    ) -> ContactResponse:
        """One contact."""
        return ContactResponse.of(await get_contact(actor, ContactId(contact_id)))
