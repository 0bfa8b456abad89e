"""The audit chain: what is told, what is kept secret, and that no change to it goes unseen."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.audit.chain import ChainHead, append, latest_month, link_hash
from src.domain.audit.differences import differences
from src.domain.audit.entry import AuditEntry, AuditRecord
from src.domain.audit.verification import (
    AuditLink,
    Extent,
    Tampering,
    Verification,
    Verifier,
    shows_what_was_written,
)
from src.domain.identity.actor import Actor, Origin, Role
from src.domain.quoting.content import ContactRole, Participant
from src.domain.shared.ids import ContactId, OrganizationId, UserId
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


def verified(
    entries: list[AuditEntry],
    head: ChainHead,
    owner: OrganizationId = HERE,
    *,
    kept: tuple[ChainHead, ...] = (),
    others: tuple[OrganizationId, ...] = (),
) -> Verification:
    extent = Extent(head=head, last=entries[-1].sequence if entries else 0)
    verifier = Verifier(owner, extent, ChainHead(), {one.sequence: one.hash for one in kept})
    if not verifier.take([AuditLink.of(entry) for entry in entries if entry.sequence <= head.sequence]):
        following = (entry.sequence for entry in entries if entry.previous_hash == verifier.head.hash)
        verifier.explain(next(following, None), others)
    return verifier.finish()


def head_of(entries: list[AuditEntry]) -> ChainHead:
    return ChainHead(entries[-1].sequence, entries[-1].hash) if entries else ChainHead()


def _kept_in(months: list[tuple[int, int]]) -> Verification:
    """Entries of the months (their own, and the one that the store says to keep them in) of 2026."""
    told = [replace(a_customer().create().events[0], at=datetime(2026, own, 15, tzinfo=UTC)) for own, _ in months]
    chain = append(HERE, ChainHead(), [AuditRecord.of(event, ACTOR) for event in told])
    entries = [replace(entry, month=date(2026, kept, 1)) for entry, (_, kept) in zip(chain, months, strict=True)]
    return verified(entries, head_of(entries))


@pytest.mark.parametrize(
    ("months", "first_bad"),
    [
        ([(3, 3), (5, 5), (4, 5), (6, 6)], None),
        ([(3, 3), (9, 4), (4, 4), (5, 5)], None),  # The second one's clock was months ahead.
        ([(9, 3), (9, 3), (9, 4)], None),
        ([(3, 3), (5, 5), (5, 4)], 3),  # Months never go back,
        ([(3, 3), (4, 5), (5, 5)], 2),  # are never later than their own without need,
        ([(4, 5)], 1),
        ([(3, 3), (5, 5), (4, 6)], 3),
    ],
)
def test_an_entry_is_kept_between_the_month_before_and_its_own(
    months: list[tuple[int, int]], first_bad: int | None
) -> None:
    assert _kept_in(months).first_bad == first_bad


def test_a_time_that_runs_ahead_is_kept_in_the_latest_month_that_the_store_knows() -> None:
    events = [a_customer().create().events[0]] * 4
    times = [datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2099, 12, 1, tzinfo=UTC), NOON, NOON]
    records = [AuditRecord.of(replace(event, at=at), ACTOR) for event, at in zip(events, times, strict=True)]

    entries = list(append(HERE, ChainHead(), records, latest=latest_month(datetime(2026, 4, 29, 23, tzinfo=UTC))))

    assert [f"{entry.month:%Y-%m}" for entry in entries] == ["2026-03", "2026-04", "2026-04", "2026-04"]
    assert [entry.record.at for entry in entries] == times
    assert verified(entries, head_of(entries)).intact
    assert latest_month(datetime(2026, 4, 30, 1, tzinfo=UTC)) == date(2026, 5, 1)


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


def _renumber(entries: list[AuditEntry]) -> list[AuditEntry]:
    """As a store tells them: by sequence, and nothing twice."""
    return [replace(entry, sequence=place) for place, entry in enumerate(entries, 1)]


def _reset(entry: AuditEntry, **changes: object) -> AuditEntry:
    return replace(entry, record=replace(entry.record, **changes))  # type: ignore[arg-type]  # Whatever the test says.


NAMED: dict[str, tuple[Callable[[list[AuditEntry]], list[AuditEntry]], Tampering, int]] = {
    "an edited text": (lambda entries: _edit(entries, 2), Tampering.CHANGED, 3),
    "an edited text with a hash that fits": (lambda entries: _rehash(entries, 2), Tampering.CHANGED, 3),
    "the last one with a hash that fits": (lambda entries: _rehash(entries, 5), Tampering.CHANGED, 6),
    "an edited hash": (lambda e: [*e[:2], replace(e[2], hash="f" * 64), *e[3:]], Tampering.CHANGED, 3),
    "another action shown": (lambda e: [*e[:2], _reset(e[2], action="x"), *e[3:]], Tampering.CHANGED, 3),
    "another time shown": (
        lambda e: [*e[:2], _reset(e[2], at=e[2].record.at + timedelta(microseconds=1)), *e[3:]],
        Tampering.CHANGED,
        3,
    ),
    "another person shown": (lambda e: [*e[:2], _reset(e[2], user_id=None), *e[3:]], Tampering.CHANGED, 3),
    "one removed": (lambda entries: _remove(entries, 2), Tampering.REMOVED, 3),
    "one removed and the rest renumbered": (lambda e: _renumber(_remove(e, 2)), Tampering.REMOVED, 3),
    "the last ones removed": (lambda entries: entries[:4], Tampering.REMOVED, 5),
    "one inserted": (lambda entries: _insert(entries, 2), Tampering.INSERTED, 3),
    "one inserted and the rest renumbered": (lambda e: _renumber(_insert(e, 2)), Tampering.INSERTED, 4),
    "one inserted with a hash that fits": (
        lambda e: _renumber([*e[:2], *append(HERE, head_of(e[:2]), [e[4].record]), *e[2:]]),
        Tampering.INSERTED,
        3,
    ),
    "one added behind the head": (
        lambda e: [*e, *append(HERE, head_of(e), [e[0].record])],
        Tampering.INSERTED,
        7,
    ),
    "two exchanged": (lambda e: _renumber([*e[:2], e[4], e[3], e[2], e[5]]), Tampering.REORDERED, 3),
    "one moved from another organisation": (
        lambda e: [*e[:2], *append(THERE, head_of(e[:2]), [e[2].record]), *e[3:]],
        Tampering.MOVED,
        3,
    ),
    "written anew to the end": (lambda entries: _rewrite(entries, 2), Tampering.CHANGED, 6),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_tampering_is_named_with_the_first_entry(name: str) -> None:
    tamper, tampering, first_bad = NAMED[name]
    entries = a_chain(6)

    finding = verified(tamper(list(entries)), head_of(entries), others=(THERE,)).finding

    assert finding is not None
    assert (finding.tampering, finding.first_bad) == (tampering, first_bad), finding.problem


def test_only_a_kept_head_shows_a_chain_that_was_cut_or_written_anew_with_its_head() -> None:
    entries = a_chain(6)
    kept = (head_of(entries[:2]), head_of(entries[:5]))
    for broken, tampering, first_bad in (
        (_rewrite(list(entries), 3), Tampering.REWRITTEN, 3),
        (_rewrite(list(entries), 0), Tampering.REWRITTEN, 1),
        (entries[:4], Tampering.REMOVED, 5),
        (entries[:1], Tampering.REMOVED, 2),
        ([], Tampering.REMOVED, 1),
    ):
        assert verified(broken, head_of(broken)).intact

        finding = verified(broken, head_of(broken), kept=kept).finding

        assert finding is not None
        assert (finding.tampering, finding.first_bad) == (tampering, first_bad), finding.problem
    assert verified(entries, head_of(entries), kept=kept).kept_heads == 2


def test_names_that_look_like_json_do_not_hide_what_is_shown() -> None:
    name = '","session_id":null,"user_id":null},"at":"2020-01-01T00:00:00.000000Z","changes":['
    actor = Actor.job(
        organization_id=HERE, name=name, origin=replace(ACTOR.origin, user_agent=f',"resource_id":"{name}')
    )
    link = AuditLink.of(next(append(HERE, ChainHead(), [AuditRecord.of(a_customer().create().events[0], actor)])))

    assert shows_what_was_written(link)
    for place, field in enumerate(AuditLink._fields[4:10], 4):
        assert not shows_what_was_written(AuditLink._make([*link[:place], "x", *link[place + 1 :]])), field
    assert not shows_what_was_written(link._replace(text="["))


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


def test_people_on_an_offer_are_never_named() -> None:
    signatory = Participant(
        contact_id=ContactId(uuid4()), role=ContactRole.SIGNATORY, name="Ada Sign", email="ada@brandt.example"
    )
    made = a_new_quote(content=a_content(salesperson="Jonas Weber", participants=(signatory,)))
    edited = made.after.edit(a_content(salesperson="Mia Kern", recipient=None), by=UserId(uuid4()), at=NOON)

    text = "".join(AuditRecord.of(event, ACTOR, change).text for change in (made, edited) for event in change.events)

    for name in ("Jonas Weber", "Mia Kern", "Ada Sign", "ada@brandt.example", "Katrin Brandt", "katrin@brandt.example"):
        assert name not in text
    told = {one["field"]: (one["before"], one["after"]) for one in differences(made.after, edited.after)}
    assert told["revisions[1].content.salesperson"] == ("[personal]", "[personal]")  # That it changed, not how.
    begun = {one["field"]: (one["before"], one["after"]) for one in differences(None, made.after)}
    for place in ("recipient.name", "recipient.email", "participants[0].name", "participants[0].email"):
        assert begun[f"revisions[1].content.{place}"] == (None, "[personal]")
        assert told[f"revisions[1].content.{place}"] == ("[personal]", None)


def test_the_text_of_a_new_quote_names_its_number() -> None:
    change = a_new_quote(number="Q-2026-000777")

    assert "Q-2026-000777" in AuditRecord.of(change.events[0], ACTOR, change).text
