"""A head that leaves the house: whoever keeps it can tell later whether the chain was cut off or written anew."""

from dataclasses import dataclass
from datetime import datetime

from src.domain.audit.chain import ChainHead
from src.domain.shared.canonical import plain
from src.domain.shared.errors import Invalid
from src.domain.shared.events import DomainEvent
from src.domain.shared.ids import OrganizationId

HEAD_FORMAT = "proffer-audit-head-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHead:
    """*signature* is Ed25519 over :func:`signed_text`, 128 hexadecimal digits; *key_id* names the public key."""

    organization_id: OrganizationId
    head: ChainHead
    signed_at: datetime
    key_id: str
    signature: str

    @property
    def text(self) -> bytes:
        return signed_text(self.organization_id, self.head, self.signed_at)


def signed_text(organization_id: OrganizationId, head: ChainHead, signed_at: datetime) -> bytes:
    """What is signed: format, organisation, sequence, hash and instant, each on a line of its own."""
    lines = (HEAD_FORMAT, organization_id, head.sequence, head.hash, plain(signed_at))
    return "".join(f"{line}\n" for line in lines).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSigned(DomainEvent):
    action = "audit.head_signed"
    resource_type: str = "organization"
    sequence: int
    hash: str
    key_id: str


class HeadRefused(Invalid):
    """A head that this installation has not signed, or that belongs to another organisation."""

    code = "audit_head_refused"
