"""The command line, called as a person or a script calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from app.cli import main
from app.cli.documents import default_project
from app.cli.progress import Interruptible
from app.footage.writer import VideoWriter
from app.models.store import ModelStore
from app.review.opening import create_project

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def understudy(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.delenv("UNDERSTUDY_COMMAND", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main([str(a) for a in arguments])
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "a clip.mp4"
    writer = VideoWriter(path, 64, 48, np.arange(6, dtype=np.int64), Fraction(1, 25))
    for i in range(6):
        writer.write(np.full((48, 64, 3), 20 * i, np.uint8))
    writer.close()
    return path


COMMANDS = [
    (), ("run",), ("export",), ("deidentify",), ("info",), ("doctor",), ("demo",), ("models",),
    ("models", "list"), ("models", "install"), ("models", "verify"), ("models", "add"), ("bench",),
    ("bench", "seek"), ("bench", "fit"), ("bench", "raster"), ("bench", "pipeline"),
    ("bench", "export"), ("bench", "memory"),
    *(("confidence", c) for c in ("train", "evaluate", "demo", "qualitative", "correlate", "occlude")),
    *(("confidence-model", c) for c in ("data", "train", "calibrate", "evaluate")),
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c) or "understudy")
def test_every_command_explains_itself(understudy: Command, command: tuple[str, ...]) -> None:
    code, out, _ = understudy(*command, "--help")
    assert code == 0
    assert "Usage" in out


def test_the_version_is_the_projects(understudy: Command) -> None:
    code, out, _ = understudy("--version")
    assert (code, out.split()[0]) == (0, "Understudy")


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("run",), ("run", "x.mp4", "--bogus"), ("export", "x", "--what", "painting"),
     ("run", "x.mp4", "--first", "9", "--last", "3"), ("run", "x.mp4", "--first", "-1")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_ends_with_2(understudy: Command, arguments: tuple[str, ...]) -> None:
    code, out, err = understudy(*arguments)
    assert code == 2
    assert not out
    assert err


@pytest.mark.parametrize("command", ["run", "info"])
def test_footage_that_is_not_there_ends_with_3(understudy: Command, tmp_path: Path, command: str) -> None:
    code, out, err = understudy(command, tmp_path / "nothing.mp4")
    assert code == 3
    assert not out
    assert "nothing.mp4" in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir()), "nothing may be left behind"


def test_footage_that_is_no_video_ends_with_3(understudy: Command, tmp_path: Path) -> None:
    path = tmp_path / "letter.mp4"
    path.write_text("Dear all")
    assert understudy("run", path)[0] == 3


@pytest.mark.parametrize("command", ["export", "info"])
def test_a_project_that_is_not_there_ends_with_4(understudy: Command, tmp_path: Path, command: str) -> None:
    code, _, err = understudy(command, tmp_path / "nothing.understudy")
    assert code == 4
    assert "nothing.understudy" in err


def test_a_file_that_is_no_project_ends_with_4(understudy: Command, tmp_path: Path) -> None:
    path = tmp_path / "letter.understudy"
    path.write_text("Dear all")
    assert understudy("info", path)[0] == 4


def test_missing_networks_end_with_5_and_say_what_to_type(
    understudy: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path / "none"))
    code, _, err = understudy("run", clip)
    assert code == 5
    assert "understudy models install blazepose-detector" in err


def test_hints_name_the_program_as_it_was_started(
    understudy: Command, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("UNDERSTUDY_COMMAND", "python3 main.py")
    assert "Type: python3 main.py models install" in understudy("run", clip)[2]


def test_a_device_that_is_not_there_ends_with_8(understudy: Command, clip: Path) -> None:
    code, _, err = understudy("run", clip, "--device", "abacus")
    assert code == 8
    assert "abacus" in err


def test_unexpected_errors_are_one_sentence(
    understudy: Command, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr("app.footage.open_footage", fail)
    code, _, err = understudy("info", clip)
    assert code == 1
    assert "a wheel came off" in err
    assert "Traceback" not in err


def test_info_tells_what_a_video_holds(understudy: Command, clip: Path) -> None:
    code, out, _ = understudy("info", clip, "--json")
    facts = json.loads(out)
    assert code == 0
    assert (facts["width"], facts["height"], facts["frames"]) == (64, 48, 6)
    assert facts["frames_per_second"] == 25
    assert facts["variable_rate"] is False
    assert len(facts["sha256"]) == 64


def test_info_tells_what_a_project_holds(understudy: Command, clip: Path) -> None:
    path = default_project(clip)
    store, footage = create_project(clip, path)
    footage.close()
    store.close()
    code, out, _ = understudy("info", path, "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["footage"] == clip.name
    assert facts["frames"] == 6
    assert facts["processed_frames"] == 0
    assert understudy("info", path)[0] == 0


def test_a_project_of_other_footage_is_not_run_over(understudy: Command, clip: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    writer = VideoWriter(other, 64, 48, np.arange(3, dtype=np.int64), Fraction(1, 25))
    for _ in range(3):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.close()
    path = tmp_path / "p.understudy"
    store, footage = create_project(other, path)
    footage.close()
    store.close()
    code, _, err = understudy("run", clip, "-o", path)
    assert code == 4
    assert "belongs to other footage" in err


@pytest.mark.network_weights
def test_a_video_without_people_is_run_and_says_so(understudy: Command, clip: Path) -> None:
    if not ModelStore().has("blazepose-detector") or not ModelStore().has("blazepose-landmarks"):
        pytest.skip("the default networks are not installed")
    code, out, err = understudy("run", clip, "--json")
    result = json.loads(out)
    assert code == 0
    assert (result["people"], result["frames"]) == (0, 6)
    assert result["warnings"]
    assert "No people" in err
    assert Path(result["project"]) == clip.with_suffix(".understudy")


def test_the_list_of_models_is_fit_for_scripts(
    understudy: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path))
    code, out, _ = understudy("models", "list", "--json")
    assert code == 0
    assert {row["state"] for row in json.loads(out)} == {"missing"}
    assert understudy("models", "list")[0] == 0


def test_a_wrong_file_for_a_model_ends_with_5(
    understudy: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path / "models"))
    wrong = tmp_path / "wrong.onnx"
    wrong.write_bytes(b"no network")
    assert understudy("models", "install", "centerface", "--from", wrong)[0] == 5
    assert understudy("models", "install", "nonsense")[0] == 5
    assert understudy("models", "verify", "centerface")[0] == 5


def test_ones_own_body_is_added_and_verified(
    understudy: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_MODELS", str(tmp_path / "models"))
    mine = tmp_path / "SMPLX_NEUTRAL.npz"
    mine.write_bytes(b"licensed")
    assert understudy("models", "add", "smplx", mine)[0] == 0
    assert understudy("models", "verify")[0] == 0


def test_the_doctor_reports_in_json(understudy: Command) -> None:
    code, out, _ = understudy("doctor", "--json")
    report = json.loads(out)
    assert report["sound"] is (code == 0)
    names = {f["name"] for f in report["findings"]}
    assert {"Python", "Packages", "Body", "Video", "System libraries"} <= names


def test_without_a_screen_the_window_says_so(understudy: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.window.has_screen", lambda: False)
    code, _, err = understudy()
    assert code == 1
    assert "screen" in err


def test_the_first_ctrl_c_stops_the_work_and_the_second_the_program() -> None:
    import signal

    with Interruptible() as control:
        signal.raise_signal(signal.SIGINT)
        assert control.stopped
        with pytest.raises(SystemExit):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("command", "baseline"),
    [
        (("bench", "raster", "--repeats", "2"), "numpy"),
        (("bench", "seek", "--seeks", "4", "--frames", "30", "--width", "320"), "OpenCV"),
    ],
    ids=["raster", "seek"],
)
def test_benchmarks_name_their_baseline(understudy: Command, command: tuple[str, ...], baseline: str) -> None:
    code, out, _ = understudy(*command, "--json")
    report = json.loads(out)
    assert code == 0
    assert any(baseline in str(value) for row in report["rows"] for value in row.values())
    assert all(
        "wrong" not in row or row["wrong"] == "0 of 4" or "OpenCV" in row["reader"] for row in report["rows"]
    )


def test_the_windows_log_is_read(understudy: Command, tmp_path: Path) -> None:
    log = tmp_path / "ui.json"
    log.write_text(json.dumps({"beats": 1000, "longest_ms": [31.5, 12.0]}))
    code, out, _ = understudy("bench", "ui", log, "--json")
    assert code == 0
    assert json.loads(out)["rows"][0]["ms"] == 31.5
    log.write_text("no log")
    assert understudy("bench", "ui", log)[0] == 1
    assert understudy("bench", "ui", tmp_path / "nothing.json")[0] == 1
