"""Codes of authenticator apps, by pyotp."""

from datetime import datetime
from typing import Final

import pyotp

from src.application.ports.security import OneTimeCodes

_STEP: Final = 30  # Seconds, as every app has it.
_DIGITS: Final = 6


class TotpCodes(OneTimeCodes):
    """SHA-1, six digits, thirty seconds: what authenticator apps understand."""

    def new_secret(self) -> str:
        return pyotp.random_base32()

    def address(self, secret: str, *, account: str, issuer: str) -> str:
        return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)

    def step_of(self, secret: str, code: str, at: datetime) -> int | None:
        told = "".join(code.split())
        if len(told) != _DIGITS or not (told.isascii() and told.isdigit()):
            return None
        now, totp = int(at.timestamp()) // _STEP, pyotp.TOTP(secret)
        return next(
            (step for step in (now, now - 1, now + 1) if pyotp.utils.strings_equal(totp.generate_otp(step), told)), None
        )
