"""Signed heads as objects of a storage of their own."""

from src.adapters.audit_heads.json_heads import json_of_head
from src.application.ports.audit import HeadStore
from src.application.ports.storage import ObjectStorage
from src.domain.audit.signed_head import SignedHead


class StoredHeads(HeadStore):
    """``organization/instant-sequence.json``. The storage overwrites nothing; a bucket may lock what it has besides."""

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage

    async def put(self, signed: SignedHead) -> str:
        name = f"{signed.organization_id}/{signed.signed_at:%Y%m%dT%H%M%S.%fZ}-{signed.head.sequence}.json"
        await self._storage.put(name, f"{json_of_head(signed)}\n".encode(), content_type="application/json")
        return name
