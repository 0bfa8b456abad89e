"""The ``proffer`` command line: the same use cases as over HTTP.

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 invalid input · 4 nothing found · 5 the audit chain is broken ·
75 not now (mail reports).
"""

import os
import signal
import sys
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError, Parameter

from src.domain.shared.errors import DomainError
from src.entrypoints.cli.failures import INVALID, explain, fail, misused
from src.entrypoints.cli.price import price


def _version() -> str:
    try:
        return version("proffer")
    except PackageNotFoundError:  # Run from a checkout that is not installed.
        return "0"


HELP = """Offers that are priced exactly, agreed on, sent and provable.

Configuration comes from PROFFER_… variables; docs/configuration.md lists them. Commands that act inside an
organisation say as whom: --as EMAIL, or PROFFER_USER.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 invalid input, 4 nothing found, 5 the audit chain is broken.
"""


def _default(value: object) -> str | None:
    """A default as help shows it: nothing for an empty one and for flags."""
    if value is None or isinstance(value, bool) or value in ("", [], ()):
        return None
    return value.value.replace("_", "-") if isinstance(value, StrEnum) else str(value)


app = App(
    name="proffer",
    help=HELP,
    version=_version,
    default_parameter=Parameter(negative_iterable=(), show_default=_default),
)
quote = App(name="quote", help="Price, list and export offers.")
audit = App(name="audit", help="Read the audit chain and prove it.")
catalog = App(name="catalog", help="Import products and prices, find them, ask what they cost.")
user = App(name="user", help="Invite people, give them roles, lock them out.")
organization = App(name="organization", help="Make, list, suspend and restore organisations.")
export = App(name="export", help="Write quotes, their lines, customers, products and a summary into files.")
job = App(name="job", help="See what is under way and what has failed, try again, give up.")
mail = App(name="mail", help="Your own words for mails to customers: show, set, preview, reset; and delivery reports.")
approval = App(name="approval", help="See what waits for whom, what a quote would need, and decide.")
attachment = App(
    name="attachment", help="Add files to quotes, customers and approval requests, list, fetch and delete them."
)
operator = App(name="operator", help="Keys for platform operators.")
app.command(quote)
app.command(catalog)
app.command(export)
app.command(audit)
app.command(user)
app.command(organization)
app.command(operator)
app.command(job)
app.command(approval)
app.command(mail)
app.command(attachment)
quote.command(price)

# By name and with its first sentence, because they need the web or the database: pricing a file must not pay for loading these.
app.command(
    "src.entrypoints.cli.run:up",
    name="up",
    help="Start everything on this machine: database, demonstration data, API and worker.\n\nA second start is quick and keeps the data. PROFFER_PORT chooses the port; Ctrl-C stops everything.",
)
app.command("src.entrypoints.cli.run:serve", name="serve", help="Serve the API, with a worker unless --no-worker.")
app.command("src.entrypoints.cli.run:worker", name="worker", help="Run jobs: PDFs and mails of sent quotes.")
app.command(
    "src.entrypoints.cli.run:migrate",
    name="migrate",
    help="Make the database's roles and schema, or bring them up to date.",
)
app.command(
    "src.entrypoints.cli.run:demo", name="demo", help="Make the demonstration organisation, unless it is there."
)
quote.command(
    "src.entrypoints.cli.quotes:list_quotes",
    name="list",
    help="List quotes, newest first.\n\nExample: proffer quote list --as sales@nordlicht.example --status sent",
)
quote.command(
    "src.entrypoints.cli.exports:quotes",
    name="export",
    help="Export quotes, as `proffer export quotes` does.\n\nExample: proffer quote export offers.xlsx --as sales@nordlicht.example",
)
quote.command(
    "src.entrypoints.cli.quotes:timeline",
    name="timeline",
    help="Show everything that happened to a quote.\n\nExample: proffer quote timeline Q-2026-000001 --as sales@nordlicht.example --changes",
)
quote.command(
    "src.entrypoints.cli.quotes:diff",
    name="diff",
    help="Show what one revision says otherwise than another.\n\nExample: proffer quote diff Q-2026-000001 1 2 --as sales@nordlicht.example",
)
quote.command(
    "src.entrypoints.cli.quotes:resend",
    name="resend",
    help="Mail a sent offer once more.\n\nExample: proffer quote resend Q-2026-000001 --as sales@nordlicht.example",
)
quote.command(
    "src.entrypoints.cli.quotes:deliveries",
    name="deliveries",
    help="Show what became of a quote's mails.\n\nExample: proffer quote deliveries Q-2026-000001 --as sales@nordlicht.example",
)
catalog.command(
    "src.entrypoints.cli.catalog:import_file",
    name="import",
    help="Import products, prices, exchange rates, customers or contacts from CSV or XLSX.\n\nWhat is known already is changed, all else is added; exit code 3 when rows are refused. Interrupted with --mode skip-bad-rows, the same command goes on.\n\nExample: proffer catalog import products examples/catalogue/products.csv --as owner@nordlicht.example",
)
catalog.command(
    "src.entrypoints.cli.catalog:search",
    name="search",
    help="Find products.\n\nExample: proffer catalog search desk --as sales@nordlicht.example",
)
catalog.command(
    "src.entrypoints.cli.catalog:ask",
    name="price",
    help="Say what a product costs a customer, and why no other price won.\n\nExample: proffer catalog price DESK-180 --quantity 25 --as sales@nordlicht.example",
)
catalog.command(
    "src.entrypoints.cli.catalog:add_price_list",
    name="add-price-list",
    help='Add a price list.\n\nExample: proffer catalog add-price-list "Volume" --as owner@nordlicht.example',
)
catalog.command(
    "src.entrypoints.cli.catalog:add_tax_rate",
    name="add-tax-rate",
    help="Add a tax rate.\n\nExample: proffer catalog add-tax-rate VAT-STANDARD 19 --as owner@nordlicht.example",
)
audit.command(
    "src.entrypoints.cli.audit:list_entries",
    name="list",
    help="List audit entries, newest first.\n\nExample: proffer audit list --as owner@nordlicht.example --action quote.sent",
)
audit.command(
    "src.entrypoints.cli.audit:export",
    name="export",
    help="Export audit entries to JSON Lines, CSV or XLSX.\n\nExample: proffer audit export audit.jsonl --as owner@nordlicht.example",
)
audit.command(
    "src.entrypoints.cli.audit:verify",
    name="verify",
    help="Replay the audit chain, of all organisations or one; exit code 5 when it is broken.\n\nWith --head it must go through heads that were kept elsewhere. With --checkpoint it goes on where it ended the last time. With --archive, for one organisation: first what retention has removed, then the rest.\n\nExample: proffer audit verify --head heads.jsonl --checkpoint proven.jsonl",
)
audit.command(
    "src.entrypoints.cli.audit:retain",
    name="retain",
    help="Remove what is older than so many months, archived and signed; a dry run without --apply.\n\nNothing goes that no kept head covers; what goes is archived as JSON Lines and proven, and the rest verifies from a signed anchor.\n\nExample: proffer audit retain --months 120 --archive archive/ --apply",
)
audit.command(
    "src.entrypoints.cli.audit:sign",
    name="sign",
    help="Sign the chains' heads now, keep and print them.\n\nExample: proffer audit sign > heads.jsonl",
)
audit.command(
    "src.entrypoints.cli.audit:keys",
    name="keys",
    help="Print the public keys that heads are signed with.\n\nExample: proffer audit keys",
)

