"""Organisations: the tenants."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from src.domain.shared.change import Change
from src.domain.shared.currency import Currency
from src.domain.shared.errors import Conflict, NotFound, Unauthenticated
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import OrganizationId
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.text import TextChecks
from src.domain.shared.working_time import WorkingCalendar

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationCreated(DomainEvent):
    action = "organization.created"
    resource_type: str = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationChanged(DomainEvent):
    action = "organization.changed"
    resource_type: str = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationSuspended(DomainEvent):
    action = "organization.suspended"
    resource_type: str = "organization"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationRestored(DomainEvent):
    action = "organization.restored"
    resource_type: str = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainsVerified(DomainEvent):
    action = "organization.domains_verified"
    resource_type: str = "organization"


class OrganizationStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A PNG or JPEG that is kept under *storage_key*. *size* is in bytes; *sha256* of the whole file."""

    sha256: str
    content_type: str
    size: int
    storage_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """One tenant. *time_zone* is an IANA name; *locale* a BCP 47 tag; *prices_include_tax* names a tax category or is None.

    *verified_domains*: e-mail domains that a platform operator knows to be this organisation's. Waiting times of approvals
    are counted by *working_calendar*.
    """

    id: OrganizationId
    slug: str
    party: Party
    default_currency: Currency
    time_zone: str
    locale: str
    created_at: datetime
    settings: RoundingSettings = field(default_factory=RoundingSettings)
    prices_include_tax: str | None = None
    status: OrganizationStatus = OrganizationStatus.ACTIVE
    require_second_factor: bool = False
    verified_domains: tuple[str, ...] = ()
    logo: Logo | None = None
    working_calendar: WorkingCalendar = field(default_factory=WorkingCalendar)
    version: int = 0

    def __post_init__(self) -> None:
        checks = TextChecks()
        if not _SLUG.fullmatch(self.slug):
            checks.refuse("slug", "A slug has 1 to 63 small letters, digits and inner hyphens.")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            checks.refuse("time_zone", f"{self.time_zone!r} is not a time zone of the IANA database.")
        checks.line("locale", self.locale, required=True, longest=35)
        self.party.check(checks, "party.")
        self.working_calendar.check(checks)
        for position, domain in enumerate(self.verified_domains):
            if not _DOMAIN.fullmatch(domain):
                checks.refuse(f"domains[{position}]", "A domain is written like example.com, in small letters.")
        checks.done()

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def active(self) -> bool:
        return self.status is OrganizationStatus.ACTIVE

    def create(self) -> Change["Organization"]:
        """The change that brings this organisation into being."""
        return Change(None, self, (OrganizationCreated(resource_id=self.id, at=self.created_at),))

    def become(self, changed: "Organization", at: datetime) -> Change["Organization"]:
        """*changed* is this one with other settings; slug, status and domains are not the organisation's to change."""
        kept = replace(changed, id=self.id, slug=self.slug, status=self.status, verified_domains=self.verified_domains)
        return Change(self, kept, (OrganizationChanged(resource_id=self.id, at=at),))

    def suspend(self, *, reason: str, at: datetime) -> Change["Organization"]:
        """From now on nobody of it gets in. Raises OrganizationStateConflict."""
        checks = TextChecks()
        checks.line("reason", reason, required=True)
        checks.done()
        if not self.active:
            raise OrganizationStateConflict("This organisation is suspended already.")
        changed = replace(self, status=OrganizationStatus.SUSPENDED)
        return Change(self, changed, (OrganizationSuspended(resource_id=self.id, at=at, reason=reason),))

    def restore(self, at: datetime) -> Change["Organization"]:
        """Raises OrganizationStateConflict."""
        if self.active:
            raise OrganizationStateConflict("This organisation is active already.")
        changed = replace(self, status=OrganizationStatus.ACTIVE)
        return Change(self, changed, (OrganizationRestored(resource_id=self.id, at=at),))

    def verify_domains(self, domains: tuple[str, ...], at: datetime) -> Change["Organization"]:
        changed = replace(self, verified_domains=domains)
        return Change(self, changed, (DomainsVerified(resource_id=self.id, at=at),))


class SlugTaken(Conflict):
    code = "slug_taken"


class OrganizationStateConflict(Conflict):
    code = "organization_state"


class CurrencyInUse(Conflict):
    """Offers have been made: their totals are kept in the organisation's currency."""

    code = "currency_in_use"


class OrganizationUnknown(NotFound):
    """For operators, who name an organisation by its slug or id."""

    code = "organization_unknown"


class OrganizationNotFound(Unauthenticated):
    """Somebody's token is older than the organisation's end: to log in again is all that helps."""

    code = "organization_not_found"
