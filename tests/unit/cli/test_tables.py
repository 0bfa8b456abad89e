"""Tables keep what they are given: whole lines in a pipe, folded ones on a terminal, and nobody's control characters."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from src.entrypoints.cli.output import counted, print_table

ROOT = Path(__file__).parents[3]
LONG = "".join(f"{number:03}" for number in range(100))
COLUMNS = (("Name", "left"), ("Amount", "right"))


def test_in_a_pipe_nothing_is_cut_or_broken(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [(f"{LONG} and {LONG}", "1.00"), ("한빛정밀", "12345678901234567890.00")])

    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["Name", "Amount"]
    assert first.split() == [LONG, "and", LONG, "1.00"]
    assert second.split() == ["한빛정밀", "12345678901234567890.00"]


def test_what_others_wrote_is_shown_as_it_is_and_commands_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, [("[1] a [b]c[/b] \x1b[2J", "")])

    assert capsys.readouterr().out.splitlines()[1] == "[1] a [b]c[/b] \\u001b[2J"


def test_on_a_terminal_long_words_are_folded() -> None:
    program = (
        "from src.entrypoints.cli.output import print_table;"
        f"print_table({COLUMNS!r}, [({LONG!r}, '12345678901234567890.00')])"
    )
    reading, writing = pty.openpty()
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, stdout=writing, check=True)
    os.close(writing)
    shown = os.read(reading, 100_000).decode()
    os.close(reading)

    lines = shown.splitlines()[1:]
    assert all(len(line) <= 80 for line in lines)
    assert "12345678901234567890.00" in lines[0]
    assert "".join(line.split()[0] for line in lines if line.strip()) == LONG


def test_one_is_not_several() -> None:
    assert (counted(1, "file"), counted(0, "file"), counted(2, "entry", "entries")) == (
        "1 file",
        "0 files",
        "2 entries",
    )
