"""Passwords, tokens, keys and codes."""

from src.adapters.security.challenges import DerivedChallengeSecrets
from src.adapters.security.common_passwords import ListedPasswords
from src.adapters.security.download_links import SignedDownloadLinks
from src.adapters.security.envelopes import SignedEnvelopes
from src.adapters.security.keys import KeyRing
from src.adapters.security.one_time_codes import TotpCodes
from src.adapters.security.passwords import Argon2Hasher
from src.adapters.security.tokens import JwtIssuer
from src.adapters.security.vault import SystemVault

__all__ = [
    "Argon2Hasher",
    "DerivedChallengeSecrets",
    "JwtIssuer",
    "KeyRing",
    "ListedPasswords",
    "SignedDownloadLinks",
    "SignedEnvelopes",
    "SystemVault",
    "TotpCodes",
]
