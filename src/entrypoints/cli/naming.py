"""What a name, a number, an e-mail or an id on the command line means: the same in every command."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar
from uuid import UUID

from src.application.customers.read_customers import GetCustomer, ListContacts, ListCustomers
from src.application.identity.users import ListUsers
from src.application.ports.customers import ContactFilter, CustomerFilter
from src.application.ports.quoting import QuoteFilter, QuoteSummary
from src.application.quoting.read_quotes import ListQuotes
from src.domain.identity.user import User, UserNotFound
from src.domain.quoting.errors import QuoteNotFound
from src.domain.shared.errors import NotFound, invalid_field
from src.domain.shared.ids import ContactId, CustomerId
from src.entrypoints.cli.pages import every
from src.entrypoints.cli.session import CliSession
from src.entrypoints.strict_json import printable

Identity = TypeVar("Identity")

_SHOWN = 10  # Of several that a name may mean.


async def quote_of(session: CliSession, number: str) -> QuoteSummary:
    """Raises QuoteNotFound."""
    list_quotes = await session.get(ListQuotes)
    async for quote in every(partial(list_quotes, session.actor, QuoteFilter(search=number))):
        if quote.number == number:
            return quote
    raise QuoteNotFound(f"There is no quote {printable(number)}; proffer quote list shows those that there are.")


async def customer_of(session: CliSession, words: str) -> CustomerId:
    """The one customer with this id, this name, or a name that contains *words*. Raises NotFound, Invalid."""
    if identity := _id(words):
        return (await (await session.get(GetCustomer))(session.actor, CustomerId(identity))).id
    criteria = CustomerFilter(search=words)
    found = every(partial(await session.get(ListCustomers), session.actor, criteria))
    return _only("customer", words, [(one.id, (one.party.name,)) async for one in found])


async def contact_of(session: CliSession, customer: CustomerId, words: str) -> ContactId:
    """The one contact of *customer* with this id, name or e-mail, or part of one. Raises NotFound, Invalid."""
    if identity := _id(words):
        return ContactId(identity)
    criteria = ContactFilter(search=words, customer_id=customer)
    found = every(partial(await session.get(ListContacts), session.actor, criteria))
    return _only("contact", words, [(one.id, (one.name, one.email)) async for one in found])


async def user_of(session: CliSession, words: str) -> User:
    """The user with this id or e-mail. Raises UserNotFound."""
    identity = _id(words)
    for one in await (await session.get(ListUsers))(session.actor):
        if identity == one.id or words.strip().casefold() == one.email.casefold():
            return one
    raise UserNotFound(f"There is no user {printable(words)} in this organisation; proffer user list shows them.")


def _id(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None


def _only(what: str, words: str, found: Sequence[tuple[Identity, tuple[str, ...]]]) -> Identity:
    """One whose whole name or e-mail it is comes before others that only contain it."""
    exact = [one for one, names in found if words.casefold() in map(str.casefold, names)]
    if len(exact) == 1:
        return exact[0]
    if not found:
        raise NotFound(f"There is no {what} {printable(words)!r}.")
    if len(found) > 1:
        shown = ", ".join(printable(names[0]) for _, names in found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        raise invalid_field(what, f"Several are meant: {shown}. Say more of the name, or the id.")
    return found[0][0]
