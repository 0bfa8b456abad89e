"""What the guard in front of the JSON parsers lets pass and what it refuses."""

import pytest

from src.entrypoints.strict_json import MAX_DEPTH, MalformedJson, check_json


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "null",
        ' {"a": [1, -2.5e3, "x", true, null]} ',
        '{"a": {"a": 1}, "b": {"a": 1}}',
        '"\\\\u0000"',
        '"\\ud83d\\ude00 \\n \\u00e9"',
        '"견적서 [[[["',
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
        "[" + "[]," * 500 + "[]]",
        '["' + "[" * 500 + '"]',
        '["\\"' + "[" * 500 + '"]',
        "9" * 5000,
    ],
)
def test_strict_json_passes(text: str) -> None:
    check_json(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1] [2]",
        b"01",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        b'{"a": "\x00"}',
        b'{"a": "b\nc"}',
        b'{"\\ud800": 1}',
        b'["\\udc00\\ud800"]',
        "１".encode(),
    ],
)
def test_anything_else_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedJson) as refusal:
        check_json(data)

    assert refusal.value.code == "malformed_json"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"a": 1, "\\u0061": 2}', "a"),
        ('{"lines": [{"sku": "x"}, {"sku": "x", "sku": "y"}]}', "lines[1].sku"),
        ('{"lines": [{"sku": "a\\u0000"}]}', "lines[0].sku"),
        ('["x", "\\ud83d"]', "[1]"),
    ],
)
def test_the_complaint_names_the_field(text: str, field: str) -> None:
    with pytest.raises(MalformedJson) as refusal:
        check_json(text.encode())

    assert [complaint.field for complaint in refusal.value.fields] == [field]


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_deep_nesting_is_refused_without_recursion(opening: bytes) -> None:
    with pytest.raises(MalformedJson, match="deep"):
        check_json(opening * 200_000)


def test_one_level_too_many_is_refused() -> None:
    with pytest.raises(MalformedJson, match="deep"):
        check_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


def test_an_unterminated_text_of_many_quotes_is_refused() -> None:
    with pytest.raises(MalformedJson):
        check_json(b"[" * (MAX_DEPTH + 1) + b'"' + b'\\"' * 300_000)


def test_complaints_are_few_even_when_faults_are_many() -> None:
    with pytest.raises(MalformedJson) as refusal:
        check_json(b"{" + b'"a": 1, ' * 5_000 + b'"a": 2}')

    assert len(refusal.value.fields) == 20
