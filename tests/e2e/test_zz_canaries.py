"""A last search over all that this test process wrote: no password, no token, no key."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.postgres.tables import metadata
from tests.builders.files import PDF
from tests.database import SECRET
from tests.e2e.conftest import Team
from tests.e2e.offers import a_draft
from tests.organizations import PASSWORD

pytestmark = pytest.mark.asyncio

_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")


async def test_no_secret_was_logged(team: Team, log_file: Path) -> None:
    """*team* has logged in five times in this process, whatever else ran before; a link opens, and is refused."""
    draft = await a_draft(team.sales)
    added = await team.sales.send(
        "POST", f"/api/v1/quotes/{draft['id']}/attachments?file_name=a.pdf", PDF, "application/pdf"
    )
    given = await team.sales.post(f"/api/v1/attachments/{added.json()['id']}/link", {})
    token = given.json()["url"].rpartition("/")[2]
    assert (await team.sales.get(f"/api/v1/downloads/{token}")).content == PDF
    for wrong in (f"//api//v1//downloads//{token}", f"/api/v1/downloads/{token}/more", f"/api/v1/Downloads/{token}"):
        await team.sales.get(wrong)
    written = await asyncio.to_thread(log_file.read_text, encoding="utf-8")

    assert '"path": "/api/v1/login"' in written
    for secret in (PASSWORD, SECRET, team.owner.token, team.owner.token.split(".")[2], token, token[:20]):
        assert secret not in written
    assert not _TOKEN.search(written)


async def test_no_secret_was_stored_in_the_clear(team: Team, app_engine: AsyncEngine) -> None:
    """Asked of every table of the team's organisation, whole rows as text."""
    async with app_engine.connect() as connection:
        tenant = str(team.organization.organization.id)
        await connection.execute(text("SELECT set_config('app.tenant_id', :t, true)"), {"t": tenant})
        for table in metadata.sorted_tables:
            whole = text(f"SELECT count(*) FROM {table.fullname} t WHERE strpos(t::text, :secret) > 0")
            for secret in (PASSWORD, SECRET, team.owner.token):
                assert (await connection.execute(whole, {"secret": secret})).scalar_one() == 0, table.name
        rows = (await connection.execute(text("SELECT count(*) FROM proffer.users"))).scalar_one()
    assert rows == 5  # The search saw something.
