"""What an error says is put away with its job, whatever characters it has."""

import json
from datetime import UTC, datetime

import pytest

from src.adapters.jobs.attempts import storable_json


@pytest.mark.parametrize("text", ["bo\0te", "bo\udce9te", "\ud800", "plain"])
def test_any_text_can_be_kept(text: str) -> None:
    kept = storable_json({"message": text, "frames": [text, (text, 1)], "at": datetime(2026, 1, 2, tzinfo=UTC)})

    told = json.dumps(kept, default=str, ensure_ascii=False).encode()
    assert b"\\u0000" not in told
    assert kept["frames"][1][1] == 1
    assert storable_json("plain") == "plain"
