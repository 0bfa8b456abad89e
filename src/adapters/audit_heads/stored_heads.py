"""Signed heads as objects of a storage of their own."""

import re
from collections.abc import AsyncGenerator
from typing import Final

from src.adapters.audit_heads.json_heads import head_of_json, json_of_head
from src.application.ports.audit import HeadStore
from src.application.ports.storage import ObjectStorage
from src.domain.audit.signed_head import HeadRefused, SignedHead
from src.domain.shared.ids import OrganizationId

_NAME: Final = re.compile(r"[^/]+/[0-9T.]+Z-([0-9]{1,18})\.json", re.ASCII)


class StoredHeads(HeadStore):
    """``organization/instant-sequence.json``. The storage overwrites nothing; a bucket may lock what it has besides."""

    def __init__(self, storage: ObjectStorage) -> None:
        self._storage = storage

    async def put(self, signed: SignedHead) -> str:
        name = f"{signed.organization_id}/{signed.signed_at:%Y%m%dT%H%M%S.%fZ}-{signed.head.sequence}.json"
        await self._storage.put(name, f"{json_of_head(signed)}\n".encode(), content_type="application/json")
        return name

    async def kept(self, organization_id: OrganizationId) -> AsyncGenerator[SignedHead, None]:
        names = [found.key async for found in self._storage.objects(str(organization_id))]
        for name in sorted(names, key=_place_of, reverse=True):
            yield head_of_json(await self._storage.get(name))


def _place_of(name: str) -> tuple[int, str]:
    """Sequence, then instant, which the name tells, so that nothing is read only to be sorted."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise HeadRefused(f"{name} is among the kept heads, and is none.")
    return int(found[1]), name
