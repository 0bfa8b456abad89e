"""Custom fields over HTTP, and how their values are given, shown and looked for."""

from datetime import datetime
from typing import Annotated, Any, Self, cast
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, get, patch, post
from litestar.params import Body, FromPath, QueryParameter
from msgspec import UNSET, Meta, Struct, UnsetType

from src.application.identity.custom_fields import (
    ChangeCustomField,
    ChangeCustomFieldCommand,
    CreateCustomField,
    CreateCustomFieldCommand,
    CustomFieldChanges,
    GetCustomField,
    ListCustomFields,
)
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.custom_fields import CustomField, FieldKind, FieldSubject
from src.domain.shared.errors import invalid_field
from src.domain.shared.ids import CustomFieldId
from src.entrypoints.http.paging import PageResponse
from src.entrypoints.http.versions import IfMatch, required_version, tagged

CustomFilter = Annotated[
    str | None,
    QueryParameter(name="custom", max_length=1100, description="Only what has this custom value, as `key:value`."),
]
SubjectParameter = Annotated[FieldSubject | None, QueryParameter(name="subject")]
Options = Annotated[list[str], Meta(max_length=200)]


def custom_filter(told: str | None) -> tuple[str, str] | None:
    """Raises Invalid."""
    if told is None:
        return None
    key, colon, value = told.partition(":")
    if not colon or not key or not value:
        raise invalid_field("custom", "Write it as key:value.")
    return key, value


class CreateCustomFieldRequest(Struct, frozen=True, forbid_unknown_fields=True):
    subject: FieldSubject
    key: Annotated[str, Meta(max_length=40, examples=["cost_centre"], description="It never changes.")]
    label: Annotated[str, Meta(min_length=1, max_length=200, examples=["Cost centre"])]
    kind: FieldKind
    required: bool = False
    order: int = 0
    options: Annotated[Options, Meta(description="Of a choice.")] = []

    def command(self) -> CreateCustomFieldCommand:
        return CreateCustomFieldCommand(
            subject=self.subject,
            key=self.key,
            label=self.label,
            kind=self.kind,
            required=self.required,
            order=self.order,
            options=tuple(self.options),
        )


class ChangeCustomFieldRequest(Struct, frozen=True, forbid_unknown_fields=True):
    label: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    required: bool | UnsetType = UNSET
    order: int | UnsetType = UNSET
    options: Options | UnsetType = UNSET
    active: bool | UnsetType = UNSET

    def changes(self) -> CustomFieldChanges:
        given: dict[str, Any] = {
            name: getattr(self, name) for name in self.__struct_fields__ if getattr(self, name) is not UNSET
        }
        if "options" in given:
            given["options"] = tuple(given["options"])
        return cast("CustomFieldChanges", given)


class CustomFieldResponse(Struct, frozen=True):
    id: UUID
    subject: str
    key: str
    label: str
    kind: str
    required: bool
    order: int
    options: list[str]
    active: bool
    created_at: datetime
    version: int

    @classmethod
    def of(cls, field: CustomField) -> Self:
        return cls(
            id=field.id,
            subject=field.subject.value,
            key=field.key,
            label=field.label,
            kind=field.kind.value,
            required=field.required,
            order=field.order,
            options=list(field.options),
            active=field.active,
            created_at=field.created_at,
            version=field.version,
        )


class CustomFieldController(Controller):
    path = "/api/v1/custom-fields"
    tags = ("organization",)

    @get(permission=Permission.VIEW_ORGANIZATION)
    async def list_custom_fields(
        self, actor: FromDishka[Actor], list_fields: FromDishka[ListCustomFields], subject: SubjectParameter = None
    ) -> PageResponse[CustomFieldResponse]:
        """The custom fields, by subject and order: what `custom` may hold in customers, products and quotes."""
        return PageResponse.whole([CustomFieldResponse.of(one) for one in await list_fields(actor, subject)])

    @post(permission=Permission.MANAGE_ORGANIZATION)
    async def create_custom_field(
        self,
        data: Annotated[CreateCustomFieldRequest, Body()],
        actor: FromDishka[Actor],
        create_field: FromDishka[CreateCustomField],
    ) -> CustomFieldResponse:
        """Add a custom field to customers, products or quotes."""
        return CustomFieldResponse.of(await create_field(actor, data.command()))

    @get("/{field_id:uuid}", permission=Permission.VIEW_ORGANIZATION)
    async def get_custom_field(
        self, field_id: FromPath[UUID], actor: FromDishka[Actor], get_field: FromDishka[GetCustomField]
    ) -> Response[CustomFieldResponse]:
        """One custom field."""
        return tagged(CustomFieldResponse.of(await get_field(actor, CustomFieldId(field_id))))

    @patch("/{field_id:uuid}", permission=Permission.MANAGE_ORGANIZATION)
    async def change_custom_field(
        self,
        field_id: FromPath[UUID],
        data: Annotated[ChangeCustomFieldRequest, Body()],
        actor: FromDishka[Actor],
        change_field: FromDishka[ChangeCustomField],
        if_match: IfMatch = None,
    ) -> Response[CustomFieldResponse]:
        """Change a custom field, or switch it off; values that are there stay."""
        command = ChangeCustomFieldCommand(
            field_id=CustomFieldId(field_id), changes=data.changes(), expected_version=required_version(if_match)
        )
        return tagged(CustomFieldResponse.of(await change_field(actor, command)))
