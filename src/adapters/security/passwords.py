"""argon2id, with the parameters of OWASP's password sheet, in threads of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from src.application.ports.security import PasswordHasher

MEMORY_KIB: Final = 19 * 1024
ROUNDS: Final = 2
LANES: Final = 1
_AT_ONCE: Final = 2  # Each takes its memory: a flood of logins must not take all of it.


class Argon2Hasher(PasswordHasher):
    """Weaker parameters are for tests alone."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, rounds: int = ROUNDS) -> None:
        self._argon2 = Argon2(time_cost=rounds, memory_cost=memory_kib, parallelism=LANES)
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        # What a wrong e-mail is checked against, so that it takes as long as a wrong password.
        self._nobody = self._argon2.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._argon2.hash, password)

    async def verify(self, password: str, password_hash: str | None) -> bool:
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(self._threads, self._matches, password, password_hash or self._nobody)
        return matches and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        return self._argon2.check_needs_rehash(password_hash)

    def _matches(self, password: str, password_hash: str) -> bool:
        try:
            return self._argon2.verify(password_hash, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