_EXPORTS = "src.entrypoints.cli.exports"
for name, text in (
    (
        "quotes",
        "Export quotes with their totals.\n\nExample: proffer export quotes offers.xlsx --as sales@nordlicht.example",
    ),
    (
        "lines",
        "Export the lines of quotes.\n\nExample: proffer export lines lines.csv --as sales@nordlicht.example --status sent",
    ),
    (
        "summary",
        "Write a report on quotes as PDF.\n\nExample: proffer export summary year.pdf --as sales@nordlicht.example",
    ),
    (
        "customers",
        "Export customers.\n\nExample: proffer export customers customers.xlsx --as sales@nordlicht.example",
    ),
    (
        "products",
        "Export products.\n\nExample: proffer export products products.jsonl --as owner@nordlicht.example",
    ),
):
    export.command(f"{_EXPORTS}:{name}", name=name, help=text)
for function, name, text in (
    (
        "list_approvals",
        "list",
        "List approval requests, or with --waiting your inbox.\n\nExample: proffer approval list --waiting --as approver@nordlicht.example",
    ),
    (
        "show",
        "show",
        "Show one request with its steps.\n\nExample: proffer approval show ID --as approver@nordlicht.example",
    ),
    (
        "approve",
        "approve",
        "Agree to what was submitted.\n\nExample: proffer approval approve ID --as approver@nordlicht.example",
    ),
    (
        "reject",
        "reject",
        "Refuse what was submitted.\n\nExample: proffer approval reject ID --reason TEXT --as approver@nordlicht.example",
    ),
    (
        "preview",
        "preview",
        "Show what submitting a quote would ask for.\n\nExample: proffer approval preview Q-2026-000001 --as sales@nordlicht.example",
    ),
):
    approval.command(f"src.entrypoints.cli.approvals:{function}", name=name, help=text)
for function, name, text in (
    (
        "list_jobs",
        "list",
        "List jobs, newest first.\n\nExample: proffer job list --state failed --as owner@nordlicht.example",
    ),
    (
        "show",
        "show",
        "Show one job, with how far it has got.\n\nExample: proffer job show ID --as owner@nordlicht.example",
    ),
    ("retry", "retry", "Try a failed job again.\n\nExample: proffer job retry ID --as owner@nordlicht.example"),
    ("cancel", "cancel", "Give a job up.\n\nExample: proffer job cancel ID --as owner@nordlicht.example"),
):
    job.command(f"src.entrypoints.cli.jobs:{function}", name=name, help=text)

