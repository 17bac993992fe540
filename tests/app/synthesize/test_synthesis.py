"""Making a data set: whole and checked under its name, or not there at all."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from fake_scene import FakeScene, H, W
from typer.testing import CliRunner

from app.cli.synthesize import synthesize
from app.datasets.open import open_truth
from app.datasets.write.own import OwnWriter
from app.errors import Cancelled, ExportError, StorageError
from app.pipeline.events import Event, Progress, StageStarted
from app.pipeline.job import Control
from app.synthesize import LAYOUTS, SynthesisRequest, run_synthesis
from backends.errors import InputError
from backends.synthetic import Occluder, open_scene
from backends.synthetic.types import SceneFrame

N = 3
ASKED: list[tuple[str, dict[str, Any]]] = []


def fake(preset: str, **wanted: Any) -> FakeScene:
    """Stands for the renderer."""
    ASKED.append((preset, wanted))
    if wanted["people"] > 8:
        raise InputError(f"a scene holds 8 people, not {wanted['people']}")
    return FakeScene(n_frames=N, people=wanted["people"], cameras=wanted["cameras"])


def request(folder: Path, **values: Any) -> SynthesisRequest:
    return SynthesisRequest(folder, **({"width": W, "height": H, "people": 2, "cameras": 2} | values))


def quiet(event: Event) -> None:
    """Nobody listens."""


def left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_written_and_can_be_opened(tmp_path: Path, layout: str) -> None:
    events: list[Event] = []
    folder = tmp_path / "new" / "scene"
    result = run_synthesis(request(folder, layout=layout), Control(), events.append, open_scene=fake)
    truth = open_truth(folder)
    assert truth.kind == layout
    assert len(truth.views) == 2
    assert (result["frames"], result["folder"], result["layout"]) == (N, str(folder.resolve()), layout)
    assert result["bytes"] > 1000
    assert left(tmp_path / "new") == ["scene"], "no temporary folder stays"
    assert isinstance(events[0], StageStarted)
    progress = [e for e in events if isinstance(e, Progress)]
    assert [(e.done, e.total) for e in progress] == [(k + 1, N) for k in range(N)]
    assert progress[-1].remaining_s == 0.0


def test_the_options_reach_the_renderer(tmp_path: Path) -> None:
    ASKED.clear()
    wanted = request(tmp_path / "a", preset="walk", seconds=2.0, fps=30.0, seed=9)
    run_synthesis(wanted, Control(), quiet, open_scene=fake)
    usual = request(tmp_path / "b", preset="interview", people=None, cameras=None)
    run_synthesis(usual, Control(), quiet, open_scene=fake)
    same = {"seconds": 2.0, "fps": 30.0, "width": W, "height": H, "seed": 9, "hand_held": False,
            "light_swing": 0.0}  # fmt: skip
    assert ASKED[0] == ("walk", {"people": 2, "cameras": 2, "occluder": None, **same})
    assert (ASKED[1][1]["people"], ASKED[1][1]["cameras"]) == (2, 1)
    more = request(tmp_path / "c", hand_held=True, occluder=0.3, light_swing=0.06)
    run_synthesis(more, Control(), quiet, open_scene=fake)
    assert ASKED[2][1]["hand_held"] is True
    assert ASKED[2][1]["light_swing"] == 0.06
    assert isinstance(ASKED[2][1]["occluder"], Occluder)


def test_an_empty_folder_is_taken_and_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run_synthesis(request(tmp_path / "empty"), Control(), quiet, open_scene=fake)
    assert open_truth(tmp_path / "empty").kind == "understudy"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("precious")
    with pytest.raises(ExportError, match="not an empty folder"):
        run_synthesis(request(tmp_path / "full"), Control(), quiet, open_scene=fake)
    assert (tmp_path / "full" / "thesis.txt").read_text() == "precious"
    with pytest.raises(ExportError, match="not an empty folder"):
        run_synthesis(request(tmp_path / "full" / "thesis.txt"), Control(), quiet, open_scene=fake)


def test_what_comes_into_the_folder_meanwhile_is_not_lost(tmp_path: Path) -> None:
    class Busy(FakeScene):
        def frames(self) -> Iterator[SceneFrame]:
            yield from super().frames()
            (tmp_path / "scene").mkdir()
            (tmp_path / "scene" / "thesis.txt").write_text("precious")

    with pytest.raises(ExportError, match="not an empty folder"):
        run_synthesis(request(tmp_path / "scene"), Control(), quiet, open_scene=lambda *_, **__: Busy())
    assert left(tmp_path) == ["scene"]
    assert left(tmp_path / "scene") == ["thesis.txt"]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_stopping_leaves_nothing(tmp_path: Path, layout: str) -> None:
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.done == 2:
            control.stop()

    with pytest.raises(Cancelled):
        run_synthesis(request(tmp_path / "scene", layout=layout), control, stop, open_scene=fake)
    assert left(tmp_path) == []


def test_stopping_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    control = Control()
    control.stop()
    with pytest.raises(Cancelled):
        run_synthesis(request(tmp_path / "scene"), control, quiet, open_scene=fake)
    assert left(tmp_path) == []


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: OwnWriter, frame: SceneFrame) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(OwnWriter, "add", full)
    with pytest.raises(StorageError, match="disk is full"):
        run_synthesis(request(tmp_path / "scene"), Control(), quiet, open_scene=fake)
    assert left(tmp_path) == []


def test_a_fault_while_drawing_leaves_nothing(tmp_path: Path) -> None:
    class Broken(FakeScene):
        def frames(self) -> Iterator[SceneFrame]:
            yield self.frame(0)
            raise MemoryError

    with pytest.raises(MemoryError):
        run_synthesis(request(tmp_path / "scene"), Control(), quiet, open_scene=lambda *_, **__: Broken())
    assert left(tmp_path) == []


def test_a_scene_that_ends_early_or_goes_on_is_not_passed_off_as_whole(tmp_path: Path) -> None:
    class Other(FakeScene):
        extra = -1

        def frames(self) -> Iterator[SceneFrame]:
            return (self.frame(i) for i in range(self.n_frames + self.extra))

    for extra in (-1, 1):
        scene = Other(n_frames=N)
        scene.extra = extra
        with pytest.raises(ExportError):
            run_synthesis(request(tmp_path / "x"), Control(), quiet, open_scene=lambda *_, s=scene, **__: s)
    assert left(tmp_path) == []


def test_what_cannot_be_read_back_does_not_get_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = OwnWriter.finish

    def forgetful(self: OwnWriter) -> None:
        finish(self)
        next((tmp_path / ".scene.part" / "truth" / "masks" / "cam02").glob("*2.png")).unlink()

    monkeypatch.setattr(OwnWriter, "finish", forgetful)
    with pytest.raises(ExportError, match=r"cannot be read back: 000002\.png"):
        run_synthesis(request(tmp_path / "scene"), Control(), quiet, open_scene=fake)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"layout": "zip"}, "no layout 'zip'"),
        ({"people": 0}, "0 people"),
        ({"people": -3}, "-3 people"),
        ({"width": 7}, "7 x 64 cannot be made"),
        ({"height": 65}, "even numbers"),
        ({"width": 10**6}, "cannot be made"),
        ({"fps": 0.0}, "frames/s cannot be made"),
        ({"fps": float("nan")}, "frames/s cannot be made"),
        ({"seconds": -1.0}, "cannot be made"),
        ({"seconds": float("inf")}, "cannot be made"),
        ({"seconds": 1e9}, "cannot be made"),
    ],
)
def test_impossible_requests_are_refused_before_anything_is_drawn(
    tmp_path: Path, values: dict[str, Any], says: str
) -> None:
    ASKED.clear()
    with pytest.raises(ExportError, match=says):
        run_synthesis(request(tmp_path / "scene", **values), Control(), quiet, open_scene=fake)
    assert not ASKED
    assert left(tmp_path) == []


def test_a_scene_that_the_renderer_refuses_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds 8 people"):
        run_synthesis(request(tmp_path / "scene", people=9), Control(), quiet, open_scene=fake)
    assert left(tmp_path) == []


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setattr("backends.synthetic.open_scene", fake, raising=False)
    app = typer.Typer()
    app.command()(synthesize)
    return app


def test_the_command_writes_and_prints_json(tmp_path: Path, command: typer.Typer) -> None:
    words = f"--preset walk --people 2 --cameras 2 --seconds 1 --size {W}x{H} --seed 7 --layout coco --feet"
    line = ["-o", str(tmp_path / "s"), *words.split(), "--json"]
    done = CliRunner().invoke(command, line)
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["frames"], result["preset"], result["seed"]) == (N, "walk", 7)
    person = open_truth(tmp_path / "s").views[0].frame(0).people[0]
    assert np.shape(person.points_2d[1].xy) == (23, 2)


def test_the_command_says_in_words_what_it_wrote(tmp_path: Path, command: typer.Typer) -> None:
    line = ["-o", str(tmp_path / "s"), "--size", f"{W}x{H}", "--no-clouds", "--cameras", "1", "--people", "1"]
    done = CliRunner().invoke(command, line)
    assert done.exit_code == 0, done.output
    assert f"Wrote {N} frames of 1 camera (" in done.stdout
    assert not (tmp_path / "s" / "clouds").exists()


@pytest.mark.parametrize(
    "wrong",
    [["--size", "big"], ["--preset", "moon"], ["--layout", "zip"], ["--seed", "-1"], ["--people", "x"]],
)
def test_the_command_refuses_wrong_words(tmp_path: Path, command: typer.Typer, wrong: list[str]) -> None:
    assert CliRunner().invoke(command, ["-o", str(tmp_path / "s"), *wrong]).exit_code == 2
    assert left(tmp_path) == []


def test_what_the_renderer_draws_comes_back_the_same_and_the_same_again(tmp_path: Path) -> None:
    asked = request(
        tmp_path / "a", preset="walk", people=2, cameras=1, seconds=0.08, width=96, height=64, seed=5
    )
    run_synthesis(asked, Control(), quiet)
    run_synthesis(replace(asked, folder=tmp_path / "b"), Control(), quiet)
    for name in ("truth/world.npz", "truth/cam01.npz", "calibration.json", "dataset.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    (view,) = open_truth(tmp_path / "a").views
    scene = open_scene("walk", people=2, cameras=1, seconds=0.08, width=96, height=64, seed=5)
    places = []
    for drawn in scene.frames():
        frame, true = view.frame(drawn.index), drawn.views[0]
        assert frame.camera is not None
        np.testing.assert_array_equal(frame.camera.R, true.camera.R)
        places.append(frame.camera.t)
        assert len(frame.people) == len(true.people) == 2
        for a, b in zip(frame.people, true.people):
            assert a.params is not None
            np.testing.assert_allclose(a.params.pose, b.params.pose, atol=1e-12)
            np.testing.assert_allclose(a.params.transl, b.params.transl, atol=1e-12)
            np.testing.assert_allclose(a.points_3d[0].xyz, b.keypoints_3d, atol=1e-12)
            np.testing.assert_array_equal(a.points_2d[0].xy, b.keypoints_2d)
            assert (a.mask is None) == (b.mask is None)
            if a.mask is not None and b.mask is not None:
                np.testing.assert_array_equal(a.mask.decode(), b.mask.decode())
    assert not np.array_equal(places[0], places[-1]), "the camera is carried"
