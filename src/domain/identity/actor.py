"""Who does something, and what they may do. The matrix of roles and permissions stands here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from src.domain.shared.errors import Forbidden
from src.domain.shared.ids import OrganizationId, SessionId, UserId


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    APPROVER = "approver"
    SALES = "sales"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What a use case asks for. Every use case names exactly one."""

    VIEW_ORGANIZATION = "organization.view"
    MANAGE_USERS = "users.manage"
    VIEW_CUSTOMERS = "customers.view"
    EDIT_CUSTOMERS = "customers.edit"
    VIEW_PRODUCTS = "products.view"
    EDIT_PRODUCTS = "products.edit"
    MANAGE_PRICES = "prices.manage"
    RUN_IMPORTS = "imports.run"
    VIEW_QUOTES = "quotes.view"
    EDIT_QUOTES = "quotes.edit"
    SUBMIT_QUOTES = "quotes.submit"
    RECALL_ANY_QUOTE = "quotes.recall"
    KEEP_STALE_PRICES = "quotes.keep_prices"
    SEND_QUOTES = "quotes.send"
    EXPORT_QUOTES = "quotes.export"
    VIEW_APPROVALS = "approvals.view"
    DECIDE_APPROVALS = "approvals.decide"
    MANAGE_POLICIES = "approval_policies.manage"
    VIEW_AUDIT = "audit.view"
    DELIVER_MESSAGES = "messages.deliver"  # Jobs only: no role has it.
    LOG_IN = "session.open"  # The login itself, before a user is known: no role has it.


_VIEWER = frozenset(
    {
        Permission.VIEW_ORGANIZATION,
        Permission.VIEW_CUSTOMERS,
        Permission.VIEW_PRODUCTS,
        Permission.VIEW_QUOTES,
        Permission.VIEW_APPROVALS,
    }
)
_SALES = _VIEWER | {
    Permission.EDIT_CUSTOMERS,
    Permission.EDIT_QUOTES,
    Permission.SUBMIT_QUOTES,
    Permission.SEND_QUOTES,
    Permission.EXPORT_QUOTES,
}
_APPROVER = _VIEWER | {Permission.DECIDE_APPROVALS, Permission.EXPORT_QUOTES}
_ADMIN = (
    _SALES
    | _APPROVER
    | {
        Permission.MANAGE_USERS,
        Permission.EDIT_PRODUCTS,
        Permission.MANAGE_PRICES,
        Permission.RUN_IMPORTS,
        Permission.KEEP_STALE_PRICES,
        Permission.RECALL_ANY_QUOTE,
        Permission.MANAGE_POLICIES,
        Permission.VIEW_AUDIT,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: _ADMIN,
        Role.ADMIN: _ADMIN,
        Role.APPROVER: _APPROVER,
        Role.SALES: _SALES,
        Role.VIEWER: _VIEWER,
    }
)


class ActorKind(StrEnum):
    USER = "user"
    JOB = "job"
    OPERATOR = "operator"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from; empty texts for what is not known. *trace_id* is 32 hexadecimal digits."""

    trace_id: str
    ip_address: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does it, for which organisation. An argument of every use case, never ambient."""

    kind: ActorKind
    organization_id: OrganizationId
    permissions: frozenset[Permission]
    origin: Origin
    name: str
    user_id: UserId | None = None
    role: Role | None = None
    session_id: SessionId | None = None

    @classmethod
    def user(
        cls,
        *,
        organization_id: OrganizationId,
        user_id: UserId,
        role: Role,
        name: str,
        origin: Origin,
        session_id: SessionId | None = None,
    ) -> "Actor":
        """A person who has logged in."""
        return cls(
            kind=ActorKind.USER,
            organization_id=organization_id,
            permissions=PERMISSIONS[role],
            origin=origin,
            name=name,
            user_id=user_id,
            role=role,
            session_id=session_id,
        )

    @classmethod
    def job(cls, *, organization_id: OrganizationId, name: str, origin: Origin) -> "Actor":
        """A background job: it delivers what a person has decided, and may do nothing else."""
        may = frozenset({Permission.DELIVER_MESSAGES, Permission.VIEW_QUOTES, Permission.RUN_IMPORTS})
        return cls(kind=ActorKind.JOB, organization_id=organization_id, permissions=may, origin=origin, name=name)

    @classmethod
    def operator(cls, *, organization_id: OrganizationId, name: str, origin: Origin) -> "Actor":
        """Whoever runs the installation, setting up an organisation."""
        return cls(
            kind=ActorKind.OPERATOR,
            organization_id=organization_id,
            permissions=PERMISSIONS[Role.OWNER],
            origin=origin,
            name=name,
        )

    @classmethod
    def anonymous(cls, *, organization_id: OrganizationId, origin: Origin) -> "Actor":
        """Somebody at the login, who is not known yet."""
        return cls(
            kind=ActorKind.ANONYMOUS,
            organization_id=organization_id,
            permissions=frozenset({Permission.LOG_IN}),
            origin=origin,
            name="",
        )

    @property
    def person(self) -> UserId:
        """The user. Raises Forbidden where only a person may act."""
        if self.user_id is None:
            raise Forbidden("Only a person can do this.")
        return self.user_id

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raises PermissionMissing."""
        if not self.may(permission):
            raise PermissionMissing(f"This needs the permission {permission.value}.", permission=permission.value)


class PermissionMissing(Forbidden):
    code = "permission_missing"
