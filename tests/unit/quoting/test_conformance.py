"""Published calculations come out to the last minor unit, and the runner tells what does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from src.entrypoints.conformance import Result, main, run

CASES = Path(__file__).parents[2] / "conformance" / "cases.jsonl"
TEXTS = {json.loads(text)["id"]: text for text in CASES.read_bytes().splitlines()}


@pytest.mark.parametrize("case_id", TEXTS)
def test_a_published_calculation_comes_out(case_id: str) -> None:
    assert run(TEXTS[case_id], 1).reasons == ()


def test_all_cases_are_there() -> None:
    assert len(TEXTS) == 166


def a_case(**changes: Any) -> dict[str, Any]:
    tax = {"category": "VAT", "rate_percent": "19", "exempt": False}
    return {
        "id": "own-1",
        "currency": "EUR",
        "rounding": "per_line",
        "prices_include_tax": None,
        "lines": [{"quantity": "3", "unit_price": "10.00", "taxes": [tax]}],
        "expect": {"sum": "30.00", "payable": "35.70"},
        **changes,
    }


def outcome_of(case: dict[str, Any]) -> tuple[Result, tuple[str, ...]]:
    outcome = run(json.dumps(case).encode(), 1)
    return outcome.result, outcome.reasons


def test_a_right_case_passes() -> None:
    assert outcome_of(a_case()) == (Result.PASSED, ())


def test_a_wrong_figure_fails_and_is_named() -> None:
    case = a_case(expect={"payable": "35.71"})

    assert outcome_of(case) == (Result.FAILED, ("payable: 35.70 instead of 35.71",))


def test_a_missing_tax_group_fails() -> None:
    result, reasons = outcome_of(a_case(expect={"taxes": []}))

    assert result is Result.FAILED
    assert "VAT" in reasons[0]


@pytest.mark.parametrize(
    "change",
    [{"tip": "1"}, {"rounding": "document"}, {"tax_rounding": "per_month"}, {"expect": {"weight": "1"}}],
)
def test_an_unknown_wish_is_unsupported(change: dict[str, Any]) -> None:
    result, reasons = outcome_of(a_case(**change))

    assert result is Result.UNSUPPORTED
    assert reasons


@pytest.mark.parametrize(
    "change",
    [
        {"lines": [{"quantity": "3"}]},
        {"lines": [{"quantity": "three", "unit_price": "1"}]},
        {"lines": [{"quantity": "NaN", "unit_price": "1"}]},
        {"lines": 7},
        {"currency": "XXL"},
        {"expect": None},
    ],
)
def test_a_malformed_case_fails_by_name(change: dict[str, Any]) -> None:
    outcome = run(json.dumps(a_case(**change)).encode(), 1)

    assert outcome.case_id == "own-1"
    assert outcome.result is Result.FAILED
    assert outcome.reasons


def test_the_runner_counts_and_exits_with_1_on_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    cases = [a_case(), a_case(id="own-2", expect={"sum": "1"}), a_case(id="own-3", tip="1")]
    file.write_text("\n".join([*map(json.dumps, cases), "{", ""]))

    code = main([str(file)])

    lines = capsys.readouterr().out.splitlines()
    assert code == 1
    assert [line.split(":")[0] for line in lines[:-1]] == ["own-2", "own-3", "line 4"]
    assert lines[-1] == "1 passed, 2 failed, 1 unsupported"


def test_the_runner_exits_with_0_when_all_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(CASES)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "166 passed, 0 failed, 0 unsupported"


def test_the_runner_says_when_there_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none")]) == 3
    assert "none" in capsys.readouterr().err
