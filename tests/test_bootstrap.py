"""The set-up: what it asks for, what it remembers, and how it fails. Nothing is fetched here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import bootstrap, system
from app.bootstrap import Layout, SetupError, Stamp

ROOT = Path(__file__).resolve().parent.parent

PYPROJECT = """
[project]
name = "x"
dependencies = ["torch>=2.10", "PySide6-Essentials>=6.10,!=6.11.0", "numpy"]
[project.optional-dependencies]
test = ["pytest"]
"""
CONSTRAINTS = """
# why
torch==2.13.0
PySide6_Essentials==6.11.3  # spelled another way
numpy==2.4.6
pytest==9.2.0
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Layout:
    root = tmp_path / "a checkout with spaces"
    root.mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "constraints.txt").write_text(CONSTRAINTS)
    return Layout(root)


@pytest.fixture
def done(checkout: Layout) -> Layout:
    """A checkout whose set-up was done."""
    checkout.python.parent.mkdir(parents=True)
    checkout.python.write_text("")
    network = checkout.root / "network.tflite"
    network.write_text("")
    stamp = Stamp(
        bootstrap.wanted_digest(checkout.root),
        bootstrap.python_version(),
        frozenset({"test"}),
        True,
        (str(network),),
    )
    bootstrap.write_stamp(checkout.stamp, stamp)
    return checkout


