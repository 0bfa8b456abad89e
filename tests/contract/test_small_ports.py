"""Time, ids, passwords, tokens, accounts, letters and spreadsheets: each port's promises, kept by each adapter."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import RFC_4122, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.memory.directories import MemoryAccountDirectory
from src.adapters.memory.spreadsheets import MemorySpreadsheets
from src.adapters.memory.system import MemoryTokens, PlainPasswords, SequentialIds, TickingClock
from src.adapters.memory.templates import PlainMailTemplates
from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.postgres.directories import PostgresAccountDirectory
from src.adapters.security import Argon2Hasher, JwtIssuer, KeyRing
from src.adapters.smtp import JinjaMailTemplates
from src.adapters.spreadsheets import FileSpreadsheets
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.ports.clock import Clock, IdFactory
from src.application.ports.documents import Cell, Column, ColumnKind, SpreadsheetFormat, SpreadsheetWriter
from src.application.ports.identity import AccountDirectory
from src.application.ports.mail import MailTemplates, ReminderMail
from src.application.ports.security import Claims, PasswordHasher, TokenIssuer, TokenRefused
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from src.domain.shared.ids import OrganizationId, SessionId, UserId
from tests.builders.documents import a_quote_document
from tests.organizations import new_organization

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RING = KeyRing(["a secret key that is long enough for a test"])


@pytest.mark.parametrize("clock", [SystemClock(), TickingClock()], ids=["system", "memory"])
def test_a_clock_tells_utc_and_never_goes_back(clock: Clock) -> None:
    times = [clock.now() for _ in range(100)]

    assert times == sorted(times)
    assert {time.utcoffset() for time in times} == {timedelta(0)}


@pytest.mark.parametrize("ids", [Uuid7Ids(), SequentialIds()], ids=["system", "memory"])
def test_ids_are_distinct_rise_and_are_of_version_7(ids: IdFactory) -> None:
    made = [ids.new() for _ in range(1000)]

    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, RFC_4122)}


@pytest.mark.asyncio
@pytest.mark.parametrize("hasher", [Argon2Hasher(memory_kib=8, rounds=1), PlainPasswords()], ids=["argon2", "memory"])
async def test_a_password_is_known_again_and_nobody_has_none(hasher: PasswordHasher) -> None:
    kept = await hasher.hash("correct horse")

    assert await hasher.verify("correct horse", kept)
    assert not await hasher.verify("wrong horse", kept)
    assert not await hasher.verify("correct horse", None)


@pytest.mark.parametrize("issuer", [JwtIssuer(RING, Uuid7Ids()), MemoryTokens()], ids=["jwt", "memory"])
def test_a_token_tells_what_it_was_issued_for_until_it_ends(issuer: TokenIssuer) -> None:
    claims = Claims(
        user_id=UserId(uuid4()),
        email="ann@example.com",
        name="Ann",
        organization_id=OrganizationId(uuid4()),
        role=Role.SALES,
        session_id=SessionId(uuid4()),
        expires_at=NOW + timedelta(minutes=15),
    )

    token = issuer.issue(claims, at=NOW)

    assert issuer.read(token, at=NOW) == claims
    assert issuer.issue(replace(claims, role=Role.OWNER), at=NOW) != token
    for forged, at in ((token, NOW + timedelta(minutes=16)), (f"{token}x", NOW), ("", NOW)):
        with pytest.raises(TokenRefused):
            issuer.read(forged, at=at)


@pytest.fixture(params=["memory", "postgres"])
def accounts(request: pytest.FixtureRequest) -> tuple[OpenUnitOfWork, AccountDirectory]:
    """A store, and the directory of who may log in to it."""
    if request.param == "memory":
        store = MemoryStore()
        return OpenMemoryUnitOfWork(store), MemoryAccountDirectory(store, SystemClock())
    engine: AsyncEngine = request.getfixturevalue("app_engine")
    return request.getfixturevalue("open_postgres"), PostgresAccountDirectory(engine)


@pytest.mark.asyncio
async def test_the_directory_finds_an_account_by_its_exact_e_mail(
    accounts: tuple[OpenUnitOfWork, AccountDirectory],
) -> None:
    open_uow, directory = accounts
    made = await new_organization(open_uow)
    sales = made.users[Role.SALES]

    (account,) = await directory.find(sales.email)

    assert (account.user_id, account.organization_id, account.role) == (sales.id, made.organization.id, Role.SALES)
    assert account.password_hash == sales.password_hash
    for other in (sales.email.upper(), sales.email[:-1], "%", ""):
        assert await directory.find(other) == []


@pytest.mark.parametrize(
    "templates",
    [JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals"), PlainMailTemplates()],
    ids=["jinja", "memory"],
)
def test_a_letter_names_the_offer_and_never_becomes_markup(templates: MailTemplates) -> None:
    document = a_quote_document()

    letter = templates.quote_sent(document, "<script>alert(1)</script> {{7*7}}")

    assert document.number in letter.subject
    assert "\n" not in letter.subject
    assert "<script>" in letter.text
    assert "<script>" not in letter.html
    assert "{{7*7}}" in letter.text


@pytest.mark.asyncio
@pytest.mark.parametrize("file_format", SpreadsheetFormat)
@pytest.mark.parametrize("writer", [FileSpreadsheets(), MemorySpreadsheets()], ids=["file", "memory"])
async def test_a_spreadsheet_takes_every_row_and_counts_them(
    writer: SpreadsheetWriter, file_format: SpreadsheetFormat, tmp_path: Path
) -> None:
    columns = (Column("Number", ColumnKind.TEXT), Column("Payable", ColumnKind.AMOUNT))

    async def rows(count: int) -> AsyncIterator[Sequence[Cell]]:
        for number in range(count):
            yield f"Q-{number}", Decimal(number)

    assert await writer.write(tmp_path / "some", file_format, columns, rows(2500), "Quotes") == 2500
    assert await writer.write(tmp_path / "none", file_format, columns, rows(0), "Quotes") == 0


@pytest.mark.parametrize("locale", ["en", "de-AT", "ko"])
@pytest.mark.parametrize(
    "templates",
    [JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals"), PlainMailTemplates()],
    ids=["jinja", "memory"],
)
def test_a_reminder_names_the_offer_and_never_becomes_markup(templates: MailTemplates, locale: str) -> None:
    told = ReminderMail(
        number="Q-2026-000001",
        title="<b>Desks</b> {{7*7}}",
        customer="<script>alert(1)</script>\r\nBcc: all@example.com",
        valid_until=date(2026, 4, 1),
        organization="Nordlicht",
        name="Ann",
        locale=locale,
    )

    letter = templates.reminder(told)

    assert "Q-2026-000001" in letter.subject
    assert "\n" not in letter.subject
    assert "<script>" in letter.text
    assert "<script>" not in letter.html
    assert "<b>" not in letter.html
