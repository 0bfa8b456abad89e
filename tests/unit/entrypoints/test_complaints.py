"""What msgspec refuses is told with what would be taken."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta, Struct, field

from src.entrypoints.schemas.complaints import choices_at, plain_words


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Frame:
    colour: Colour


class Bike(Struct, tag="bike"):
    frame: Frame
    bells: Annotated[list[Colour] | None, Meta(description="Described.")]


class Car(Struct, tag="car"):
    seats: dict[str, Literal["leather", "cloth"]]
    named: Colour = field(default=Colour.RED, name="paint")
    count: dict[Colour, int] = {}


class Order(Struct):
    vehicle: Bike | Car | None = None
    day: date | None = None
    at: datetime | None = None
    id: UUID | None = None


@pytest.mark.parametrize(
    ("path", "choices"),
    [
        ("vehicle.frame.colour", ("red", "blue")),
        ("vehicle.bells[3]", ("red", "blue")),
        ("vehicle.bells", ("red", "blue")),
        ("vehicle.seats[...]", ("leather", "cloth")),
        ("vehicle.paint", ("red", "blue")),
        ("vehicle.count", ("red", "blue")),
        ("vehicle.nowhere[0].at.all", ()),
        ("", ()),
    ],
)
def test_choices_are_found_wherever_they_stand(path: str, choices: tuple[str, ...]) -> None:
    assert set(choices_at(Order, path)) == set(choices)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"vehicle": {"type": "bike", "frame": {"colour": "green"}, "bells": []}},
            "One of these is needed: red, blue.",
        ),
        ({"vehicle": {"type": "car", "seats": {}, "count": {"green": 1}}}, "One of these is needed: red, blue."),
        ({"vehicle": {"type": "plane"}}, "One of these is needed: bike, car."),
        ({"day": "31.3.2026"}, 'A date is needed, such as "2026-03-31".'),
        ({"at": "2026-03-31"}, 'A date and time is needed, with Z or its offset, such as "2026-03-31T09:00:00Z".'),
        ({"id": "7"}, 'An id is needed, such as "01980a3c-5b7e-7cc1-9d3f-2f1e6a7b8c9d".'),
        ({"vehicle": 5}, "Expected object | null, got int."),
    ],
)
def test_complaints_say_what_is_wanted(body: Any, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(body, Order)
    complaint, _, place = str(refused.value).partition(" - at ")

    assert plain_words(complaint, Order, place.rsplit("`$.", 1)[-1].removesuffix("`")) == words
