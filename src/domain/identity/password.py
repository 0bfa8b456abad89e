"""What a password must be: long enough, and none that everybody tries first (OWASP; ASVS 6.2)."""

from collections.abc import Iterable

from src.domain.shared.errors import invalid_field

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 1024
_SHORTEST_WORD = 4


def check_password(password: str, *, common: Iterable[str] = (), context: Iterable[str] = ()) -> None:
    """Length, no composition rules; none of the *common* ones, and not one of the *context*'s words with a few characters.

    It is kept exactly as typed. Raises Invalid (field ``password``).
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise invalid_field("password", f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    folded = password.casefold()
    if folded in common:
        raise invalid_field("password", "This is one of the passwords that are tried first; take another one.")
    for word in context:
        rest = folded.replace(word.casefold(), "") if len(word) >= _SHORTEST_WORD else folded
        if len(rest) < SHORTEST_PASSWORD // 2:
            raise invalid_field("password", "This is hardly more than your name, e-mail or organisation; take another.")
