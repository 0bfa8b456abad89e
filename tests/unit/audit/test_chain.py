"""The audit chain: what is told, what is kept secret, and that no change to it goes unseen."""

import random
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.audit.chain import ChainHead, Verification, Verifier, append, link_hash
from src.domain.audit.differences import differences
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.identity.actor import Actor, Origin, Role
from src.domain.shared.ids import OrganizationId, UserId
from tests.builders.quotes import NOON, a_content, a_customer, a_line, a_new_quote, a_quote, a_user

HERE, THERE = OrganizationId(uuid4()), OrganizationId(uuid4())
ACTOR = Actor.user(
    organization_id=HERE,
    user_id=UserId(uuid4()),
    role=Role.SALES,
    name="Jonas",
    origin=Origin(trace_id="1" * 32, ip_address="127.0.0.1", user_agent="test"),
)


def a_chain(length: int) -> list[AuditEntry]:
    records = [AuditRecord.of(a_customer().create().events[0], ACTOR) for _ in range(length)]
    return list(append(HERE, ChainHead(), records))


def verified(entries: list[AuditEntry], head: ChainHead, owner: OrganizationId = HERE) -> Verification:
    verifier = Verifier(owner)
    for entry in entries:
        if not verifier.take(entry.sequence, entry.previous_hash, entry.record.text, entry.hash):
            break
    return verifier.finish(head)


def head_of(entries: list[AuditEntry]) -> ChainHead:
    return ChainHead(entries[-1].sequence, entries[-1].hash) if entries else ChainHead()


@given(length=st.integers(0, 20))
def test_an_untouched_chain_is_intact(length: int) -> None:
    entries = a_chain(length)

    result = verified(entries, head_of(entries))

    assert result.intact
    assert result.entries == length


def _edit(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    record = entries[place].record
    entries[place] = replace(entries[place], record=replace(record, text=record.text.replace("127", "128")))
    return entries


def _remove(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    return entries[:place] + entries[place + 1 :]


def _insert(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    return [*entries[: place + 1], entries[place], *entries[place + 1 :]]


def _swap(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    other = (place + 1) % len(entries)
    entries[place], entries[other] = entries[other], entries[place]
    return entries


def _rehash(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    """Edited, with a hash that fits: only the entry after it, or the head, can tell."""
    (entry,) = _edit([entries[place]], 0)
    new_hash = link_hash(HERE, entry.sequence, entry.previous_hash, entry.record.text)
    entries[place] = replace(entry, hash=new_hash)
    return entries


def _rewrite(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    """Everything from *place* on written anew."""
    edited = _edit(entries, place)
    before = head_of(edited[:place])
    return edited[:place] + list(append(HERE, before, [entry.record for entry in edited[place:]]))


def _cut(entries: list[AuditEntry], place: int) -> list[AuditEntry]:
    return entries[:place]


@pytest.mark.parametrize("tamper", [_edit, _remove, _insert, _swap, _rehash, _rewrite, _cut])
def test_every_tampering_is_found(tamper: Callable[[list[AuditEntry], int], list[AuditEntry]]) -> None:
    chance = random.Random(3)
    for _ in range(200):
        entries = a_chain(chance.randrange(2, 8))
        head = head_of(entries)
        place = chance.randrange(len(entries))

        result = verified(tamper(list(entries), place), head)

        assert not result.intact
        assert result.first_bad is not None
        assert result.first_bad <= len(entries) + 1


def test_an_edited_entry_is_named() -> None:
    entries = a_chain(5)

    assert verified(_edit(list(entries), 2), head_of(entries)).first_bad == 3


def test_a_chain_moved_from_another_organisation_is_found() -> None:
    entries = a_chain(3)

    assert verified(entries, head_of(entries), THERE).first_bad == 1


def test_differences_tell_fields_before_and_after() -> None:
    line = a_line()
    before = a_quote(content=a_content(lines=(line,)))
    after = before.edit(
        a_content(title="New", recipient=None, lines=(replace(line, sku="X"),)), by=UserId(uuid4()), at=NOON
    )

    told = {str(one["field"]): (one["before"], one["after"]) for one in differences(before, after.after)}

    assert told["revisions[1].content.title"] == ("Fit-out", "New")
    assert told[f"revisions[1].content.lines[{line.id}].sku"] == ("DESK", "X")
    assert not any("calculation" in field for field in told)


def test_secrets_are_never_told() -> None:
    user = a_user(password_hash="$argon2id$very-secret")

    record = AuditRecord.of(user.create().events[0], ACTOR, user.create())

    assert "very-secret" not in record.text
    assert '"field":"password_hash"' in record.text  # That it changed is told; what it is, is not.


def test_the_text_of_a_new_quote_names_its_number() -> None:
    change = a_new_quote(number="Q-2026-000777")

    assert "Q-2026-000777" in AuditRecord.of(change.events[0], ACTOR, change).text
