"""What platform operators do with organisations: list, suspend, restore, vouch for domains. They see nothing inside."""

from dataclasses import dataclass, field

from src.application.identity.api_keys import key_hash
from src.application.ports.clock import Clock
from src.application.ports.identity import (
    OperatorKey,
    OperatorRights,
    OrganizationDirectory,
    OrganizationSummary,
)
from src.application.ports.paging import Page, Paging
from src.application.ports.security import TokenRefused, Vault
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, MailGate, Origin, Permission, PermissionMissing
from src.domain.identity.organization import Organization
from src.domain.shared.ids import OrganizationId
from src.domain.shared.text import TextChecks

OPERATOR_KIND = "pfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who runs the platform, by name."""

    name: str
    origin: Origin

    def actor(self, organization_id: OrganizationId) -> Actor:
        return Actor.operator(organization_id=organization_id, name=self.name, origin=self.origin)


class AuthenticateOperator:
    """By an operator key. Raises TokenRefused; PermissionMissing for a key that opens less than is asked for."""

    def __init__(self, directory: OrganizationDirectory, vault: Vault) -> None:
        self._directory, self._vault = directory, vault

    async def __call__(self, secret: str, origin: Origin) -> Operator:
        key = await self._key(secret)
        if key.rights is not OperatorRights.EVERYTHING:
            needed = Permission.OPERATE.value
            raise PermissionMissing("This key is for handing in mail reports alone.", permission=needed)
        return Operator(name=key.name, origin=origin)

    async def mail_gate(self, secret: str, origin: Origin) -> MailGate:
        """Any operator's key opens this one."""
        return MailGate(name=(await self._key(secret)).name, origin=origin)

    async def _key(self, secret: str) -> OperatorKey:
        known = self._vault.is_key(secret, OPERATOR_KIND)
        key = await self._directory.operator_of(key_hash(secret)) if known else None
        if key is None:
            raise TokenRefused("This is no operator's key, or it has been revoked.")
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedOperatorKey:
    """*secret* is shown this once."""

    name: str
    secret: str = field(repr=False)


class CreateOperatorKey:
    """For whoever has the installation's secret key: only the command line can."""

    def __init__(self, directory: OrganizationDirectory, vault: Vault, clock: Clock) -> None:
        self._directory, self._vault, self._clock = directory, vault, clock

    async def __call__(self, name: str, rights: OperatorRights = OperatorRights.EVERYTHING) -> CreatedOperatorKey:
        checks = TextChecks()
        checks.line("name", name, required=True)
        checks.done()
        secret, _ = self._vault.new_key(OPERATOR_KIND)
        await self._directory.add_operator_key(OperatorKey(name, rights), key_hash(secret), self._clock.now())
        return CreatedOperatorKey(name=name, secret=secret)


class RevokeOperatorKeys:
    """All keys of that name; how many there were."""

    def __init__(self, directory: OrganizationDirectory, clock: Clock) -> None:
        self._directory, self._clock = directory, clock

    async def __call__(self, name: str) -> int:
        return await self._directory.revoke_operator_key(name, self._clock.now())


class ListOrganizations:
    """The newest first."""

    def __init__(self, directory: OrganizationDirectory) -> None:
        self._directory = directory

    async def __call__(self, _: Operator, search: str, paging: Paging) -> Page[OrganizationSummary]:
        return await self._directory.page(search, paging)


class SuspendOrganization:
    """Nobody of it gets in any more, at once. *organization* is a slug or an id.

    Raises OrganizationUnknown, OrganizationStateConflict, Invalid.
    """

    def __init__(self, transactions: Transactions, directory: OrganizationDirectory, clock: Clock) -> None:
        self._transactions, self._directory, self._clock = transactions, directory, clock

    async def __call__(self, operator: Operator, organization: str, reason: str) -> Organization:
        actor = operator.actor(await self._directory.find(organization))
        async with self._transactions.begin(actor, Permission.OPERATE) as uow:
            current = await uow.organizations.current(lock=True)
            stored = await uow.organizations.save(current.suspend(reason=reason, at=self._clock.now()))
            await uow.commit()
        return stored


class RestoreOrganization:
    """As it was before. Raises OrganizationUnknown, OrganizationStateConflict."""

    def __init__(self, transactions: Transactions, directory: OrganizationDirectory, clock: Clock) -> None:
        self._transactions, self._directory, self._clock = transactions, directory, clock

    async def __call__(self, operator: Operator, organization: str) -> Organization:
        actor = operator.actor(await self._directory.find(organization))
        async with self._transactions.begin(actor, Permission.OPERATE) as uow:
            current = await uow.organizations.current(lock=True)
            stored = await uow.organizations.save(current.restore(self._clock.now()))
            await uow.commit()
        return stored


class VerifyDomains:
    """Say which e-mail domains are the organisation's, all of them. Raises OrganizationUnknown, Invalid."""

    def __init__(self, transactions: Transactions, directory: OrganizationDirectory, clock: Clock) -> None:
        self._transactions, self._directory, self._clock = transactions, directory, clock

    async def __call__(self, operator: Operator, organization: str, domains: tuple[str, ...]) -> Organization:
        actor = operator.actor(await self._directory.find(organization))
        wanted = tuple(sorted({domain.strip().lower() for domain in domains}))
        async with self._transactions.begin(actor, Permission.OPERATE) as uow:
            current = await uow.organizations.current(lock=True)
            stored = await uow.organizations.save(current.verify_domains(wanted, self._clock.now()))
            await uow.commit()
        return stored