for function, name, text in (
    (
        "list_templates",
        "list",
        "List the templates that the organisation has changed.\n\nExample: proffer mail list --as owner@nordlicht.example",
    ),
    (
        "show",
        "show",
        "Show the words of a mail, and the values that it may name.\n\nExample: proffer mail show offer de --as owner@nordlicht.example",
    ),
    (
        "set_template",
        "set",
        'Give a mail own words.\n\nExample: proffer mail set offer de --subject "Angebot {{ number }}" --text angebot.txt --as owner@nordlicht.example',
    ),
    (
        "report",
        "report",
        "Take in what other mail servers report of our mails.\n\nExample: proffer mail report < bounce.eml",
    ),
    ("reset", "reset", "Our own words again.\n\nExample: proffer mail reset offer de --as owner@nordlicht.example"),
    (
        "preview",
        "preview",
        "Show what a mail would say; nothing is stored.\n\nExample: proffer mail preview offer de --text angebot.txt --as owner@nordlicht.example",
    ),
):
    mail.command(f"src.entrypoints.cli.mails:{function}", name=name, help=text)
for function, name, text in (
    (
        "add",
        "add",
        "Add a file to a quote, a customer or an approval request.\n\nExample: proffer attachment add drawing.pdf --quote Q-2026-000001 --as sales@nordlicht.example",
    ),
    (
        "list_attachments",
        "list",
        "List the files of a quote, a customer or an approval request.\n\nExample: proffer attachment list --quote Q-2026-000001 --as sales@nordlicht.example",
    ),
    (
        "get",
        "get",
        "Download a file.\n\nExample: proffer attachment get ID drawing.pdf --as sales@nordlicht.example",
    ),
    (
        "remove",
        "remove",
        "Delete a file for good.\n\nExample: proffer attachment remove ID --as sales@nordlicht.example",
    ),
):
    attachment.command(f"src.entrypoints.cli.attachments:{function}", name=name, help=text)

_PEOPLE = "src.entrypoints.cli.people"
for group, function, name, text in (
    (
        user,
        "list_users",
        "list",
        "List the people of the organisation.\n\nExample: proffer user list --as owner@nordlicht.example",
    ),
    (
        user,
        "invite",
        "invite",
        'Invite somebody by e-mail.\n\nExample: proffer user invite ann@example.com "Ann Lee" sales --as owner@nordlicht.example',
    ),
    (
        user,
        "set_role",
        "set-role",
        "Give somebody another role.\n\nExample: proffer user set-role sales@nordlicht.example viewer --as owner@nordlicht.example",
    ),
    (
        user,
        "deactivate",
        "deactivate",
        "Lock somebody out, at once.\n\nExample: proffer user deactivate sales@nordlicht.example --as owner@nordlicht.example",
    ),
    (
        user,
        "reactivate",
        "reactivate",
        "Let somebody in again.\n\nExample: proffer user reactivate sales@nordlicht.example --as owner@nordlicht.example",
    ),
    (organization, "list_organizations", "list", "List all organisations.\n\nExample: proffer organization list"),
    (
        organization,
        "create_organization",
        "create",
        'Make an organisation with its first owner.\n\nExample: proffer organization create fjord "Fjord AS" --owner-email ida@fjord.example --owner-name "Ida Holm" --country NO --currency NOK',
    ),
    (
        organization,
        "suspend_organization",
        "suspend",
        'Lock everybody of an organisation out.\n\nExample: proffer organization suspend nordlicht "Unpaid since March"',
    ),
    (
        organization,
        "restore_organization",
        "restore",
        "Let a suspended organisation in again.\n\nExample: proffer organization restore nordlicht",
    ),
    (
        organization,
        "verify_domains",
        "verify-domains",
        "Say which e-mail domains are the organisation's.\n\nExample: proffer organization verify-domains nordlicht nordlicht.example",
    ),
    (operator, "add_operator_key", "add-key", "Make a key for /platform/v1.\n\nExample: proffer operator add-key olga"),
    (
        operator,
        "revoke_operator_keys",
        "revoke",
        "End all keys of an operator.\n\nExample: proffer operator revoke olga",
    ),
):
    group.command(f"{_PEOPLE}:{function}", name=name, help=text)


def main() -> None:
    """Run the command line; every failure is a sentence and an exit code, never a stack trace."""
    try:
        result = app(exit_on_error=False, print_error=False)
        sys.stdout.flush()  # Here, where it can still be told that there is no room for it.
    except KeyboardInterrupt:
        sys.exit(130)
    except CycloptsError as error:
        sys.exit(misused(error))
    except DomainError as error:
        sys.exit(explain(error))
    except BrokenPipeError:  # Whoever reads has seen enough; what is left has nowhere to go, also when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
    except UnicodeDecodeError:
        sys.exit(fail("what was given to read is no UTF-8 text.", INVALID))
    except OSError as error:
        where = "" if error.filename is None else f"{error.filename}: "
        sys.exit(fail(f"{where}{error.strerror or error}.", INVALID))
    sys.exit(result if isinstance(result, int) else 0)
