"""Who does something, and what they may do. The matrix of roles and permissions stands here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from src.domain.shared.errors import Forbidden
from src.domain.shared.ids import ApiKeyId, OrganizationId, SessionId, UserId
from src.domain.shared.once import WriteOnce


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    APPROVER = "approver"
    SALES = "sales"
    VIEWER = "viewer"


class Permission(StrEnum):
    """What a use case asks for. Every use case names exactly one."""

    OWN_ACCOUNT = "account.own"  # Password, second factor and sessions of one's own.
    VIEW_ORGANIZATION = "organization.view"
    MANAGE_ORGANIZATION = "organization.manage"
    MANAGE_SECURITY = "security.manage"
    MANAGE_MAIL_TEMPLATES = "mail_templates.manage"
    MANAGE_USERS = "users.manage"
    MANAGE_OWNERS = "owners.manage"
    MANAGE_API_KEYS = "api_keys.manage"
    VIEW_COSTS = "costs.view"
    VIEW_CUSTOMERS = "customers.view"
    EDIT_CUSTOMERS = "customers.edit"
    APPROVE_CUSTOMERS = "customers.approve"
    MERGE_CUSTOMERS = "customers.merge"
    ERASE_PERSONS = "persons.erase"
    VIEW_PRODUCTS = "products.view"
    EDIT_PRODUCTS = "products.edit"
    MANAGE_PRICES = "prices.manage"
    RUN_IMPORTS = "imports.run"
    RUN_EXPORTS = "exports.run"  # To have files made by jobs; what is in them needs its own.
    VIEW_QUOTES = "quotes.view"
    EDIT_QUOTES = "quotes.edit"
    SUBMIT_QUOTES = "quotes.submit"
    RECALL_ANY_QUOTE = "quotes.recall"
    KEEP_STALE_PRICES = "quotes.keep_prices"
    SEND_QUOTES = "quotes.send"
    EXPORT_QUOTES = "quotes.export"
    EXPORT_CUSTOMERS = "customers.export"
    EXPORT_PRODUCTS = "products.export"
    VIEW_APPROVALS = "approvals.view"
    DECIDE_APPROVALS = "approvals.decide"
    COMMENT_APPROVALS = "approvals.comment"
    MANAGE_POLICIES = "approval_policies.manage"
    VIEW_ATTACHMENTS = "attachments.view"  # Beside the right to see what a file is about.
    DELETE_ATTACHMENTS = "attachments.delete"  # Beside the right to change that.
    VIEW_REPORTS = "reports.view"
    VIEW_AUDIT = "audit.view"
    VIEW_JOBS = "jobs.view"
    MANAGE_JOBS = "jobs.manage"
    VERIFY_AUDIT = "audit.verify"  # And to sign heads: proves that nothing was changed, and shows no entry.
    RETAIN_AUDIT = "audit.retain"  # Removing what is old enough, for operators only: no role has it.
    DELIVER_MESSAGES = "messages.deliver"  # Jobs only: no role has it.
    REPORT_DELIVERIES = "messages.report"  # Whoever hands in what mail servers report: no role has it.
    RUN_APPROVALS = "approvals.run"  # Jobs only: escalations, reminders and simulations.
    EXPIRE_QUOTES = "quotes.expire"  # The same.
    KEEP_FILES = "files.keep"  # The same: taking away what nothing belongs to any more.
    FOLLOW_LINKS = "downloads.open"  # Whoever carries a signed link to a file: no role has it.
    LOG_IN = "session.open"  # The login itself, before a user is known: no role has it.
    OPERATE = "platform.operate"  # Making, suspending and restoring organisations: no role has it.


_VIEWER = frozenset(
    {
        Permission.OWN_ACCOUNT,
        Permission.VIEW_ORGANIZATION,
        Permission.VIEW_CUSTOMERS,
        Permission.VIEW_PRODUCTS,
        Permission.VIEW_QUOTES,
        Permission.VIEW_APPROVALS,
        Permission.VIEW_ATTACHMENTS,
    }
)
_SALES = _VIEWER | {
    Permission.EDIT_CUSTOMERS,
    Permission.EDIT_QUOTES,
    Permission.SUBMIT_QUOTES,
    Permission.COMMENT_APPROVALS,
    Permission.DELETE_ATTACHMENTS,
    Permission.SEND_QUOTES,
    Permission.EXPORT_QUOTES,
    Permission.EXPORT_CUSTOMERS,
    Permission.EXPORT_PRODUCTS,
    Permission.RUN_EXPORTS,
    Permission.VIEW_REPORTS,
    Permission.VIEW_JOBS,
}
_APPROVER = _VIEWER | {
    Permission.DECIDE_APPROVALS,
    Permission.COMMENT_APPROVALS,
    Permission.DELETE_ATTACHMENTS,
    Permission.APPROVE_CUSTOMERS,
    Permission.EXPORT_QUOTES,
    Permission.EXPORT_CUSTOMERS,
    Permission.EXPORT_PRODUCTS,
    Permission.RUN_EXPORTS,
    Permission.VIEW_COSTS,
    Permission.VIEW_REPORTS,
    Permission.VIEW_JOBS,
}
_ADMIN = (
    _SALES
    | _APPROVER
    | {
        Permission.MANAGE_ORGANIZATION,
        Permission.MANAGE_MAIL_TEMPLATES,
        Permission.MANAGE_USERS,
        Permission.MANAGE_API_KEYS,
        Permission.MERGE_CUSTOMERS,
        Permission.ERASE_PERSONS,
        Permission.EDIT_PRODUCTS,
        Permission.MANAGE_PRICES,
        Permission.RUN_IMPORTS,
        Permission.KEEP_STALE_PRICES,
        Permission.RECALL_ANY_QUOTE,
        Permission.MANAGE_POLICIES,
        Permission.VIEW_AUDIT,
        Permission.MANAGE_JOBS,
        Permission.VERIFY_AUDIT,
    }
)

_OWNER = _ADMIN | {Permission.MANAGE_OWNERS, Permission.MANAGE_SECURITY}

PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.OWNER: _OWNER,
        Role.ADMIN: _ADMIN,
        Role.APPROVER: _APPROVER,
        Role.SALES: _SALES,
        Role.VIEWER: _VIEWER,
    }
)


class ActorKind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    JOB = "job"
    OPERATOR = "operator"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from; empty texts for what is not known. *trace_id* is 32 hexadecimal digits.

    *once* is the request's promise to be done only once, where it carries one.
    """

    trace_id: str
    ip_address: str = ""
    user_agent: str = ""
    once: WriteOnce | None = field(default=None, compare=False, repr=False)


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
    api_key_id: ApiKeyId | None = None

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
        restricted: bool = False,
    ) -> "Actor":
        """A person who has logged in. *restricted*: has yet to set up the second factor that the organisation wants."""
        return cls(
            kind=ActorKind.USER,
            organization_id=organization_id,
            permissions=frozenset({Permission.OWN_ACCOUNT}) if restricted else PERMISSIONS[role],
            origin=origin,
            name=name,
            user_id=user_id,
            role=role,
            session_id=session_id,
        )

    @classmethod
    def api_key(
        cls,
        *,
        organization_id: OrganizationId,
        api_key_id: ApiKeyId,
        name: str,
        scopes: frozenset[Permission],
        user_id: UserId,
        role: Role,
        origin: Origin,
    ) -> "Actor":
        """A machine that acts for a person: what its scopes and that person's role both allow."""
        return cls(
            kind=ActorKind.API_KEY,
            organization_id=organization_id,
            permissions=scopes & PERMISSIONS[role],
            origin=origin,
            name=name,
            user_id=user_id,
            role=role,
            api_key_id=api_key_id,
        )

    @classmethod
    def job(cls, *, organization_id: OrganizationId, name: str, origin: Origin) -> "Actor":
        """A background job: it delivers what a person has decided, and may do nothing else."""
        may = frozenset(
            {
                Permission.DELIVER_MESSAGES,
                Permission.VIEW_QUOTES,
                Permission.RUN_IMPORTS,
                Permission.RUN_EXPORTS,
                Permission.RUN_APPROVALS,
                Permission.EXPIRE_QUOTES,
                Permission.KEEP_FILES,
                Permission.VERIFY_AUDIT,
            }
        )
        return cls(kind=ActorKind.JOB, organization_id=organization_id, permissions=may, origin=origin, name=name)

    @classmethod
    def operator(cls, *, organization_id: OrganizationId, name: str, origin: Origin) -> "Actor":
        """Whoever runs the installation: makes, suspends and restores organisations, proves and shortens their audit.

        Sees nothing inside of them.
        """
        may = frozenset({Permission.OPERATE, Permission.VERIFY_AUDIT, Permission.RETAIN_AUDIT})
        return cls(
            kind=ActorKind.OPERATOR,
            organization_id=organization_id,
            permissions=may,
            origin=origin,
            name=name,
        )

    @classmethod
    def mail_gate(cls, *, organization_id: OrganizationId, name: str, origin: Origin) -> "Actor":
        """An operator's machine that says what became of mails, and may do nothing else."""
        return cls(
            kind=ActorKind.OPERATOR,
            organization_id=organization_id,
            permissions=frozenset({Permission.REPORT_DELIVERIES}),
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

    @classmethod
    def by_link(cls, *, organization_id: OrganizationId, origin: Origin) -> "Actor":
        """Whoever carries a signed link: may open the one file that it names, and is not known."""
        return cls(
            kind=ActorKind.ANONYMOUS,
            organization_id=organization_id,
            permissions=frozenset({Permission.FOLLOW_LINKS}),
            origin=origin,
            name="download link",
        )

    @property
    def is_restricted(self) -> bool:
        """Has yet to set up the second factor that the organisation wants."""
        return self.permissions == {Permission.OWN_ACCOUNT}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class MailGate:
    """Whoever hands in what other mail servers report, by name. Whose mail it was, only the report can say."""

    name: str
    origin: Origin

    def actor(self, organization_id: OrganizationId) -> Actor:
        return Actor.mail_gate(organization_id=organization_id, name=self.name, origin=self.origin)


class PermissionMissing(Forbidden):
    code = "permission_missing"
