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
from src.entrypoints.schemas.digest import Digest
from src.entrypoints.schemas.pricing import DecimalText

DIGEST = "A SHA-256 is needed: 64 hexadecimal digits in lower case, as content_digest shows it."


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
    urgent: bool = False
    doors: Annotated[int, Meta(ge=1)] = 4
    note: Annotated[str, Meta(max_length=3)] = ""
    price: DecimalText | None = None
    parts: Annotated[list[int], Meta(max_length=2)] = []
    seen: Digest | None = None


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
        ({"vehicle": {"type": "bike", "frame": {"colour": 5}, "bells": []}}, "One of these is needed: red, blue."),
        ({"day": 5}, 'A date is needed, such as "2026-03-31".'),
        ({"at": {}}, 'A date and time is needed, with Z or its offset, such as "2026-03-31T09:00:00Z".'),
        ({"id": []}, 'An id is needed, such as "01980a3c-5b7e-7cc1-9d3f-2f1e6a7b8c9d".'),
        ({"vehicle": 5}, "An object is needed."),
        ({"vehicle": {"type": "bike", "frame": {"colour": "red"}, "bells": "red"}}, "A list is needed."),
        ({"urgent": "maybe"}, "True or false is needed."),
        ({"doors": "two"}, "A whole number is needed."),
        ({"doors": 0}, "A whole number of at least 1 is needed."),
        ({"note": 5}, "A text is needed."),
        (
            {"price": 12.5},
            'A plain decimal is needed, as text, such as "1250.00": up to 15 digits, and 6 after the point.',
        ),
        ({"seen": "0" * 63}, DIGEST),
        ({"seen": "0" * 63 + "A"}, DIGEST),
        ({"seen": 5}, DIGEST),
        ({"note": "more"}, "A text of at most 3 characters is needed."),
        ({"parts": [1, 2, 3]}, "A list of at most 2 entries is needed."),
    ],
)
def test_complaints_say_what_is_wanted(body: Any, words: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(body, Order)
    complaint, _, place = str(refused.value).partition(" - at ")

    assert plain_words(complaint, Order, place.rsplit("`$.", 1)[-1].removesuffix("`")) == words
