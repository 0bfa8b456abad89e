"""Change what an organisation says of itself, and how it calculates by default."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, TypedDict

from src.application.ports.clock import Clock
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.storage import ObjectStorage
from src.application.transactions import Transactions
from src.application.versions import check_version
from src.domain.identity.actor import Actor, Permission
from src.domain.identity.organization import CurrencyInUse, Logo, Organization
from src.domain.shared.currency import Currency
from src.domain.shared.errors import NotFound, invalid_field
from src.domain.shared.party import Party
from src.domain.shared.rounding import RoundingSettings
from src.domain.shared.storage_keys import logo_key
from src.domain.shared.working_time import WorkingCalendar

LARGEST_LOGO: Final = 1024 * 1024
_SIGNATURES: Final = ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"))


class OrganizationChanges(TypedDict, total=False):
    party: Party
    default_currency: Currency
    time_zone: str
    locale: str
    settings: RoundingSettings
    working_calendar: WorkingCalendar
    prices_include_tax: str | None
    require_second_factor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeOrganizationCommand:
    changes: OrganizationChanges
    expected_version: int | None = None


class ChangeOrganization:
    """New offers begin with the new settings; drafts keep theirs. Whether a second factor is wanted is a matter of security.

    Raises VersionChanged, CurrencyInUse, PermissionMissing, Invalid.
    """

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, command: ChangeOrganizationCommand) -> Organization:
        if "require_second_factor" in command.changes:
            actor.require(Permission.MANAGE_SECURITY)
        async with self._transactions.begin(actor, Permission.MANAGE_ORGANIZATION) as uow:
            current = await uow.organizations.current(lock=True)
            check_version(current, command.expected_version)
            changed = replace(current, **command.changes)
            other_currency = changed.default_currency != current.default_currency
            if other_currency and (await uow.quotes.page(QuoteFilter(), Paging(limit=1))).total:
                raise CurrencyInUse("There are offers already, whose totals are kept in the present currency.")
            stored = await uow.organizations.save(current.become(changed, self._clock.now()))
            await uow.commit()
        return stored


class LogoMissing(NotFound):
    code = "logo_missing"


class SetLogo:
    """A PNG or JPEG of at most 1 MiB; its content says which, not its name. Raises Invalid (field ``logo``)."""

    def __init__(self, transactions: Transactions, storage: ObjectStorage, clock: Clock) -> None:
        self._transactions, self._storage, self._clock = transactions, storage, clock

    async def __call__(self, actor: Actor, content: bytes, expected_version: int | None = None) -> Organization:
        actor.require(Permission.MANAGE_ORGANIZATION)
        content_type = next((kind for start, kind in _SIGNATURES if content.startswith(start)), None)
        if content_type is None:
            raise invalid_field("logo", "A logo is a PNG or a JPEG.")
        if len(content) > LARGEST_LOGO:
            raise invalid_field("logo", "A logo has at most 1 MiB.")
        digest = sha256(content).hexdigest()
        logo = Logo(
            sha256=digest,
            content_type=content_type,
            size=len(content),
            storage_key=logo_key(actor.organization_id, digest),
        )
        await self._storage.put(logo.storage_key, content, content_type=content_type)
        async with self._transactions.begin(actor, Permission.MANAGE_ORGANIZATION) as uow:
            current = await uow.organizations.current(lock=True)
            check_version(current, expected_version)
            stored = await uow.organizations.save(current.become(replace(current, logo=logo), self._clock.now()))
            await uow.commit()
        return stored


class GetLogo:
    """Its content and content type. Raises LogoMissing."""

    def __init__(self, transactions: Transactions, storage: ObjectStorage) -> None:
        self._transactions, self._storage = transactions, storage

    async def __call__(self, actor: Actor) -> tuple[bytes, str]:
        async with self._transactions.begin(actor, Permission.VIEW_ORGANIZATION) as uow:
            logo = (await uow.organizations.current()).logo
        if logo is None:
            raise LogoMissing("This organisation has no logo.")
        return await self._storage.get(logo.storage_key), logo.content_type


class RemoveLogo:
    """Its file stays where it is: documents that were made with it can be made again. Raises LogoMissing."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        self._transactions, self._clock = transactions, clock

    async def __call__(self, actor: Actor, expected_version: int | None = None) -> Organization:
        async with self._transactions.begin(actor, Permission.MANAGE_ORGANIZATION) as uow:
            current = await uow.organizations.current(lock=True)
            check_version(current, expected_version)
            if current.logo is None:
                raise LogoMissing("This organisation has no logo.")
            stored = await uow.organizations.save(current.become(replace(current, logo=None), self._clock.now()))
            await uow.commit()
        return stored
