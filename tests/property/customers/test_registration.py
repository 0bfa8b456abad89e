"""Whatever is asked of a customer in whatever order: only what fits its state happens."""

from collections.abc import Callable
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from src.domain.customers.customer import (
    Customer,
    CustomerDeleted,
    CustomerNotApproved,
    CustomerStateConflict,
    CustomerStatus,
)
from src.domain.shared.change import Change
from src.domain.shared.errors import DomainError
from src.domain.shared.ids import UserId
from tests.builders.quotes import NOON, a_customer

PEOPLE = [UserId(uuid4()) for _ in range(3)]
P, A, R, S = CustomerStatus.PENDING, CustomerStatus.APPROVED, CustomerStatus.REJECTED, CustomerStatus.SUSPENDED
# The whole matrix: what each verb leads to, from where.
STEPS = {
    "approve": {P: A},
    "reject": {P: R},
    "register_again": {R: P},
    "suspend": {A: S},
    "reinstate": {S: A},
}


def _ask(customer: Customer, verb: str, by: UserId) -> Change[Customer]:
    asked: dict[str, Callable[[], Change[Customer]]] = {
        "approve": lambda: customer.approve(at=NOON),
        "reject": lambda: customer.reject(reason="No.", at=NOON),
        "register_again": lambda: customer.register_again(by=by, at=NOON),
        "suspend": lambda: customer.suspend(reason="No.", at=NOON),
        "reinstate": lambda: customer.reinstate(NOON),
        "delete": lambda: customer.delete(NOON),
        "restore": lambda: customer.restore(NOON),
    }
    return asked[verb]()


@given(st.lists(st.tuples(st.sampled_from([*STEPS, "delete", "restore"]), st.sampled_from(PEOPLE)), max_size=20))
def test_only_what_fits_happens(asked: list[tuple[str, UserId]]) -> None:
    customer = a_customer(status=P, registered_by=PEOPLE[0])
    for verb, by in asked:
        try:
            after = _ask(customer, verb, by).after
        except (CustomerStateConflict, CustomerDeleted):
            fits = not customer.deleted and (verb == "delete" or customer.status in STEPS.get(verb, {}))
            assert not fits
            assert verb != "restore" or not customer.deleted
            continue
        if verb in STEPS:
            assert after.status is STEPS[verb][customer.status]
        else:
            assert after.deleted is (verb == "delete")
            assert after.status is customer.status
        customer = after
        assert _may_be_sent_to(customer) is (customer.status is A and not customer.deleted)


def _may_be_sent_to(customer: Customer) -> bool:
    try:
        customer.check_may_be_sent_to()
    except (CustomerNotApproved, CustomerDeleted):
        return False
    except DomainError as error:
        raise AssertionError(error) from error
    return True
