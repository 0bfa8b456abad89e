"""Signatures with Ed25519 (RFC 8032)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from src.application.ports.audit import HeadSigner
from src.domain.audit.chain import ChainHead
from src.domain.audit.retention import RetentionAnchor, anchor_text
from src.domain.audit.signed_head import SignedHead, signed_text
from src.domain.shared.ids import OrganizationId


class Ed25519HeadSigner(HeadSigner):
    """*seeds*, of 32 bytes each, are the private keys, the newest first: it signs, and all of them are recognised."""

    def __init__(self, seeds: Sequence[bytes]) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seeds[0])
        public = [Ed25519PrivateKey.from_private_bytes(seed).public_key() for seed in seeds]
        self._public = {_id_of(key): key for key in public}

    def sign(self, organization_id: OrganizationId, head: ChainHead, signed_at: datetime) -> SignedHead:
        signature = self._private.sign(signed_text(organization_id, head, signed_at))
        return SignedHead(
            organization_id=organization_id,
            head=head,
            signed_at=signed_at,
            key_id=_id_of(self._private.public_key()),
            signature=signature.hex(),
        )

    def sign_anchor(
        self, organization_id: OrganizationId, head: ChainHead, entries: int, before: date, retained_at: datetime
    ) -> RetentionAnchor:
        signature = self._private.sign(anchor_text(organization_id, head, entries, before, retained_at))
        return RetentionAnchor(
            organization_id=organization_id,
            head=head,
            entries=entries,
            before=before,
            retained_at=retained_at,
            key_id=_id_of(self._private.public_key()),
            signature=signature.hex(),
        )

    def is_ours(self, signed: SignedHead | RetentionAnchor) -> bool:
        key = self._public.get(signed.key_id)
        if key is None:
            return False
        try:
            key.verify(bytes.fromhex(signed.signature), signed.text)
        except (InvalidSignature, ValueError):
            return False
        return True

    def public_keys(self) -> Mapping[str, str]:
        return {identity: key.public_bytes_raw().hex() for identity, key in self._public.items()}


def _id_of(key: Ed25519PublicKey) -> str:
    return sha256(key.public_bytes_raw()).hexdigest()[:16]
