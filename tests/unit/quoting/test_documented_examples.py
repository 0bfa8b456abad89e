"""The examples in docs/calculation.md come out as they say."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from src.domain.quoting.explaining import explain
from src.domain.quoting.verification import verify
from src.entrypoints.pricing_document import read_pricing
from src.entrypoints.schemas.pricing import CalculationSchema

DOCUMENT = Path(__file__).parents[3] / "docs" / "calculation.md"
EXAMPLES = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_example_comes_out_as_it_says(example: dict[str, Any]) -> None:
    calculation, explanation = explain(read_pricing(json.dumps(example["offer"]).encode()).pricing())

    _check(msgspec.to_builtins(CalculationSchema.of(calculation)), example["gives"])
    assert verify(explanation, calculation) is None


def test_every_rule_has_an_example() -> None:
    assert len(EXAMPLES) >= 24


def _check(found: Any, said: Any) -> None:
    """What is said must be there; what is not said may be anything."""
    if isinstance(said, dict):
        for name, value in said.items():
            _check(found[name], value)
    elif isinstance(said, list) and said and isinstance(said[0], dict):
        assert len(found) == len(said)
        for one, value in zip(found, said, strict=True):
            _check(one, value)
    else:
        assert found == said
