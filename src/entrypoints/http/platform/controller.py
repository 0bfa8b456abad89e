"""What platform operators do, through a door of their own: an operator's key opens it, no user's token does."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get, post, put
from litestar.params import Body, PathParameter
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta, Struct

from src.application.identity.create_organization import CreateOrganization, CreateOrganizationCommand
from src.application.identity.platform import (
    ListOrganizations,
    Operator,
    RestoreOrganization,
    SuspendOrganization,
    VerifyDomains,
)
from src.application.ports.identity import OrganizationSummary
from src.domain.identity.organization import Organization
from src.domain.shared.currency import Currency
from src.domain.shared.rounding import RoundingSettings
from src.entrypoints.http.organization.controller import PartySchema
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of

SlugOrId = Annotated[str, PathParameter(max_length=63, description="A slug or an id.")]


class CreateOrganizationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    slug: Annotated[str, Meta(max_length=63, examples=["nordlicht"])]
    party: PartySchema
    default_currency: Annotated[str, Meta(examples=["EUR"])]
    time_zone: Annotated[str, Meta(examples=["Europe/Berlin"])]
    owner_email: Annotated[str, Meta(max_length=254)]
    owner_name: Annotated[str, Meta(min_length=1, max_length=200)]
    owner_password: Annotated[str, Meta(min_length=8, max_length=1024)]
    locale: Annotated[str, Meta(examples=["de"])] = "en"
    rounding: RoundingSettings = RoundingSettings()
    prices_include_tax: str | None = None

    def command(self) -> CreateOrganizationCommand:
        return CreateOrganizationCommand(
            slug=self.slug,
            party=self.party.party(),
            default_currency=Currency.of(self.default_currency),
            time_zone=self.time_zone,
            locale=self.locale,
            owner_email=self.owner_email,
            owner_name=self.owner_name,
            owner_password=self.owner_password,
            settings=self.rounding,
            prices_include_tax=self.prices_include_tax,
        )


class PlatformOrganizationResponse(Struct, frozen=True):
    """What operators see of an organisation; nothing of what is inside."""

    id: UUID
    slug: str
    name: str
    country: str
    default_currency: str
    status: str
    created_at: datetime

    @classmethod
    def of(cls, one: OrganizationSummary | Organization) -> Self:
        party = one.party if isinstance(one, Organization) else None
        currency = one.default_currency
        return cls(
            id=one.id,
            slug=one.slug,
            name=party.name if party else one.name,  # type: ignore[union-attr]  # One of the two has each.
            country=party.address.country if party else one.country,  # type: ignore[union-attr]  # As above.
            default_currency=currency.code if isinstance(currency, Currency) else currency,
            status=one.status.value,
            created_at=one.created_at,
        )


class SuspendRequest(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class DomainsRequest(Struct, frozen=True, forbid_unknown_fields=True):
    domains: Annotated[list[str], Meta(max_length=50, examples=[["nordlicht.example"]])]


class PlatformController(Controller):
    path = "/platform/v1/organizations"
    tags = ("platform",)

    @get(for_operators=True)
    async def list_organizations(
        self,
        operator: FromDishka[Operator],
        list_organizations: FromDishka[ListOrganizations],
        search: Search = "",
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[PlatformOrganizationResponse]:
        """Organisations, newest first; *search* looks into the slug."""
        paging = paging_of(skip, limit, cursor)
        page = await list_organizations(operator, search, paging)
        return PageResponse.of(page, paging, PlatformOrganizationResponse.of)

    @post(for_operators=True)
    async def create_organization(
        self,
        data: Annotated[CreateOrganizationRequest, Body()],
        operator: FromDishka[Operator],
        create_organization: FromDishka[CreateOrganization],
    ) -> PlatformOrganizationResponse:
        """Make an organisation with its first owner."""
        organization, _ = await create_organization(operator.origin, data.command(), operator.name)
        return PlatformOrganizationResponse.of(organization)

    @post("/{organization:str}/suspend", status_code=HTTP_200_OK, for_operators=True)
    async def suspend_organization(
        self,
        organization: SlugOrId,
        data: Annotated[SuspendRequest, Body()],
        operator: FromDishka[Operator],
        suspend: FromDishka[SuspendOrganization],
    ) -> PlatformOrganizationResponse:
        """Lock everybody of an organisation out, at once."""
        return PlatformOrganizationResponse.of(await suspend(operator, organization, data.reason))

    @post("/{organization:str}/restore", status_code=HTTP_200_OK, for_operators=True)
    async def restore_organization(
        self, organization: SlugOrId, operator: FromDishka[Operator], restore: FromDishka[RestoreOrganization]
    ) -> PlatformOrganizationResponse:
        """Let a suspended organisation in again."""
        return PlatformOrganizationResponse.of(await restore(operator, organization))

    @put("/{organization:str}/domains", for_operators=True)
    async def verify_domains(
        self,
        organization: SlugOrId,
        data: Annotated[DomainsRequest, Body()],
        operator: FromDishka[Operator],
        verify: FromDishka[VerifyDomains],
    ) -> PlatformOrganizationResponse:
        """Say which e-mail domains are the organisation's: its identity provider may bring in people with these."""
        stored = await verify(operator, organization, tuple(data.domains))
        return PlatformOrganizationResponse.of(stored)
