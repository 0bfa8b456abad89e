"""The import contracts of pyproject.toml hold, and would be broken by what they forbid."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _lint(folder: Path) -> "subprocess.CompletedProcess[str]":
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": "."},
    )


def test_layers_lean_inwards() -> None:
    result = _lint(ROOT)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("domain/quoting/calculator.py", "from src.application.ports import clock", "Layers lean inwards"),
        ("domain/shared/errors.py", "import msgspec", "No framework, no I/O in the core"),
        ("application/quoting/edit_quote.py", "import sqlalchemy", "No framework, no I/O in the core"),
        (
            "domain/approvals/policy.py",
            "from src.domain.quoting import quote",
            "Contexts of the domain stand side by side",
        ),
        ("adapters/smtp/settings.py", "from src.adapters.storage import factory", "Adapters do not know each other"),
        (
            "application/audit/read_audit.py",
            "from src.application.quoting import drafting",
            "Use cases know transactions",
        ),
    ],
)
def test_a_planted_import_is_found(module: str, line: str, contract: str, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", ROOT / "src", tmp_path / "src"], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    path = tmp_path / "src" / module
    path.write_text(path.read_text() + f"\n{line}\n")

    result = _lint(tmp_path)

    assert result.returncode == 1
    assert any(row.startswith(contract) and row.endswith("BROKEN") for row in result.stdout.splitlines())


def test_no_context_is_forgotten_in_a_new_folder(tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", ROOT / "src", tmp_path / "src"], check=True)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "src" / "domain" / "programs").mkdir()
    (tmp_path / "src" / "domain" / "programs" / "__init__.py").touch()

    assert _lint(tmp_path).returncode == 1
