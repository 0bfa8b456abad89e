"""Custom values: in one form each, required where that is said, and of the fields that there are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.shared.custom_fields import CustomField, FieldKind, changed_values
from src.domain.shared.errors import Invalid
from tests.builders.identity import a_custom_field

FIELDS = [
    a_custom_field(key="text"),
    a_custom_field(key="number", kind=FieldKind.NUMBER),
    a_custom_field(key="day", kind=FieldKind.DATE),
    a_custom_field(key="size", kind=FieldKind.CHOICE, options=("S", "M")),
    a_custom_field(key="old", active=False),
]


@pytest.mark.parametrize(
    ("key", "typed", "kept"),
    [
        ("text", "  Berlin ", "Berlin"),
        ("number", "1250.50", "1250.5"),
        ("number", "-0", "0"),
        ("number", "007", "7"),
        ("day", "2026-11-21", "2026-11-21"),
        ("size", "M", "M"),
    ],
)
def test_a_value_is_kept_in_one_form(key: str, typed: str, kept: str) -> None:
    assert changed_values(FIELDS, (), {key: typed}) == ((key, kept),)


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("number", "1,5"),
        ("number", "NaN"),
        ("number", "1e5"),
        ("number", "١"),
        ("number", "1.1234567"),
        ("day", "21.11.2026"),
        ("day", "2026-02-30"),
        ("size", "XL"),
        ("text", "two\nlines"),
        ("text", "x" * 1001),
        ("old", "x"),
        ("nowhere", "x"),
    ],
)
def test_what_does_not_fit_is_named(key: str, typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        changed_values(FIELDS, (), {key: typed})

    assert [one.field for one in refused.value.fields] == [f"custom.{key}"]


def test_values_are_taken_away_and_others_stay() -> None:
    before = (("old", "kept"), ("size", "S"), ("text", "a"))

    assert changed_values(FIELDS, before, {"text": None, "size": ""}) == (("old", "kept"),)
    assert changed_values(FIELDS, before, {}) == before


def test_a_required_one_is_asked_for() -> None:
    fields = [*FIELDS, a_custom_field(key="must", required=True)]

    with pytest.raises(Invalid, match=r"."):
        changed_values(fields, (), {})
    assert changed_values(fields, (), {"must": "x"}) == (("must", "x"),)
    with pytest.raises(Invalid):
        changed_values(fields, (("must", "x"),), {"must": None})


@given(st.dictionaries(st.sampled_from(["text", "number", "day", "size"]), st.text(max_size=20) | st.none()))
def test_what_is_taken_is_taken_again_unchanged(told: dict[str, str | None]) -> None:
    try:
        values = changed_values(FIELDS, (), told)
    except Invalid:
        return

    assert changed_values(FIELDS, values, dict(values)) == values
    assert list(values) == sorted(values)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"key": "Cost"}, "key"),
        ({"key": "1st"}, "key"),
        ({"key": "k" * 41}, "key"),
        ({"label": " "}, "label"),
        ({"kind": FieldKind.CHOICE}, "options"),
        ({"options": ("a",)}, "options"),
        ({"kind": FieldKind.CHOICE, "options": ("a", "a")}, "options"),
        ({"order": 10**7}, "order"),
    ],
)
def test_a_field_that_makes_no_sense_is_refused(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        a_custom_field(**changes)

    assert field in {one.field for one in refused.value.fields}


def test_key_kind_and_subject_never_change() -> None:
    field: CustomField = a_custom_field()
    other = a_custom_field(key="other", kind=FieldKind.NUMBER, label="New")

    after = field.become(other, field.created_at).after

    assert (after.id, after.key, after.kind, after.subject, after.label) == (
        field.id,
        field.key,
        field.kind,
        field.subject,
        "New",
    )
