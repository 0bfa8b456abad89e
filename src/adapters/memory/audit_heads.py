"""Kept heads in memory."""

from collections.abc import AsyncGenerator

from src.application.ports.audit import HeadStore
from src.domain.audit.signed_head import SignedHead
from src.domain.shared.ids import OrganizationId


class MemoryHeads(HeadStore):
    def __init__(self) -> None:
        self.heads: list[SignedHead] = []

    async def put(self, signed: SignedHead) -> str:
        if signed not in self.heads:
            self.heads.append(signed)
        return f"{signed.organization_id}/{signed.signed_at:%Y%m%dT%H%M%S.%fZ}-{signed.head.sequence}.json"

    async def kept(self, organization_id: OrganizationId) -> AsyncGenerator[SignedHead, None]:
        own = [one for one in self.heads if one.organization_id == organization_id]
        for signed in sorted(own, key=lambda one: (one.head.sequence, one.signed_at), reverse=True):
            yield signed
