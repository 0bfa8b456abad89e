"""Audit entries on the wire."""

import json
from datetime import datetime
from typing import Annotated, Final, Self
from uuid import UUID

from msgspec import Meta, Struct

from src.application.audit.verify_audit import VerifyAuditCommand
from src.domain.audit.chain import ChainHead
from src.domain.audit.entry import AuditEntry
from src.domain.audit.retention import RetentionAnchor
from src.domain.audit.signed_head import HEAD_FORMAT, SignedHead
from src.domain.audit.verification import Tampering, Verification
from src.domain.shared.ids import OrganizationId

MOST_AT_ONCE: Final = 1_000_000  # Entries in one request: some seconds.
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class FieldChange(Struct, frozen=True):
    field: str
    before: object
    after: object


class AuditEntryResponse(Struct, frozen=True):
    """*text* is the canonical JSON (RFC 8785) that *hash* covers, together with *previous_hash* and its place."""

    sequence: int
    at: datetime
    action: str
    resource_type: str
    resource_id: UUID
    actor_kind: str
    user_id: UUID | None
    ip_address: str
    user_agent: str
    trace_id: str
    details: dict[str, object]
    changes: list[FieldChange]
    text: str
    previous_hash: str
    hash: str

    @classmethod
    def of(cls, entry: AuditEntry) -> Self:
        record, told = entry.record, json.loads(entry.record.text)
        return cls(
            sequence=entry.sequence,
            at=record.at,
            action=record.action,
            resource_type=record.resource_type,
            resource_id=record.resource_id,
            actor_kind=record.actor_kind,
            user_id=record.user_id,
            ip_address=told["ip_address"],
            user_agent=told["user_agent"],
            trace_id=told["trace_id"],
            details=told["details"],
            changes=[FieldChange(**change) for change in told["changes"]],
            text=record.text,
            previous_hash=entry.previous_hash,
            hash=entry.hash,
        )


class HeadSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """The last entry that is proven: its place and its hash."""

    sequence: Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
    hash: Hash

    def to_domain(self) -> ChainHead:
        return ChainHead(self.sequence, self.hash)


class SignedHeadSchema(Struct, frozen=True, forbid_unknown_fields=True):
    """*signature* is Ed25519 over six lines: `proffer-audit-head-1`, organisation, sequence, hash, signed_at, each ended."""

    organization_id: UUID
    sequence: Annotated[int, Meta(ge=0, le=9_007_199_254_740_991)]
    hash: Hash
    signed_at: Annotated[datetime, Meta(tz=True)]
    key_id: Annotated[str, Meta(max_length=64)]
    signature: Annotated[str, Meta(max_length=256)]
    format: Annotated[str, Meta(pattern="^proffer-audit-head-1$")] = HEAD_FORMAT

    @classmethod
    def of(cls, signed: SignedHead) -> Self:
        return cls(
            organization_id=signed.organization_id,
            sequence=signed.head.sequence,
            hash=signed.head.hash,
            signed_at=signed.signed_at,
            key_id=signed.key_id,
            signature=signed.signature,
        )

    def to_domain(self) -> SignedHead:
        return SignedHead(
            organization_id=OrganizationId(self.organization_id),
            head=ChainHead(self.sequence, self.hash),
            signed_at=self.signed_at,
            key_id=self.key_id,
            signature=self.signature,
        )


class AnchorResponse(Struct, frozen=True):
    """Retention has removed the entries up to *sequence*. *signature* is Ed25519 over seven lines, each ended.

    They are: `proffer-audit-anchor-1`, organisation, sequence, hash, entries, before (such as 2016-11), retained_at.
    """

    sequence: int
    hash: Hash
    entries: int
    before: str
    retained_at: datetime
    key_id: str
    signature: str

    @classmethod
    def of(cls, anchor: RetentionAnchor) -> Self:
        return cls(
            sequence=anchor.head.sequence,
            hash=anchor.head.hash,
            entries=anchor.entries,
            before=f"{anchor.before:%Y-%m}",
            retained_at=anchor.retained_at,
            key_id=anchor.key_id,
            signature=anchor.signature,
        )


class VerifyRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """*after*: a head from an earlier answer, to go on from. *heads*: signed heads that were kept."""

    after: HeadSchema | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = MOST_AT_ONCE
    heads: Annotated[list[SignedHeadSchema], Meta(max_length=1000)] = []

    def command(self) -> VerifyAuditCommand:
        return VerifyAuditCommand(
            after=None if self.after is None else self.after.to_domain(),
            limit=self.limit,
            heads=[one.to_domain() for one in self.heads],
        )


class SignedHeadsResponse(Struct, frozen=True):
    """*public_keys*: Ed25519 keys (64 hexadecimal digits) by their ids, the newest first."""

    heads: list[SignedHeadSchema]
    public_keys: dict[str, str]


class VerificationResponse(Struct, frozen=True):
    """*intact*: every entry follows from the one before, up to the head that is told, and through *kept_heads* signed ones.

    *complete*: that is the end of the chain, of *total* entries; else go on with `after`. Where it is not intact, *problem*
    says what was done, and *first_bad* is the first entry that is not what was written there. *anchor* says what retention
    has removed before, and under which signature.
    """

    intact: bool
    complete: bool
    entries: int
    total: int
    head_sequence: int
    head_hash: str
    kept_heads: int
    older_heads: int
    tampering: Tampering | None
    first_bad: int | None
    problem: str
    anchor: AnchorResponse | None

    @classmethod
    def of(cls, verification: Verification) -> Self:
        return cls(
            intact=verification.intact,
            complete=verification.complete,
            entries=verification.entries,
            total=verification.total,
            head_sequence=verification.head.sequence,
            head_hash=verification.head.hash,
            kept_heads=verification.kept_heads,
            older_heads=verification.older_heads,
            tampering=None if verification.finding is None else verification.finding.tampering,
            first_bad=verification.first_bad,
            problem=verification.problem,
            anchor=None if verification.anchor is None else AnchorResponse.of(verification.anchor),
        )