def forbid(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"nothing may be started, but this was: {args}")

    monkeypatch.setattr(subprocess, "run", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


def test_every_dependency_is_asked_for_by_its_exact_version() -> None:
    asked = bootstrap.requirements(PYPROJECT, CONSTRAINTS, ["test"])
    assert asked == ["torch==2.13.0", "PySide6_Essentials==6.11.3", "numpy==2.4.6", "pytest==9.2.0"]


def test_a_dependency_without_a_pin_stops_the_set_up() -> None:
    with pytest.raises(SetupError, match="numpy"):
        bootstrap.requirements(PYPROJECT, CONSTRAINTS.replace("numpy==2.4.6", ""), [])


def test_the_projects_own_files_pin_everything_and_name_no_index() -> None:
    pyproject, constraints = (ROOT / n for n in ("pyproject.toml", "constraints.txt"))
    asked = bootstrap.requirements(pyproject.read_text(), constraints.read_text(), ["test"])
    assert "torch==2.13.0" in asked
    for path in (pyproject, constraints, ROOT / "main.py", ROOT / "app" / "bootstrap.py"):
        assert "://" not in path.read_text(), path


def test_a_second_start_starts_nothing_and_needs_no_network(
    done: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(monkeypatch)
    bootstrap.prepare(done, frozenset({"test"}), networks=True, window=True)


def test_changed_pins_are_installed_again(done: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    installed: list[frozenset[str]] = []
    monkeypatch.setattr(bootstrap, "install_packages", lambda layout, extras: installed.append(extras))
    (done.root / "constraints.txt").write_text(CONSTRAINTS.replace("9.2.0", "9.2.1"))
    bootstrap.prepare(done, frozenset(), networks=False, window=False)
    assert installed == [frozenset({"test"})], "what was there before is kept up to date, too"
    bootstrap.prepare(done, frozenset(), networks=False, window=False)
    assert len(installed) == 1


def test_another_python_means_a_new_environment(done: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(bootstrap, "python_version", lambda: "3.99")
    monkeypatch.setattr(bootstrap, "make_venv", lambda layout: made.append("venv"))
    monkeypatch.setattr(bootstrap, "install_packages", lambda layout, extras: made.append("packages"))
    bootstrap.prepare(done, frozenset(), networks=False, window=False)
    assert made == ["venv", "packages"]


def test_an_interrupted_installation_is_not_taken_for_a_finished_one(
    done: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(layout: Layout, extras: frozenset[str]) -> None:
        raise SetupError("no connection")

    (done.root / "constraints.txt").write_text(CONSTRAINTS + "\n")
    monkeypatch.setattr(bootstrap, "install_packages", fail)
    for _ in range(2):
        with pytest.raises(SetupError):
            bootstrap.prepare(done, frozenset(), networks=False, window=False)


def test_networks_that_were_deleted_are_fetched_again(done: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(bootstrap.read_stamp(done.stamp).networks[0]).unlink()
    monkeypatch.setattr(bootstrap, "fetch_networks", lambda layout: ("somewhere",))
    bootstrap.prepare(done, frozenset(), networks=True, window=False)
    assert bootstrap.read_stamp(done.stamp).networks == ("somewhere",)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"digest": 1}', '{"digest": "x", "python": "3.11"}'])
def test_a_damaged_stamp_counts_as_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "stamp"
    path.write_text(text)
    assert bootstrap.read_stamp(path) == Stamp()


def test_a_stamp_reads_as_it_was_written(tmp_path: Path) -> None:
    stamp = Stamp("digest", "3.11", frozenset({"test"}), True, ("a file",))
    bootstrap.write_stamp(tmp_path / "stamp.json", stamp)
    assert bootstrap.read_stamp(tmp_path / "stamp.json") == stamp


def test_an_environment_is_made_in_a_folder_with_spaces(checkout: Layout) -> None:
    bootstrap.make_venv(checkout)
    seen = subprocess.run(
        [str(checkout.python), "-c", "import sys; print(sys.prefix)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(seen.stdout.strip()) == checkout.venv.resolve()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(checkout: Layout) -> None:
    checkout.root.chmod(0o500)
    with pytest.raises(SetupError, match="cannot be written"):
        bootstrap.make_venv(checkout)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Collecting numpy==2.4.6 (from -c constraints.txt (line 3))", "  [5] numpy==2.4.6"),
        ("  Downloading torch-2.13.0-cp311.whl (190.3 MB)", "      fetching 190.3 MB"),
        ("  Downloading x-1.0-py3-none-any.whl.metadata (2.8 kB)", None),
        ("Installing collected packages: a, b, c", "  unpacking 3 packages"),
        ("Requirement already satisfied: pip", None),
        ("", None),
    ],
)
def test_of_pips_lines_only_progress_is_shown(line: str, shown: str | None) -> None:
    assert bootstrap.interesting(line, 4) == shown


def test_a_failing_start_ends_with_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise SetupError("the disk is full")

    monkeypatch.setattr(bootstrap, "prepare", fail)
    assert bootstrap.start(["run", "x.mp4"]) == bootstrap.EXIT_SETUP
    assert "the disk is full" in capsys.readouterr().err


def test_tests_run_on_a_virtual_screen_where_there_is_none(
    checkout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_run", lambda command, cwd=None: commands.append(list(command)) or 0)
    monkeypatch.setattr(system, "have_virtual_screen", lambda: True)
    monkeypatch.setattr(system, "needs_virtual_screen", lambda: True)
    bootstrap.run_tests(checkout, ["-k", "x"])
    monkeypatch.setattr(system, "needs_virtual_screen", lambda: False)
    bootstrap.run_tests(checkout, ["-k", "x"])
    assert commands[0][:4] == ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24 +extension GLX"]
    assert commands[0][4:] == commands[1] == [str(checkout.python), "-m", "pytest", "-k", "x"]


def test_without_root_the_line_to_type_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(system, "missing_libraries", lambda: ["libegl1", "libgl1"])
    monkeypatch.setattr(system, "can_install", lambda: False)
    monkeypatch.setattr(system.shutil, "which", lambda name: "/usr/bin/apt-get")
    assert not system.provide_libraries(said.append)
    assert "apt-get install -y libegl1 libgl1" in said[-1]


def test_root_on_debian_gets_the_libraries_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ["libegl1"]
    monkeypatch.setattr(system, "missing_libraries", lambda: list(missing))
    monkeypatch.setattr(system, "can_install", lambda: True)
    monkeypatch.setattr(system, "install", lambda packages: missing.clear() or True)
    assert system.provide_libraries(lambda text: None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux needs libraries besides the packages")
def test_a_library_that_is_not_there_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "LIBRARIES", {"libnothing_of_this_name.so.9": "libnothing9"})
    assert "libnothing9" in system.missing_libraries()
