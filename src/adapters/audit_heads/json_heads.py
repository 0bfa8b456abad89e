"""Signed heads as JSON: one object, which is also one line of a file with many."""

import json
import re
from datetime import datetime
from uuid import UUID

from src.domain.audit.chain import ChainHead
from src.domain.audit.signed_head import HEAD_FORMAT, HeadRefused, SignedHead
from src.domain.shared.canonical import canonical_text
from src.domain.shared.ids import OrganizationId

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_LARGEST = 2**53


def json_of_head(signed: SignedHead) -> str:
    """One line, without its end."""
    return canonical_text(
        {
            "format": HEAD_FORMAT,
            "organization_id": signed.organization_id,
            "sequence": signed.head.sequence,
            "hash": signed.head.hash,
            "signed_at": signed.signed_at,
            "key_id": signed.key_id,
            "signature": signed.signature,
        }
    )


def head_of_json(text: str | bytes) -> SignedHead:
    """Raises HeadRefused for what is no signed head."""
    try:
        told = json.loads(text)
        sequence, entry_hash = told["sequence"], told["hash"]
        signed_at = datetime.fromisoformat(told["signed_at"])
        well_formed = (
            told["format"] == HEAD_FORMAT
            and type(sequence) is int
            and 0 <= sequence < _LARGEST
            and _HASH.fullmatch(entry_hash) is not None
            and signed_at.tzinfo is not None
            and isinstance(told["key_id"], str)
            and isinstance(told["signature"], str)
        )
        signed = SignedHead(
            organization_id=OrganizationId(UUID(told["organization_id"])),
            head=ChainHead(sequence, entry_hash),
            signed_at=signed_at,
            key_id=told["key_id"],
            signature=told["signature"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise HeadRefused("This is not a signed head of an audit chain.") from None
    if not well_formed:
        raise HeadRefused("This is not a signed head of an audit chain.")
    return signed
