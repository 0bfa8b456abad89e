"""The harness itself: what every test on the database rests on."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from tests.organizations import new_organization


@pytest.mark.asyncio
async def test_an_organisation_is_made_with_a_user_for_every_role(open_postgres: OpenUnitOfWork) -> None:
    made = await new_organization(open_postgres)

    async with open_postgres(made.actor(Role.VIEWER)) as uow:
        users = await uow.users.all()
        head = await uow.audit.head()

    assert {user.role for user in users} == set(Role)
    assert head.sequence == 1 + len(Role)  # The organisation, and each user.


@pytest.mark.asyncio
async def test_the_tests_connect_as_the_application_role(app_engine: AsyncEngine) -> None:
    async with app_engine.connect() as connection:
        row = (
            await connection.execute(
                text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            )
        ).one()

    assert row == ("proffer_app", False, False)
