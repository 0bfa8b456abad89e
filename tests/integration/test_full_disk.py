"""The disk of the storage is full: said so, nothing half kept, and all is well when there is room again."""

import json
import subprocess
import sys
from pathlib import Path

from tests.builders.files import PDF
from tests.full_disk import LARGE


def test_a_full_disk_keeps_nothing_half_and_takes_files_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.full_disk", str(tmp_path)], capture_output=True, check=False, timeout=120
    )

    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == {
        "upload": "unavailable",
        "document": "unavailable",
        "left": [],
        "rows": 0,
        "small": len(PDF),
        "again": len(LARGE),
        "document_again": len(LARGE),
    }
