"""Organisations: the tenants."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Conflict, Unauthenticated
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import OrganizationId
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.text import TextChecks

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationCreated(DomainEvent):
    action = "organization.created"
    resource_type: str = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One tenant. *time_zone* is an IANA name; *locale* a BCP 47 tag; *prices_include_tax* names a tax category or is None."""

    id: OrganizationId
    slug: str
    party: Party
    default_currency: Currency
    time_zone: str
    locale: str
    created_at: datetime
    settings: RoundingSettings = field(default_factory=RoundingSettings)
    prices_include_tax: str | None = None
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        checks.line("name", self.party.name, required=True)
        if not _SLUG.fullmatch(self.slug):
            checks.refuse("slug", "A slug has 1 to 63 small letters, digits and inner hyphens.")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            checks.refuse("time_zone", f"{self.time_zone!r} is not a time zone of the IANA database.")
        checks.done()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def create(self) -> Change["Organization"]:
        """The change that brings this organisation into being."""
        return Change(None, self, (OrganizationCreated(resource_id=self.id, at=self.created_at),))


class SlugTaken(Conflict):
    code = "slug_taken"


class OrganizationNotFound(Unauthenticated):
    """Somebody's token is older than the organisation's end: to log in again is all that helps."""

    code = "organization_not_found"
