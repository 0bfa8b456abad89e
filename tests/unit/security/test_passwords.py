"""Passwords: argon2id, and nothing that tells who exists."""

import pytest

from src.adapters.security import Argon2Hasher
from src.adapters.security.passwords import MEMORY_KIB, ROUNDS
from src.domain.identity.password import check_password
from src.domain.shared.errors import Invalid


@pytest.mark.asyncio
async def test_a_password_matches_its_own_hash_only() -> None:
    hasher = Argon2Hasher(memory_kib=8, rounds=1)
    first, second = await hasher.hash("correct horse"), await hasher.hash("correct horse")

    assert first != second
    assert first.startswith("$argon2id$")
    assert await hasher.verify("correct horse", first)
    assert not await hasher.verify("Correct horse", first)
    assert not await hasher.verify("correct horse", "no hash")


@pytest.mark.asyncio
async def test_nobody_is_never_logged_in_even_with_the_stand_ins_password() -> None:
    assert not await Argon2Hasher(memory_kib=8, rounds=1).verify("nobody has this password", None)


@pytest.mark.asyncio
async def test_the_usual_parameters_are_those_of_owasp() -> None:
    assert (MEMORY_KIB, ROUNDS) == (19456, 2)
    assert "$m=19456,t=2,p=1$" in await Argon2Hasher().hash("correct horse")


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1025])
def test_too_short_and_too_long_are_refused(password: str) -> None:
    with pytest.raises(Invalid):
        check_password(password)
