"""A quote's life as a Hypothesis state machine over the use cases, beside a model written plainly from the rules."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from src.adapters.memory.system import TickingClock
from src.adapters.system import Uuid7Ids
from src.adapters.tax_numbers import StdnumTaxNumbers
from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand
from src.application.approvals.policies import CreatePolicy, CreatePolicyCommand
from src.application.audit.verify_audit import VerifyAudit
from src.application.customers.create_contact import CreateContact, CreateContactCommand
from src.application.customers.create_customer import CreateCustomer, CreateCustomerCommand
from src.application.customers.decide_customer import CustomerVerb, DecideCustomer, DecideCustomerCommand
from src.application.ports.paging import Paging
from src.application.ports.quoting import QuoteFilter
from src.application.ports.unit_of_work import OpenUnitOfWork
from src.application.prices.lines import LineInput
from src.application.quoting.cancel_quote import CancelQuote, CancelQuoteCommand
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.drafting import DraftInput
from src.application.quoting.edit_quote import EditQuote, EditQuoteCommand
from src.application.quoting.read_quotes import GetQuote, ListQuotes
from src.application.quoting.recall_quote import RecallQuote, RecallQuoteCommand
from src.application.quoting.revise_quote import ReviseQuote, ReviseQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.application.transactions import Transactions
from src.domain.approvals.conditions import Condition, Operator
from src.domain.approvals.policy import StepRule
from src.domain.identity.actor import Role
from src.domain.quoting.pricing import Discount
from src.domain.quoting.quote import Quote
from src.domain.quoting.revision import CancelReason
from src.domain.shared.errors import DomainError
from src.domain.shared.ids import QuoteId
from src.domain.shared.party import Party
from tests.builders.approvals import SUBJECTS
from tests.builders.audit import SIGNER
from tests.organizations import TestOrganization, new_organization

OPEN = {"draft", "pending_approval", "rejected", "approved"}
# Those who may come more often than those who may not, or no quote would get far.
ROLES = st.sampled_from(
    [Role.SALES, Role.ADMIN, Role.APPROVER, Role.SALES, Role.ADMIN, Role.APPROVER, Role.OWNER, Role.VIEWER]
)
EDITORS = st.sampled_from([Role.SALES, Role.ADMIN, Role.SALES, Role.OWNER, Role.VIEWER])
DECIDERS = st.sampled_from([Role.APPROVER, Role.ADMIN, Role.APPROVER, Role.OWNER, Role.SALES])
MAY: dict[str, set[Role]] = {
    "edit": {Role.SALES, Role.ADMIN, Role.OWNER},
    "submit": {Role.SALES, Role.ADMIN, Role.OWNER},
    "recall": {Role.SALES, Role.ADMIN, Role.OWNER},
    "decide": {Role.APPROVER, Role.ADMIN, Role.OWNER},
    "send": {Role.SALES, Role.ADMIN, Role.OWNER},
    "revise": {Role.SALES, Role.ADMIN, Role.OWNER},
    "cancel": {Role.SALES, Role.ADMIN, Role.OWNER},
}


@dataclass
class ModelQuote:
    """What a quote must be: the state of each revision, and who did what to the latest."""

    statuses: list[str]
    cheap: bool  # A discount that the policy asks about.
    valid_days: int
    editor: Role
    submitter: Role | None = None
    decided: tuple[Role, bool] | None = None
    asked: bool = False
    last_yes: Role | None = None  # Who agreed last, unless somebody refused since.
    born: timedelta = field(default_factory=timedelta)

    @property
    def at(self) -> int:
        """The place of the current revision: the latest that is neither cancelled nor superseded."""
        living = [place for place, status in enumerate(self.statuses) if status not in {"cancelled", "superseded"}]
        return living[-1] if living else len(self.statuses) - 1

    @property
    def status(self) -> str:
        return self.statuses[self.at]

    @status.setter
    def status(self, status: str) -> None:
        self.statuses[self.at] = status


class QuoteLife(RuleBasedStateMachine):
    """A subclass says where the store is. Everything runs in one event loop of the machine's own."""

    runner: ClassVar[asyncio.Runner]
    quotes = Bundle("quotes")

    def open_store(self) -> OpenUnitOfWork:
        raise NotImplementedError  # Each store's own machine says.

    @initialize(target=quotes, cheap=st.booleans())
    def begin(self, cheap: bool) -> tuple[QuoteId, int]:
        self.clock, self.ids = TickingClock(), Uuid7Ids()
        self.elapsed = timedelta()
        self.store = self.open_store()
        self.transactions = Transactions(self.store)
        self.models: dict[QuoteId, ModelQuote] = {}
        self.run(self._set_up())
        return self._create(cheap, days=9, lines=1)

    async def _set_up(self) -> None:
        self.team: TestOrganization = await new_organization(self.store, clock=self.clock, ids=self.ids)
        actor = self.team.actor(Role.ADMIN)
        customer = await CreateCustomer(self.transactions, StdnumTaxNumbers(), self.clock, self.ids)(
            actor, CreateCustomerCommand(party=Party(name="Brandt KG", address=self.team.organization.party.address))
        )
        approval = DecideCustomerCommand(customer_id=customer.id, verb=CustomerVerb.APPROVE)
        await DecideCustomer(self.transactions, self.clock, self.ids)(self.team.actor(Role.APPROVER), approval)
        contact = await CreateContact(self.transactions, self.clock, self.ids)(
            actor, CreateContactCommand(customer_id=customer.id, name="Ann", email="ann@example.com")
        )
        self.customer, self.contact = customer.id, contact.id
        asks = Condition(fact="discount_percent", operator=Operator.GREATER, values=(Decimal(5),))
        step = StepRule(name="Management", roles=(Role.APPROVER, Role.ADMIN))
        command = CreatePolicyCommand(name="Discounts", order=1, conditions=(asks,), steps=(step,))
        await CreatePolicy(self.transactions, self.clock, self.ids, SUBJECTS)(actor, command)

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    # What can be done, each time with what the rules say must come of it.

    @rule(target=quotes, cheap=st.booleans(), days=st.integers(1, 9), lines=st.sampled_from([1, 2, 1, 0]))
    def create(self, cheap: bool, days: int, lines: int) -> tuple[QuoteId, int]:
        return self._create(cheap, days, lines)

    def _create(self, cheap: bool, days: int, lines: int) -> tuple[QuoteId, int]:
        command = CreateQuoteCommand(customer_id=self.customer, draft=self._draft(cheap, days, lines))
        create = CreateQuote(self.transactions, self.clock, self.ids)
        quote: Quote = self.run(create(self.team.actor(Role.SALES), command))
        self.models[quote.id] = ModelQuote(
            ["draft"], cheap=cheap and lines > 0, valid_days=days, editor=Role.SALES, born=self.elapsed
        )
        return quote.id, lines

    @rule(one=quotes, who=ROLES, cheap=st.booleans())
    def edit(self, one: tuple[QuoteId, int], who: Role, cheap: bool) -> None:
        identity, lines = one
        model = self.models[identity]
        command = EditQuoteCommand(quote_id=identity, draft=self._draft(cheap, None, lines))
        refused = self._permission(who, "edit") or (None if model.status == "draft" else "invalid_transition")
        edit = EditQuote(self.transactions, self.clock, self.ids)
        if self._try(identity, lambda: edit(self.team.actor(who), command), refused):
            model.cheap, model.editor = cheap and lines > 0, who

    @rule(one=quotes, who=EDITORS, deciding=DECIDERS | st.none())
    def go_on(self, one: tuple[QuoteId, int], who: Role, deciding: Role | None) -> None:
        """The verb that comes next on the way to the buyer, so that lives get long; None: who submitted tries to decide."""
        match self.models[one[0]].status:
            case "draft":
                self.submit(one, who)
            case "pending_approval":
                self.decide(one, deciding or self.models[one[0]].submitter or who, yes=True, right=True)
            case "approved":
                self.send(one, who, right=True)
            case _:
                self.revise(one, who)

    @rule(who=st.sampled_from([Role.ADMIN, Role.OWNER]), editing=st.booleans())
    def agree_with_oneself(self, who: Role, editing: bool) -> None:
        """Four eyes: neither who submitted nor who edited last may decide, however mighty."""
        one = self._create(cheap=True, days=9, lines=1)
        if editing:
            self.edit(one, who, cheap=True)
        self.submit(one, Role.SALES if editing else who)
        self.decide(one, who, yes=True, right=True)

    @rule(one=quotes, who=EDITORS)
    def submit(self, one: tuple[QuoteId, int], who: Role) -> None:
        identity, lines = one
        model = self.models[identity]
        refused = (
            self._permission(who, "submit")
            or (None if model.status == "draft" else "invalid_transition")
            or (None if lines else "quote_has_no_lines")
            or ("validity_over" if self._over(model) else None)
        )
        submit = SubmitQuote(self.transactions, self.clock, self.ids)
        if self._try(identity, lambda: submit(self.team.actor(who), SubmitQuoteCommand(quote_id=identity)), refused):
            # The discount is always the same, so a yes stands for as long as who gave it may still decide.
            carried = model.last_yes is not None and model.last_yes not in {who, model.editor}
            model.status = "pending_approval" if model.cheap and not carried else "approved"
            model.submitter, model.asked, model.decided = who, model.cheap, None

    @rule(one=quotes, who=EDITORS)
    def recall(self, one: tuple[QuoteId, int], who: Role) -> None:
        identity, _ = one
        model = self.models[identity]
        refused = self._permission(who, "recall") or (
            None if model.status == "pending_approval" else "invalid_transition"
        )
        if refused is None and who is Role.SALES and model.submitter is not who:
            refused = "not_the_submitter"
        recall = RecallQuote(self.transactions, self.clock)
        if self._try(identity, lambda: recall(self.team.actor(who), RecallQuoteCommand(quote_id=identity)), refused):
            model.status = "draft"

    @rule(one=quotes, who=DECIDERS, yes=st.booleans(), right=st.sampled_from([True, True, True, False]))
    def decide(self, one: tuple[QuoteId, int], who: Role, yes: bool, right: bool) -> None:
        identity, _ = one
        model = self.models[identity]
        quote = self._stored(identity)
        digest = quote.current.content_digest if right and quote.current.content_digest else "0" * 64
        refused, unchanged = self._of_decision(model, who, yes=yes, right=right)
        command = DecideApprovalCommand(quote_id=identity, approved=yes, content_digest=digest, reason="Because.")
        decide = DecideApproval(self.transactions, self.clock, self.ids)

        async def decided() -> Quote:
            told = await decide(self.team.actor(who), command)
            assert told.counted is not unchanged
            return told.quote

        if self._try(identity, decided, refused) and not unchanged:
            model.status = "approved" if yes else "rejected"
            model.decided, model.last_yes = (who, yes), who if yes else None

    def _of_decision(self, model: ModelQuote, who: Role, *, yes: bool, right: bool) -> tuple[str | None, bool]:
        """The refusal that must come, and whether nothing must change."""
        eligible = who in {Role.APPROVER, Role.ADMIN} and who not in {model.submitter, model.editor}
        if (missing := self._permission(who, "decide")) is not None:
            return missing, False
        if model.status not in {"pending_approval", "approved", "rejected"} or not model.asked:
            return "invalid_transition", False
        if not right:
            return "content_changed", False
        if model.status == "pending_approval":
            return (None, False) if eligible else ("not_an_approver", False)
        if model.decided == (who, yes):
            return None, True
        # Where all that was needed had been carried over, nobody has decided.
        return ("already_decided" if eligible and model.decided else "approval_request_closed"), False

    @rule(one=quotes, who=EDITORS, right=st.sampled_from([True, None, False]))
    def send(self, one: tuple[QuoteId, int], who: Role, right: bool | None) -> None:
        identity, _ = one
        model = self.models[identity]
        digest = {True: self._stored(identity).current.content_digest, None: None, False: "0" * 64}[right]
        refused = (
            self._permission(who, "send")
            or (None if model.status == "approved" else "invalid_transition")
            or ("content_changed" if right is False else None)
            or ("validity_over" if self._over(model) else None)
        )
        send = SendQuote(self.transactions, self.clock, self.ids)
        command = SendQuoteCommand(quote_id=identity, content_digest=digest)
        if self._try(identity, lambda: send(self.team.actor(who), command), refused):
            place = model.at
            model.statuses = ["superseded" if status == "sent" else status for status in model.statuses]
            model.statuses[place] = "sent"

    @rule(one=quotes, who=EDITORS)
    def revise(self, one: tuple[QuoteId, int], who: Role) -> None:
        identity, _ = one
        model = self.models[identity]
        refused = self._permission(who, "revise")
        if refused is None and model.status in {"draft", "pending_approval"}:
            refused = "open_revision_exists"
        if refused is None and model.status not in {"rejected", "approved", "sent"}:
            refused = "invalid_transition"
        revise = ReviseQuote(self.transactions, self.clock)
        if self._try(identity, lambda: revise(self.team.actor(who), ReviseQuoteCommand(quote_id=identity)), refused):
            if model.status in {"rejected", "approved"}:
                model.status = "superseded"
            model.statuses.append("draft")
            model.editor, model.asked, model.submitter = who, False, None

    @rule(one=quotes, who=ROLES, sure=st.sampled_from([False, False, False, True]))
    def cancel(self, one: tuple[QuoteId, int], who: Role, *, sure: bool) -> None:
        if not sure:
            return
        identity, _ = one
        model = self.models[identity]
        final = {"accepted", "declined", "cancelled", "superseded"}
        refused = self._permission(who, "cancel") or ("invalid_transition" if model.status in final else None)
        cancel = CancelQuote(self.transactions, self.clock)
        command = CancelQuoteCommand(quote_id=identity, reason=CancelReason.OTHER)
        if self._try(identity, lambda: cancel(self.team.actor(who), command), refused):
            model.status = "cancelled"
            model.asked = False

    @rule(one=quotes)
    def look_with_an_old_version(self, one: tuple[QuoteId, int]) -> None:
        identity, _ = one
        command = EditQuoteCommand(quote_id=identity, draft=DraftInput(title="Old"), expected_version=0)
        edit = EditQuote(self.transactions, self.clock, self.ids)
        self._try(identity, lambda: edit(self.team.actor(Role.ADMIN), command), "stale_version")

    @rule(who=ROLES)
    def look_for_an_unknown_quote(self, who: Role) -> None:
        get = GetQuote(self.transactions)
        assert self.run(_code_of(lambda: get(self.team.actor(who), QuoteId(uuid4())))) == "quote_not_found"

    @rule(hours=st.sampled_from([1, 1, 5, 60]))
    def wait(self, hours: int) -> None:
        self.clock.move(timedelta(hours=hours))
        self.elapsed += timedelta(hours=hours)

    # What must always hold.

    @invariant()
    def stored_quotes_are_as_the_model_says(self) -> None:
        for identity, model in getattr(self, "models", {}).items():
            quote = self._stored(identity)
            statuses = [revision.status.value for revision in quote.revisions]
            assert statuses == model.statuses
            assert quote.current.status.value == model.status
            assert sum(status in OPEN for status in statuses) <= 1
            assert statuses.count("sent") <= 1
            for revision in quote.revisions:
                if revision.status.value == "draft":
                    assert revision.content_digest is None
                elif revision.status.value != "cancelled":
                    assert revision.content_digest == revision.digest(quote.number)

    @invariant()
    def the_list_shows_the_same(self) -> None:
        if getattr(self, "models", None):
            criteria, paging = QuoteFilter(), Paging(limit=100)
            page = self.run(ListQuotes(self.transactions)(self.team.actor(Role.VIEWER), criteria, paging))
            assert {one.id: one.status.value for one in page.items} == {
                identity: model.status for identity, model in self.models.items()
            }

    def teardown(self) -> None:
        if hasattr(self, "team"):
            verification = self.run(VerifyAudit(self.transactions, SIGNER)(self.team.actor(Role.OWNER)))
            assert verification.intact, verification.problem

    # Helpers.

    def _draft(self, cheap: bool, days: int | None, lines: int) -> DraftInput:
        line = LineInput(quantity=Decimal(10), description="Desk", unit_price=Decimal("30.75"))
        if cheap:
            line = replace(line, discounts=(Discount(percent=Decimal(6)),))
        today = self.clock.now().date()
        return DraftInput(
            contact_id=self.contact,
            lines=(line,) * lines,
            valid_until=None if days is None else today + timedelta(days=days),
        )

    def _permission(self, who: Role, verb: str) -> str | None:
        return None if who in MAY[verb] else "permission_missing"

    def _over(self, model: ModelQuote) -> bool:
        """Told by the validity alone: its instant is tested by itself, clock changes included."""
        return self.clock.now() >= self._ends(model)

    def _ends(self, model: ModelQuote) -> datetime:
        identity = next(one for one, known in self.models.items() if known is model)
        content = self._stored(identity).current.content
        midnight = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        days = (content.valid_until - midnight.date()).days + 1
        # Europe/Berlin is one or two hours ahead of UTC; the clock's own zone rules say which.
        return (midnight + timedelta(days=days)).replace(tzinfo=content.zone)

    def _stored(self, identity: QuoteId) -> Quote:
        quote: Quote = self.run(GetQuote(self.transactions)(self.team.actor(Role.VIEWER), identity))
        return quote

    def _try(self, identity: QuoteId, act: Callable[[], Awaitable[Quote]], refused: str | None) -> bool:
        """Do it; a refusal must be the one that the rules name, and must change nothing."""
        before = self._stored(identity)
        code = self.run(_code_of(act))
        assert code == refused
        if code is not None:
            assert self._stored(identity) == before
        return code is None


async def _code_of(act: Callable[[], Awaitable[Quote]]) -> str | None:
    """The code of the refusal; None when there is none."""
    try:
        await act()
    except DomainError as error:
        return error.code
    return None
