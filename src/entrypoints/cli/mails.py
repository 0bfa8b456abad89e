"""``proffer mail …``: the organisation's own words for mails to customers, and what mail servers report of mails."""

import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent
from typing import Annotated

from cyclopts import Parameter
from sqlalchemy.exc import SQLAlchemyError

from src.application.messaging.take_report import TakeDeliveryReport
from src.application.messaging.templates import (
    ChangeMailTemplate,
    ChangeMailTemplateCommand,
    CreateMailTemplate,
    CreateMailTemplateCommand,
    ListBuiltInTemplates,
    ListMailTemplates,
    PreviewMailTemplate,
    PreviewMailTemplateCommand,
    ResetMailTemplate,
)
from src.domain.identity.actor import MailGate
from src.domain.messaging.message import MessageNotFound, ReportTooEarly
from src.domain.messaging.report import LARGEST_REPORT, NoDeliveryReport
from src.domain.messaging.template import (
    TEMPLATE_VALUES,
    MailTemplate,
    MailTemplateNotFound,
    TemplateKind,
    TemplateTexts,
)
from src.entrypoints.cli.failures import TRY_AGAIN, USAGE, explain, fail
from src.entrypoints.cli.naming import quote_of
from src.entrypoints.cli.output import print_json, print_table
from src.entrypoints.cli.session import (
    As,
    CliSession,
    InstallationUnfit,
    Organization,
    cli_origin,
    installation,
    session_of,
)

Kind = Annotated[TemplateKind, Parameter(help="Which mail.")]
Language = Annotated[str, Parameter(help="The first part of a language tag, such as de.")]
Subject = Annotated[str | None, Parameter(help="The subject, as a template.")]
TextFile = Annotated[Path | None, Parameter(name="--text", help="File with the plain text, as a template.")]
HtmlFile = Annotated[
    Path | None, Parameter(name="--html", help="File with the HTML inside of our frame, as a template.")
]


async def list_templates(*, user: As, organization: Organization = None) -> int:
    """List the templates that the organisation has changed.

    Example: proffer mail list --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        found = await (await session.get(ListMailTemplates))(session.actor)
    columns = (("Mail", "left"), ("Language", "left"), ("Version", "right"), ("Subject", "left"), ("Fault", "left"))
    print_table(
        columns, [(one.kind.value, one.language, str(one.version), one.texts.subject, one.fault) for one in found]
    )
    return 0


async def show(
    kind: Kind,
    language: Language,
    *,
    user: As,
    organization: Organization = None,
    json: Annotated[bool, Parameter(help="Print JSON.", negative="")] = False,
) -> int:
    """Show the words of a mail, ours where the organisation has none, and the values that it may name.

    Example: proffer mail show offer de --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        texts = await _words(session, kind, language)
    values = dict(TEMPLATE_VALUES[kind])
    if json:
        print_json({"subject": texts.subject, "text": texts.text, "html": texts.html, "values": values})
        return 0
    _print_part("Subject", texts.subject)
    _print_part("Text", texts.text)
    _print_part("HTML", texts.html or "Made of the text.")
    print_table((("Value", "left"), ("What it is", "left")), list(values.items()))
    return 0


async def set_template(
    kind: Kind,
    language: Language,
    *,
    user: As,
    organization: Organization = None,
    subject: Subject = None,
    text: TextFile = None,
    html: HtmlFile = None,
) -> int:
    """Give a mail own words; what is not given stays as it is.

    Example: proffer mail set offer de --subject "Angebot {{ number }}" --text angebot.txt --as owner@nordlicht.example
    """
    if subject is None and text is None and html is None:
        return fail("say which words: --subject TEXT, --text FILE, --html FILE, or several of them.", USAGE)
    async with session_of(user, organization) as session:
        known = await _known(session, kind, language)
        texts = _texts(await _words(session, kind, language), subject, text, html)
        if known is None:
            command = CreateMailTemplateCommand(kind=kind, language=language, texts=texts)
            stored = await (await session.get(CreateMailTemplate))(session.actor, command)
        else:
            change = ChangeMailTemplateCommand(
                template_id=known.id,
                changes={"subject": texts.subject, "text": texts.text, "html": texts.html},
                expected_version=known.version,
            )
            stored = await (await session.get(ChangeMailTemplate))(session.actor, change)
    print(f"{stored.kind.value} in {stored.language} has your words, version {stored.version}.")
    return 0


