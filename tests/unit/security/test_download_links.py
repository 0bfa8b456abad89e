"""Signed links open what they name, until they expire, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.adapters.security import DerivedChallengeSecrets, KeyRing, SignedDownloadLinks
from src.application.ports.security import DownloadGrant
from src.domain.shared.errors import NotFound
from src.domain.shared.ids import ApiKeyId, ChallengeId, OrganizationId

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LINKS = SignedDownloadLinks(KeyRing(["a secret of this installation"]))
GRANT = DownloadGrant(
    organization_id=OrganizationId(UUID(int=1)),
    kind="attachment",
    file_id=UUID(int=2),
    issued_to=UUID(int=3),
    api_key_id=ApiKeyId(UUID(int=4)),
    expires_at=NOW + timedelta(hours=1),
)


@given(st.uuids(), st.uuids(), st.uuids(), st.sampled_from(["attachment", "export"]), st.integers(1, 10**9))
def test_a_link_says_again_what_it_was_made_for(org: UUID, file: UUID, user: UUID, kind: str, seconds: int) -> None:
    expires_at = NOW + timedelta(seconds=seconds)
    grant = DownloadGrant(
        organization_id=OrganizationId(org), kind=kind, file_id=file, issued_to=user, expires_at=expires_at
    )

    token = LINKS.token(grant)
    assert LINKS.read(token, NOW) == grant
    assert len(token) < 300


def test_a_link_ends_with_its_last_second() -> None:
    token = LINKS.token(GRANT)

    assert LINKS.read(token, GRANT.expires_at - timedelta(microseconds=1)) == GRANT
    with pytest.raises(NotFound):
        LINKS.read(token, GRANT.expires_at)


def test_no_character_of_a_link_can_be_changed() -> None:
    token = LINKS.token(GRANT)

    for at, was in enumerate(token):
        changed = token[:at] + ("B" if was == "A" else "A") + token[at + 1 :]
        with pytest.raises(NotFound):
            LINKS.read(changed, NOW)
    for other in (
        f"{token}=",
        f"{token[:-1]}{chr(ord(token[-1]) + 1)}",
    ):  # The last one carries bits that mean nothing.
        with pytest.raises(NotFound):
            LINKS.read(other, NOW)


@pytest.mark.parametrize("token", ["", "x", "=", "ä", "A" * 160, "A" * 10_000])
def test_what_is_no_link_is_refused(token: str) -> None:
    with pytest.raises(NotFound):
        LINKS.read(token, NOW)


def test_a_link_of_another_installation_or_of_another_purpose_is_refused() -> None:
    others = SignedDownloadLinks(KeyRing(["another secret"]))
    challenges = DerivedChallengeSecrets(KeyRing(["a secret of this installation"]))

    with pytest.raises(NotFound):
        LINKS.read(others.token(GRANT), NOW)
    with pytest.raises(NotFound):
        LINKS.read(challenges.link_token(ChallengeId(UUID(int=2)), GRANT.organization_id), NOW)


def test_a_link_outlives_a_change_of_the_secret_that_keeps_the_old_one() -> None:
    rotated = SignedDownloadLinks(KeyRing(["a new secret", "a secret of this installation"]))

    assert rotated.read(LINKS.token(GRANT), NOW) == GRANT
    with pytest.raises(NotFound):
        LINKS.read(rotated.token(replace(GRANT, file_id=UUID(int=9))), NOW)
