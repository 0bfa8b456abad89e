"""Commands of the command line, each a process of its own, forked from one that has loaded everything: hundreds cost little.

Every line on standard input is a command as JSON, ``Command`` below; it is answered with the exit code.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
import traceback
from typing import NoReturn, TypedDict

import src.entrypoints.cli as commands
from src.entrypoints.cli.app import main

_PATIENCE = 120  # Seconds, after which a command is killed.


class Command(TypedDict):
    """*streams* are files: standard input, output and errors."""

    arguments: list[str]
    environment: dict[str, str]
    streams: list[str]


def run(command: Command) -> NoReturn:
    """As ``python -m src.entrypoints.cli`` would, from its start to its end."""
    signal.alarm(_PATIENCE)
    os.environ.clear()
    os.environ.update(command["environment"])
    for number, path in enumerate(command["streams"]):
        os.dup2(os.open(path, os.O_WRONLY if number else os.O_RDONLY), number)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout, sys.stderr = os.fdopen(1, "w", encoding="utf-8"), os.fdopen(2, "w", encoding="utf-8")
    sys.argv = ["proffer", *command["arguments"]]
    code: int | str | None = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:  # noqa: BLE001 — what Python would do at its end.
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        sys.stderr.write(f"{code}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)


if __name__ == "__main__":
    for module in pkgutil.iter_modules(commands.__path__):
        if module.name != "__main__":
            importlib.import_module(f"{commands.__name__}.{module.name}")
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            run(json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])}\n")
        sys.stdout.flush()
