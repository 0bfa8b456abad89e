"""A third kind of subject takes one file: the one that docs/approvals.md shows, run here as it stands there."""

import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.approvals import subjects
from src.application.approvals.decide_approval import DecideRequest, DecideRequestCommand
from src.application.approvals.desk import ApprovalDesk, People
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.approvals.read_approvals import ListWaiting
from src.application.approvals.subject import known_subjects
from src.application.transactions import Transactions
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.policy import StepRule
from src.domain.approvals.request import ApprovalRequest, RequestStatus
from src.domain.catalog.product import Product
from src.domain.identity.actor import Role
from tests.builders.quotes import a_product
from tests.organizations import new_organization

pytestmark = pytest.mark.asyncio
GUIDE = Path(__file__).parents[3] / "docs" / "approvals.md"
MODULE = "src.application.approvals.subjects.product_archive"


@pytest.fixture
def third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The guide's file, laid among the others."""
    code = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    (tmp_path / "product_archive.py").write_text(code[1], encoding="utf-8")
    monkeypatch.setattr(subjects, "__path__", [*subjects.__path__, str(tmp_path)])
    yield import_module(MODULE)
    del sys.modules[MODULE]


@pytest.mark.parametrize("approved", [True, False])
async def test_the_guides_example_runs_through_the_engine(third: ModuleType, approved: bool) -> None:
    open_uow = OpenMemoryUnitOfWork(MemoryStore())
    team = await new_organization(open_uow)
    transactions, clock, ids, known = Transactions(open_uow), SystemClock(), Uuid7Ids(), known_subjects()
    sales, approver = team.actor(Role.SALES), team.actor(Role.APPROVER)
    dear = Condition(fact="list_price", operator=Operator.AT_LEAST, values=(Decimal(10),))
    step = StepRule(name="Catalogue", roles=(Role.APPROVER,))
    command = CreatePolicyCommand(name="Dear", order=1, conditions=(dear,), steps=(step,), subject=third.KIND)
    await CreatePolicy(transactions, clock, ids, known)(team.actor(Role.ADMIN), command)

    async def archive(product: Product) -> ApprovalRequest | None:
        async with open_uow(sales) as uow:
            stored = await uow.products.save(product.create())
            desk = ApprovalDesk(uow, sales, ids, await People.read(uow, clock.now()))
            request = await desk.ask(third.SUBJECT, third.submission_of(stored, sales.person))
            await uow.commit()
        return request

    assert await archive(a_product(sku=uuid4().hex, list_price=Decimal("9.99"))) is None
    product = a_product(sku=uuid4().hex, list_price=Decimal("10.00"))
    request = await archive(product)
    assert request is not None
    inbox = await ListWaiting(transactions, clock, known)(approver, third.KIND, skip=0, limit=10)
    assert [one.id for one in inbox.items] == [request.id]

    decide = DecideRequestCommand(
        request_id=request.id, approved=approved, content_digest=request.content_digest, reason="Because."
    )
    decided = await DecideRequest(transactions, clock, ids, known)(approver, decide)

    assert decided.request.status is (RequestStatus.APPROVED if approved else RequestStatus.REJECTED)
    async with open_uow(sales) as uow:
        assert (await uow.products.get(product.id)).archived is approved
