"""Where in a body something stands that the core knows by its own name alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from src.domain.shared.errors import Invalid


@contextmanager
def below(place: str) -> Iterator[None]:
    """What is refused within is told with the name that the sender gave it: *place*, a point, and its own."""
    try:
        yield
    except Invalid as error:
        error.fields = tuple(replace(one, field=f"{place}.{one.field}") for one in error.fields)
        raise