async def reset(kind: Kind, language: Language, *, user: As, organization: Organization = None) -> int:
    """Our own words again.

    Example: proffer mail reset offer de --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        known = await _known(session, kind, language)
        if known is None:
            raise MailTemplateNotFound("The organisation has no such template.")
        await (await session.get(ResetMailTemplate))(session.actor, known.id, known.version)
    print(f"{kind.value} in {language} has our words again.")
    return 0


async def preview(
    kind: Kind,
    language: Language,
    *,
    user: As,
    organization: Organization = None,
    subject: Subject = None,
    text: TextFile = None,
    html: HtmlFile = None,
    quote: Annotated[str | None, Parameter(help="With the values of this quote, by its number.")] = None,
    json: Annotated[bool, Parameter(help="Print JSON, with the HTML.", negative="")] = False,
) -> int:
    """Show what a mail would say, with sample values or a quote's; nothing is stored.

    Example: proffer mail preview offer de --text angebot.txt --as owner@nordlicht.example
    """
    async with session_of(user, organization) as session:
        command = PreviewMailTemplateCommand(
            kind=kind,
            language=language,
            texts=_texts(await _words(session, kind, language), subject, text, html),
            quote_id=None if quote is None else (await quote_of(session, quote)).id,
        )
        composed = await (await session.get(PreviewMailTemplate))(session.actor, command)
    if json:
        print_json({"subject": composed.subject, "text": composed.text, "html": composed.html})
    else:
        print(f"{composed.subject}\n\n{composed.text}")
    return 0


async def report(
    files: Annotated[
        tuple[Path, ...], Parameter(help="Reports, a mail each; without any, one on standard input.")
    ] = (),
    /,
    *,
    ignore_others: Annotated[
        bool, Parameter(help="What is no report, or about no mail of ours, counts as done.", negative="")
    ] = False,
) -> int:
    """Take in delivery reports (RFC 3464) of whatever organisation, as a mail server pipes them: exit code 75 asks it to
    come back later. Of each the first MiB is read, for what was returned comes last.

    Example: proffer mail report < bounce.eml
    """
    given = [(str(path), _head(path)) for path in files] or [("report", sys.stdin.buffer.read(LARGEST_REPORT))]
    try:
        return await _take(given, ignore_others=ignore_others)
    except (OSError, SQLAlchemyError) as error:
        return fail(f"the database cannot be reached: {type(error).__name__}.", TRY_AGAIN)
    except InstallationUnfit as error:  # Not the report's fault: it must not be lost for it.
        return fail(error.message, TRY_AGAIN)


async def _take(given: Sequence[tuple[str, bytes]], *, ignore_others: bool) -> int:
    """Each for itself; the exit code of the worst, and one that asks to come back before all others."""
    codes = {0}
    async with installation() as container:
        take = await container.get(TakeDeliveryReport)
        for name, content in given:
            try:
                taken = await take(MailGate(name="command line", origin=cli_origin()), content)
            except ReportTooEarly as error:
                codes.add(fail(f"{name}: {error.message}", TRY_AGAIN))
            except (NoDeliveryReport, MessageNotFound) as error:
                print(f"{name}: ", end="", file=sys.stderr)
                codes.add(explain(error) * (not ignore_others))
            else:
                now = "is" if taken.changed else "was already"
                print(f"{name}: {taken.action.value}; message {taken.message_id} {now} {taken.status.value}.")
    return max(codes)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_REPORT)


def _print_part(title: str, words: str) -> None:
    print(f"{title}:\n\n{indent(words.strip(), '    ')}\n")


def _texts(known: TemplateTexts, subject: str | None, text: Path | None, html: Path | None) -> TemplateTexts:
    """HTML that was not given is made of a text that was: two that say different things help nobody."""
    given_html = "" if html is None else html.read_text(encoding="utf-8")
    return TemplateTexts(
        subject=known.subject if subject is None else subject,
        text=known.text if text is None else text.read_text(encoding="utf-8"),
        html=known.html if text is None and html is None else given_html,
    )


async def _known(session: CliSession, kind: TemplateKind, language: str) -> MailTemplate | None:
    found = await (await session.get(ListMailTemplates))(session.actor)
    return next((one for one in found if (one.kind, one.language) == (kind, language)), None)


async def _words(session: CliSession, kind: TemplateKind, language: str) -> TemplateTexts:
    known = await _known(session, kind, language)
    if known is not None:
        return known.texts
    built_in = await (await session.get(ListBuiltInTemplates))(session.actor)
    ours = {(one.kind, one.language): one.texts for one in built_in}
    return ours.get((kind, language), ours[kind, "en"])
