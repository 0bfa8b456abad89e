"""Passwords and tokens."""

from src.adapters.security.passwords import Argon2Hasher
from src.adapters.security.tokens import JwtIssuer

__all__ = ["Argon2Hasher", "JwtIssuer"]
