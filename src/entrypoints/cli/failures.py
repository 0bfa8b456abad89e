"""How the command line says what went wrong."""

import sys
from datetime import date, datetime
from typing import Final
from uuid import UUID

from cyclopts import Argument, CoercionError, CycloptsError, MissingArgumentError, UnusedCliTokensError

from src.domain.shared.errors import DomainError, Invalid, NotFound

REFUSED, USAGE, INVALID, NOT_FOUND, BROKEN_CHAIN = 1, 2, 3, 4, 5
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: mail servers keep the mail and come back with it.
_WANTED: Final[dict[type, str]] = {
    UUID: "id such as 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b",
    date: "date such as 2026-11-21",
    datetime: "time such as 2026-11-21 or 2026-11-21T09:30",
    int: "whole number",
}


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


def misused(error: CycloptsError) -> int:
    """Print what is wrong with the words of the command, and what would be right; the exit code of wrong usage."""
    command = " ".join(("proffer", *(error.command_chain or ())))
    return fail(f"{_misuse(error)} `{command} --help` tells more.", USAGE)


def _misuse(error: CycloptsError) -> str:
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        given = error.keyword is not None or error.argument.tokens
        return f"{_name(error.argument)} {'needs a value' if given else 'is missing'}{_meaning(error.argument)}"
    wanted = _WANTED.get(error.target_type or str) if isinstance(error, CoercionError) else None
    if isinstance(error, CoercionError) and error.argument is not None and error.token is not None and wanted:
        return f'{_name(error.argument)}: "{error.token.value}" is no {wanted}.'
    if isinstance(error, UnusedCliTokensError) and error.unused_tokens:
        return f'"{error.unused_tokens[0]}" is one word too many.'
    return str(error)


def _name(argument: Argument) -> str:
    return argument.name if argument.index is None else argument.name.lstrip("-").upper()


def _meaning(argument: Argument) -> str:
    told = (argument.parameter.help or "").rstrip(".")
    if not told:
        return "."
    variable = next(iter(argument.parameter.env_var or ()), None)
    other = "" if variable is None else f"; {variable} can say it as well"
    return f": {told[0].lower()}{told[1:]}{other}."
