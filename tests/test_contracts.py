"""The rules of the house: who may import whom, style, and types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def check(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_imports_what_they_must_not() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kept" in done.stdout.lower()


def test_ruff_has_nothing_to_say() -> None:
    check("ruff", "check", "--no-cache", ".")


def test_everything_is_formatted() -> None:
    check("ruff", "format", "--check", "--no-cache", ".")


def test_types_hold_in_app_and_backends(tmp_path: Path) -> None:
    check("mypy", "--cache-dir", str(tmp_path))


@pytest.mark.parametrize("folder", ["app", "backends", "widgets", "plugins"])
def test_no_file_has_grown_past_what_one_can_read(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in (ROOT / folder).rglob("*.py")
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > 450
    }
    assert not long


def test_main_and_its_set_up_need_only_the_standard_library() -> None:
    probe = (
        "import sys; import main, app.bootstrap, app.system;"
        "other = {m.partition('.')[0] for m in sys.modules} - set(sys.stdlib_module_names) - {'main', 'app'};"
        "print(sorted(m for m in other if not m.startswith('_')))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {probe}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
