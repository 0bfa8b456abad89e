"""The organisation's own settings over HTTP."""

from typing import Annotated, Any, Self
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, Response, delete, get, patch, put
from litestar.params import Body
from litestar.status_codes import HTTP_200_OK
from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.identity.change_organization import (
    ChangeOrganization,
    ChangeOrganizationCommand,
    GetLogo,
    OrganizationChanges,
    RemoveLogo,
    SetLogo,
)
from src.application.identity.get_organization import GetOrganization
from src.application.identity.provider_login import GetIdentityProvider, SetIdentityProvider, SetProviderCommand
from src.domain.identity.actor import Actor, Permission, Role
from src.domain.identity.organization import Organization
from src.domain.identity.provider import IdentityProvider
from src.domain.shared.currency import Currency
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.working_time import WorkingCalendar
from src.entrypoints.http.customers.schemas import AddressSchema
from src.entrypoints.http.versions import IfMatch, expected_version, required_version, tagged
from src.entrypoints.settings import Settings


class OrganizationResponse(Struct, frozen=True):
    """*prices_include_tax* names the tax category that prices include, or is null."""

    id: UUID
    slug: str
    name: str
    address: AddressSchema
    registration_number: str
    vat_number: str
    default_currency: str
    time_zone: str
    locale: str
    rounding: RoundingSettings
    working_calendar: WorkingCalendar
    prices_include_tax: str | None
    require_second_factor: bool
    verified_domains: list[str]
    has_logo: bool
    version: int

    @classmethod
    def of(cls, one: Organization) -> Self:
        return cls(
            id=one.id,
            slug=one.slug,
            name=one.party.name,
            address=AddressSchema.of(one.party.address),
            registration_number=one.party.registration_number,
            vat_number=one.party.vat_number,
            default_currency=one.default_currency.code,
            time_zone=one.time_zone,
            locale=one.locale,
            rounding=one.settings,
            working_calendar=one.working_calendar,
            prices_include_tax=one.prices_include_tax,
            require_second_factor=one.require_second_factor,
            verified_domains=list(one.verified_domains),
            has_logo=one.logo is not None,
            version=one.version,
        )


class ChangeOrganizationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """What is not named stays. Name, address and numbers go together as *party*."""

    party: "PartySchema | UnsetType" = UNSET
    default_currency: Annotated[str | UnsetType, Meta(description="ISO 4217; only before the first offer.")] = UNSET
    time_zone: Annotated[str | UnsetType, Meta(examples=["Europe/Berlin"])] = UNSET
    locale: Annotated[str | UnsetType, Meta(examples=["de"])] = UNSET
    rounding: RoundingSettings | UnsetType = UNSET
    working_calendar: WorkingCalendar | UnsetType = UNSET
    prices_include_tax: str | UnsetType | None = UNSET
    require_second_factor: Annotated[
        bool | UnsetType, Meta(description="Nobody works without one from the next login on; owners decide.")
    ] = UNSET

    def changes(self) -> OrganizationChanges:
        changes = OrganizationChanges()
        if not isinstance(self.party, UnsetType):
            changes["party"] = self.party.party()
        if not isinstance(self.default_currency, UnsetType):
            changes["default_currency"] = Currency.of(self.default_currency)
        if not isinstance(self.time_zone, UnsetType):
            changes["time_zone"] = self.time_zone
        if not isinstance(self.locale, UnsetType):
            changes["locale"] = self.locale
        if not isinstance(self.rounding, UnsetType):
            changes["settings"] = self.rounding
        if not isinstance(self.working_calendar, UnsetType):
            changes["working_calendar"] = self.working_calendar
        if not isinstance(self.prices_include_tax, UnsetType):
            changes["prices_include_tax"] = self.prices_include_tax
        if not isinstance(self.require_second_factor, UnsetType):
            changes["require_second_factor"] = self.require_second_factor
        return changes


