"""Envelope ids: a message's id and its MAC, so that a report which has it can only answer a mail of ours."""

from uuid import UUID

from src.adapters.security.keys import KeyRing
from src.adapters.security.signed import SignedTokens
from src.application.ports.security import Envelopes
from src.domain.messaging.message import MessageNotFound
from src.domain.shared.ids import MessageId


class SignedEnvelopes(Envelopes):
    def __init__(self, ring: KeyRing) -> None:
        self._tokens = SignedTokens(ring.keys("envelope ids"))

    def envelope_id(self, message_id: MessageId) -> str:
        return self._tokens.sign(message_id.bytes)

    def message_of(self, envelope_id: str) -> MessageId:
        try:
            return MessageId(UUID(bytes=self._tokens.read(envelope_id)))
        except ValueError:
            raise MessageNotFound("There is no such message.") from None
