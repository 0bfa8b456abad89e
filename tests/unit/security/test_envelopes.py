"""Envelope ids: nobody else can make one, and servers take them as they are."""

import re
from uuid import UUID, uuid4

import pytest

from src.adapters.security import KeyRing, SignedEnvelopes
from src.domain.messaging.message import MessageNotFound
from src.domain.shared.ids import MessageId

OLD, NEW = "a secret key of before, long enough for anybody", "the secret key of today, long enough for anybody"
MESSAGE = MessageId(UUID("0192f0c1-0000-7000-8000-000000000001"))


def test_an_envelope_id_names_its_message_and_is_always_the_same() -> None:
    envelopes = SignedEnvelopes(KeyRing([NEW]))

    assert envelopes.message_of(envelopes.envelope_id(MESSAGE)) == MESSAGE
    assert envelopes.envelope_id(MESSAGE) == SignedEnvelopes(KeyRing([NEW])).envelope_id(MESSAGE)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,100}", envelopes.envelope_id(MESSAGE))  # RFC 3461, 4.4 and 5.1.


def test_reports_on_mails_that_left_before_the_key_was_changed_are_still_known() -> None:
    sent = SignedEnvelopes(KeyRing([OLD])).envelope_id(MESSAGE)

    assert SignedEnvelopes(KeyRing([NEW, OLD])).message_of(sent) == MESSAGE
    with pytest.raises(MessageNotFound):
        SignedEnvelopes(KeyRing([NEW])).message_of(sent)


@pytest.mark.parametrize("change", [0, 15, 30, 63])
def test_no_part_of_it_can_be_changed(change: int) -> None:
    envelopes = SignedEnvelopes(KeyRing([NEW]))
    made = envelopes.envelope_id(MESSAGE)
    other = "A" if made[change] != "A" else "B"

    for forged in (made[:change] + other + made[change + 1 :], made + "A", made[:-4], str(uuid4()), "", "ä" * 64):
        with pytest.raises(MessageNotFound):
            envelopes.message_of(forged)
