"""What is stored about a revision's figures cannot be changed unseen."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.adapters.system import SystemClock, Uuid7Ids
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.explain_quote import ExplainQuote
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.identity.actor import Role
from src.domain.quoting.errors import ExplanationNotFound, ExplanationTampered
from tests.builders.quotes import a_contact, a_customer
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio


async def test_a_stored_explanation_that_was_changed_is_refused_and_one_that_is_gone_is_missed(
    open_postgres: OpenUnitOfWork, admin_engine: AsyncEngine
) -> None:
    team = await new_organization(open_postgres)
    sales, transactions = team.actor(Role.SALES), Transactions(open_postgres)
    async with open_postgres(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        contact = await uow.contacts.save(a_contact(customer.id).create())
        await uow.commit()
    draft = DraftInput(
        contact_id=contact.id,
        valid_until=datetime.now(UTC).date() + timedelta(days=9),
        lines=(LineInput(quantity=Decimal(3), description="Desk", unit_price=Decimal(100)),),
    )
    command = CreateQuoteCommand(customer_id=customer.id, draft=draft)
    quote = await CreateQuote(transactions, SystemClock(), Uuid7Ids())(sales, command)
    await SubmitQuote(transactions, SystemClock(), Uuid7Ids())(sales, SubmitQuoteCommand(quote_id=quote.id))
    explain = ExplainQuote(transactions)
    assert (await explain(sales, quote.id, 1)).fault is None

    async with admin_engine.begin() as connection:
        changed = (
            "UPDATE proffer.quote_explanations SET explanation = replace(explanation, '300', '301') WHERE quote_id = :q"
        )
        await connection.execute(text(changed), {"q": quote.id})
    with pytest.raises(ExplanationTampered):
        await explain(sales, quote.id, 1)

    async with admin_engine.begin() as connection:
        await connection.execute(text("DELETE FROM proffer.quote_explanations WHERE quote_id = :q"), {"q": quote.id})
    with pytest.raises(ExplanationNotFound):
        await explain(sales, quote.id, 1)
