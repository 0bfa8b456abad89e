"""The ``proffer`` command line: the same use cases as over HTTP.

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 invalid input · 4 nothing found · 5 the audit chain is broken.
"""

import sys
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App

from src.domain.shared.errors import DomainError
from src.entrypoints.cli.failures import explain
from src.entrypoints.cli.price import price


def _version() -> str:
    try:
        return version("proffer")
    except PackageNotFoundError:  # Run from a checkout that is not installed.
        return "0"


HELP = """Offers that are priced exactly, agreed on, sent and provable.

Configuration comes from PROFFER_… variables; docs/configuration.md lists them. Commands that act inside an
organisation say as whom: --as EMAIL, or PROFFER_USER.
"""

app = App(name="proffer", help=HELP, version=_version)
quote = App(name="quote", help="Price, list and export offers.")
audit = App(name="audit", help="Read the audit chain and prove it.")
app.command(quote)
app.command(audit)
quote.command(price)

# By name, because they need the web or the database: pricing a file must not pay for loading these.
app.command("src.entrypoints.cli.run:up", name="up")
app.command("src.entrypoints.cli.run:serve", name="serve")
app.command("src.entrypoints.cli.run:worker", name="worker")
app.command("src.entrypoints.cli.run:migrate", name="migrate")
app.command("src.entrypoints.cli.run:demo", name="demo")
quote.command("src.entrypoints.cli.quotes:list_quotes", name="list")
quote.command("src.entrypoints.cli.quotes:export_quotes", name="export")
audit.command("src.entrypoints.cli.audit:list_entries", name="list")
audit.command("src.entrypoints.cli.audit:verify", name="verify")


def main() -> None:
    """Run the command line; every failure is a sentence and an exit code, never a stack trace."""
    try:
        result = app()
    except KeyboardInterrupt:
        sys.exit(130)
    except DomainError as error:
        sys.exit(explain(error))
    sys.exit(result if isinstance(result, int) else 0)
