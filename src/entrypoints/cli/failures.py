"""How the command line says what went wrong."""

import sys

from src.domain.shared.errors import DomainError, Invalid, NotFound

REFUSED, USAGE, INVALID, NOT_FOUND, BROKEN_CHAIN = 1, 2, 3, 4, 5
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: mail servers keep the mail and come back with it.


def explain(error: DomainError) -> int:
    """Print *error* on standard error; the exit code that belongs to it."""
    fields = error.fields if isinstance(error, Invalid) else ()
    if not fields:
        print(f"proffer: {error.message}", file=sys.stderr)
    for field in fields:
        print(f"proffer: {field.field}: {field.message}", file=sys.stderr)
    if isinstance(error, Invalid):
        return INVALID
    return NOT_FOUND if isinstance(error, NotFound) else REFUSED


def fail(message: str, code: int = REFUSED) -> int:
    """Print *message* on standard error; *code*."""
    print(f"proffer: {message}", file=sys.stderr)
    return code