class PartySchema(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    address: AddressSchema = AddressSchema()
    registration_number: str = ""
    vat_number: str = ""

    def party(self) -> Party:
        return Party(
            name=self.name,
            address=self.address.address(),
            registration_number=self.registration_number,
            vat_number=self.vat_number,
        )


class SetProviderRequest(Struct, frozen=True, forbid_unknown_fields=True):
    issuer: Annotated[str, Meta(max_length=500, examples=["https://login.example.com"])]
    client_id: Annotated[str, Meta(min_length=1, max_length=500)]
    client_secret: Annotated[str, Meta(min_length=1, max_length=1000)] | UnsetType = UNSET
    auto_provision: Annotated[
        bool, Meta(description="Make users of who comes with a verified address of a verified domain.")
    ] = False
    default_role: Annotated[Role, Meta(description="Of users who are made so: approver, sales or viewer.")] = (
        Role.VIEWER
    )
    active: bool = True

    def command(self, expected_version: int | None) -> SetProviderCommand:
        return SetProviderCommand(
            issuer=self.issuer,
            client_id=self.client_id,
            client_secret=None if isinstance(self.client_secret, UnsetType) else self.client_secret,
            auto_provision=self.auto_provision,
            default_role=self.default_role,
            active=self.active,
            expected_version=expected_version,
        )


class ProviderResponse(Struct, frozen=True):
    """Never the client secret. *redirect_uri* is what the provider must know of us."""

    issuer: str
    client_id: str
    auto_provision: bool
    default_role: str
    active: bool
    redirect_uri: str
    version: int

    @classmethod
    def of(cls, provider: IdentityProvider, settings: Settings) -> Self:
        return cls(
            issuer=provider.issuer,
            client_id=provider.client_id,
            auto_provision=provider.auto_provision,
            default_role=provider.default_role.value,
            active=provider.active,
            redirect_uri=f"{settings.public_url}/api/v1/login/provider/callback",
            version=provider.version,
        )


class OrganizationController(Controller):
    path = "/api/v1/organization"
    tags = ("organization",)

    @get(permission=Permission.VIEW_ORGANIZATION)
    async def get_organization(
        self, actor: FromDishka[Actor], get_organization: FromDishka[GetOrganization]
    ) -> Response[OrganizationResponse]:
        """Your organisation: name, numbers, currency, time zone, and how it rounds."""
        return tagged(OrganizationResponse.of(await get_organization(actor)))

    @patch(permission=Permission.MANAGE_ORGANIZATION)
    async def change_organization(
        self,
        data: Annotated[ChangeOrganizationRequest, Body()],
        actor: FromDishka[Actor],
        change_organization: FromDishka[ChangeOrganization],
        if_match: IfMatch = None,
    ) -> Response[OrganizationResponse]:
        """Change your organisation; new offers begin with the new settings, drafts keep theirs."""
        command = ChangeOrganizationCommand(changes=data.changes(), expected_version=required_version(if_match))
        return tagged(OrganizationResponse.of(await change_organization(actor, command)))

    @get("/logo", permission=Permission.VIEW_ORGANIZATION)
    async def get_logo(self, actor: FromDishka[Actor], get_logo: FromDishka[GetLogo]) -> Response[bytes]:
        """The logo, as it was given."""
        content, content_type = await get_logo(actor)
        headers = {"Content-Disposition": "attachment"}
        return Response(content, media_type=content_type, headers=headers)

    @put("/logo", status_code=HTTP_200_OK, permission=Permission.MANAGE_ORGANIZATION)
    async def set_logo(
        self,
        request: Request[Any, Any, Any],
        actor: FromDishka[Actor],
        set_logo: FromDishka[SetLogo],
        if_match: IfMatch = None,
    ) -> Response[OrganizationResponse]:
        """Set the logo; the body is the PNG or JPEG itself, up to 1 MiB."""
        stored = await set_logo(actor, await request.body(), expected_version(if_match))
        return tagged(OrganizationResponse.of(stored))

    @delete("/logo", status_code=HTTP_200_OK, permission=Permission.MANAGE_ORGANIZATION)
    async def remove_logo(
        self, actor: FromDishka[Actor], remove_logo: FromDishka[RemoveLogo], if_match: IfMatch = None
    ) -> Response[OrganizationResponse]:
        """Go without a logo."""
        return tagged(OrganizationResponse.of(await remove_logo(actor, expected_version(if_match))))

    @get("/identity-provider", permission=Permission.MANAGE_SECURITY)
    async def get_provider(
        self, actor: FromDishka[Actor], get_provider: FromDishka[GetIdentityProvider], settings: FromDishka[Settings]
    ) -> Response[ProviderResponse]:
        """Where your people log in, by OpenID Connect."""
        return tagged(ProviderResponse.of(await get_provider(actor), settings))

    @put("/identity-provider", status_code=HTTP_200_OK, permission=Permission.MANAGE_SECURITY)
    async def set_provider(
        self,
        data: Annotated[SetProviderRequest, Body()],
        actor: FromDishka[Actor],
        set_provider: FromDishka[SetIdentityProvider],
        settings: FromDishka[Settings],
        if_match: IfMatch = None,
    ) -> Response[ProviderResponse]:
        """Set where your people log in; without a client secret the one that is there stays. `If-Match` counts where one is there."""
        stored = await set_provider(actor, data.command(expected_version(if_match)))
        return tagged(ProviderResponse.of(stored, settings))
