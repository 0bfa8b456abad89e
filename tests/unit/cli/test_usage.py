"""Wrong usage: one sentence that says what is missing or wanted, on standard error, with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("quote list", "--as is missing: e-mail of the user to act as; PROFFER_USER can say it as well."),
        ("quote list --as", "--as needs a value: e-mail of the user to act as; PROFFER_USER can say it as well."),
        ("quote timeline --as a@b", "NUMBER is missing: the quote's number, such as Q-2026-000123."),
        ("approval reject 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b --as a@b", "--reason is missing: why; the submitter"),
        ("user invite a@b Ann --as a@b", "ROLE is missing: what they may do; docs/permissions.md lists it."),
        ("job show 5 --as a@b", 'JOB-ID: "5" is no id such as 01a1fd39-1c1f-77f9-a1a7-e202bf4fda5b.'),
        ("audit list --as a@b --since yesterday", '"yesterday" is no time such as 2026-11-21 or 2026-11-21T09:30.'),
        ("export quotes x.csv --as a@b --start-date 1.2.2026", '"1.2.2026" is no date such as 2026-11-21.'),
        ("quote list --as a@b --limit many", '--limit: "many" is no whole number.'),
        ("job list --as a@b --limit 0", 'Invalid value "0" for --limit. Must be >= 1.'),
        ("quote list --as a@b --limit 101", 'Invalid value "101" for --limit. Must be <= 100.'),
        ("quote list --as a@b --status nix", 'Invalid value "nix" for --status. Choose from: "draft", '),
        ("quote list --as a@b --staus draft", "Unknown option: --staus. Did you mean --status?"),
        ("quote lst", 'Unknown command "lst". Did you mean "list"?'),
        ("quote list draft --as a@b", '"draft" is one word too many.'),
    ],
)
def test_wrong_usage_is_told_in_one_line(line: str, told: str) -> None:
    code, output, errors = _run(*line.split())

    command = " ".join(word for word in line.split()[:2] if word.isalpha() and word != "lst")
    assert (code, output) == (2, "")
    assert told in errors
    assert errors.startswith("proffer: ")
    assert errors.endswith(f" `proffer {command} --help` tells more.\n")
    assert len(errors.splitlines()) == 1


def _run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PROFFER_")}
    done = subprocess.run(
        [sys.executable, "-m", "src.entrypoints.cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
