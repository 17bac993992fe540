"""The clips at the end of a run: calm motion, a person's frames untouched, stopping and going on."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import Cancelled
from app.footage import Footage
from app.pipeline import smooth
from app.pipeline.events import Event, Progress, StageStarted
from app.pipeline.fit_stage import FitStage
from app.pipeline.job import Control
from app.pipeline.run import TrackedPose, run_pipeline
from app.pipeline.smooth import smooth_tracks
from app.pipeline.windows import LEAST, WINDOW, fingerprint, windows_of
from app.project.edits import EditLog
from app.project.findings import findings_of
from app.project.notes import finished, smoothed
from app.project.store import ProjectStore
from app.review.editing import Editor
from app.review.opening import create_project, open_project
from app.review.types import RunOptions
from backends.body import posed_joints
from backends.keypoints.types import Keypoints, PoseEstimate

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)

FRAMES = 160
RUBBISH = (40, 41)


class _Restless(actors.Script):
    """One person whose keypoints tremble by pixels, and are rubbish in two frames."""

    def step(self, index: int, image_rgb: object) -> list[TrackedPose]:
        self.steps.append(index)
        whole = actors.standing(index, 0.0)
        kp = whole.keypoints
        rng = np.random.default_rng(index)
        noise = rng.normal(0.0, 45.0 if index in RUBBISH else 1.5, kp.xy.shape)
        xy = (kp.xy + noise).astype(np.float32)
        keypoints = Keypoints(xy, kp.score, kp.visibility, kp.source)
        world = (whole.world + rng.normal(0.0, 0.03, whole.world.shape)).astype(np.float32)
        return [TrackedPose(1, PoseEstimate(keypoints, whole.box, 0.95, world, whole.mask))]


def _project(folder: Path) -> tuple[ProjectStore, Footage]:
    clip = actors.write_clip(folder / "clip.mp4", FRAMES)
    return create_project(clip, folder / "p.understudy")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProjectStore, Footage, list[Event]]]:
    store, footage = _project(tmp_path_factory.mktemp("smooth"))
    events: list[Event] = []
    run_pipeline(store, footage, actors.engine(_Restless()), RunOptions(), Control(), events.append)
    yield store, footage, events
    store.close()
    footage.close()


def _pelvis_relative(store: ProjectStore) -> np.ndarray:
    bodies = [p.body for p in store.track_people(1, 0, FRAMES - 1)]
    assert all(b is not None for b in bodies)
    joints = np.stack([posed_joints(actors.BODY, b.params)[:22] for b in bodies if b is not None])
    return np.asarray(joints - joints[:, :1])


def _jerk(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(points, n=3, axis=0), axis=-1).mean())


def test_the_run_ends_with_a_motion_that_is_calm_and_right(
    run: tuple[ProjectStore, Footage, list[Event]],
) -> None:
    store, _, events = run
    assert any(isinstance(e, StageStarted) and e.text == "Smoothing bodies over time" for e in events)
    progress = [e for e in events if isinstance(e, Progress) and e.stage == "smooth"]
    assert progress[-1].done == progress[-1].total == FRAMES
    single = FitStage(actors.BODY, store.camera())
    alone = []
    for person in store.track_people(1, 0, FRAMES - 1):
        fitted = single.process(person.frame, 1, person.estimate)
        assert fitted.body is not None
        joints = posed_joints(actors.BODY, fitted.body.params)[:22]
        alone.append(joints - joints[0])
    found = _pelvis_relative(store)
    assert _jerk(found) < 0.1 * _jerk(np.stack(alone))
    steps = np.linalg.norm(np.diff(found, axis=0), axis=-1)
    assert steps.max() < 0.03, "no frame jumps, not even where the keypoints are rubbish"
    shapes = np.stack([b for _, b in store.shapes_of(1)])
    assert np.ptp(shapes, axis=0).max() < 1e-6, "one person has one shape"
    noted = {f.frame for f in findings_of(store) if f.kind == "keypoint-far"}
    assert set(RUBBISH) <= noted, "that a frame does not bear out its body is noted"
    assert not noted & set(range(60, 100))


def test_what_a_run_stores_was_judged_with_the_frames_around(
    run: tuple[ProjectStore, Footage, list[Event]],
) -> None:
    store, footage, _ = run
    stage = FitStage(actors.BODY, store.camera())
    person = store.people(100)[0]
    assert person.body is not None
    assert person.body.single is not None, "what the frame by itself said is kept as evidence"
    assert person.confidence is not None
    assert person.confidence.sites is not None
    assert (person.confidence.sites.row < 6).all(), "by the tables of frames with neighbours"
    beside = store.track_people(1, 85, 115)
    times = footage.times
    span = (float(times[0]), float(times[FRAMES - 1]))
    (again,) = [
        p
        for p in stage.assess_track(beside, [float(times[p.frame]) for p in beside], {}, span)
        if p.frame == 100
    ]
    assert again.confidence is not None
    assert again.confidence.mean_mm == pytest.approx(person.confidence.mean_mm, rel=0.02)
    alone = stage.refit(person, person.body.params.betas).confidence
    assert alone is not None
    assert alone.sites is not None
    assert (alone.sites.row >= 6).all(), "a frame by itself has tables of its own"


def test_nothing_is_done_twice_and_a_correction_moves_only_its_neighbours(
    run: tuple[ProjectStore, Footage, list[Event]],
) -> None:
    store, footage, _ = run
    stage = FitStage(actors.BODY, store.camera())
    assert smooth_tracks(store, stage, footage.fps, Control(), lambda event: None) == 0
    editor = Editor(store, EditLog(store), stage)
    person = editor.need(20, 1)
    wrist = person.estimate.keypoints.xy[9] + np.array([14.0, -10.0], np.float32)
    moved = person.estimate.keypoints.moved(9, (float(wrist[0]), float(wrist[1])))
    edited = editor.with_keypoints(person, moved)
    editor.commit_person("move_keypoint", "Move left wrist", edited)
    before = {p.frame: p.body.params for p in store.track_people(1, 0, FRAMES - 1) if p.body is not None}
    summary = run_pipeline(
        store, footage, actors.engine(_Restless()), RunOptions(), Control(), lambda event: None
    )
    assert summary["people"] == 1
    after = {p.frame: p for p in store.track_people(1, 0, FRAMES - 1)}
    kept = after[20]
    assert kept.reviewed
    assert kept.body is not None
    assert np.array_equal(kept.body.params.pose, before[20].pose), "what a person fixed stays"
    assert np.allclose(kept.estimate.keypoints.xy[9], wrist)

    def away(frame: int) -> float:
        body = after[frame].body
        assert body is not None
        both = [posed_joints(actors.BODY, p)[20] for p in (body.params, before[frame])]
        return float(np.linalg.norm(both[0] - both[1]))

    assert away(21) > 0.02, "the frame beside follows"
    assert away(100) < 0.002


def test_a_stop_keeps_the_single_frames_and_the_next_run_goes_on(tmp_path: Path) -> None:
    store, footage = _project(tmp_path)
    control = Control()

    def stop_at_first_window(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "smooth":
            control.stop()

    with pytest.raises(Cancelled):
        run_pipeline(store, footage, actors.engine(_Restless()), RunOptions(), control, stop_at_first_window)
    assert store.processed()[-1][1] == FRAMES - 1
    people = store.track_people(1, 0, FRAMES - 1)
    assert all(p.body is not None for p in people)
    assert not finished(store)
    first, second = windows_of(1, list(range(FRAMES)), footage.fps)
    assert smoothed(store, 1) == {str(first.first): fingerprint(store, first)}
    whole = fingerprint(store, first)
    again, events = _Restless(), list[Event]()
    run_pipeline(store, footage, actors.engine(again), RunOptions(), Control(), events.append)
    assert again.steps == [], "no frame is looked at again"
    assert finished(store)
    progress = [e for e in events if isinstance(e, Progress) and e.stage == "smooth"]
    assert progress[-1].total == second.last - second.first + 1
    assert fingerprint(store, first) == whole, "a window that is done stays"
    found = _pelvis_relative(store)
    seam = np.linalg.norm(np.diff(found[first.last - 3 : first.last + 4], n=2, axis=0), axis=-1)
    assert seam.max() < 0.01, "the windows meet without a jump"
    store.close()
    footage.close()


def test_a_restart_forgets_what_was_smoothed(
    run: tuple[ProjectStore, Footage, list[Event]], tmp_path: Path
) -> None:
    store, _, _ = run
    assert smoothed(store, 1)
    copy = tmp_path / "copy.understudy"
    store.connection.execute("VACUUM INTO ?", (str(copy),))
    other = ProjectStore.open(copy)
    other.clear_results()
    assert smoothed(other, 1) == {}
    other.close()


def test_windows_cover_a_track_once_and_leave_short_pieces_out() -> None:
    fps = 25.0
    frames = [*range(3), *range(100, 100 + 3 * WINDOW + 5)]
    windows = windows_of(7, frames, fps)
    covered = [f for w in windows for f in range(w.first, w.last + 1)]
    assert covered == list(range(100, 100 + 3 * WINDOW + 5))
    assert all(w.last - w.first + 1 >= LEAST for w in windows)
    assert windows[0].begin == 100
    assert windows[1].begin < windows[1].first
    assert windows[0].end > windows[0].last
    assert windows_of(7, [], fps) == []
    assert len(windows_of(7, list(range(0, 40, 2)), fps)) == 1, "short gaps are bridged"


def test_a_motion_that_fits_nothing_keeps_the_single_frames(
    run: tuple[ProjectStore, Footage, list[Event]],
) -> None:
    store, footage, _ = run
    stage = FitStage(actors.BODY, store.camera())
    people = [
        replace(p, body=None, confidence=None) for p in store.track_people(1, 0, 9)
    ]  # fmt: skip
    nobody = np.zeros(10, np.bool_)
    assert smooth.fit_frames(stage, people, nobody, np.zeros(actors.BODY.n_betas), footage.fps) is None


def test_what_is_edited_while_its_window_is_fitted_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, footage = _project(tmp_path)
    run_pipeline(store, footage, actors.engine(_Restless()), RunOptions(), Control(), lambda event: None)
    stage = FitStage(actors.BODY, store.camera())
    editor = Editor(store, EditLog(store), stage)
    store.connection.execute("DELETE FROM settings")
    fit_frames, edited = smooth.fit_frames, []

    def edit_meanwhile(*arguments: object) -> object:
        result = fit_frames(*arguments)
        if not edited:
            edited.append(editor.move_person(30, 1, 9.0, 0.0))
        return result

    monkeypatch.setattr(smooth, "fit_frames", edit_meanwhile)
    moved_to = editor.need(30, 1).estimate.keypoints.xy + np.array([9.0, 0.0], np.float32)
    assert smooth_tracks(store, stage, footage.fps, Control(), lambda event: None) == FRAMES - 1
    person = editor.need(30, 1)
    assert person.reviewed
    assert np.allclose(person.estimate.keypoints.xy, moved_to)
    assert person.body is not None
    assert np.abs(person.body.reprojected - moved_to).mean() < 6
    store.close()
    footage.close()


_KILLED = """
import importlib.util, os, signal, sys
from pathlib import Path
from app.footage import open_footage
from app.pipeline.events import Progress
from app.pipeline.job import Control
from app.pipeline.run import run_pipeline
from app.project.store import ProjectStore
from app.review.types import RunOptions

spec = importlib.util.spec_from_file_location("test_smooth", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)

def die_at_first_window(event):
    if isinstance(event, Progress) and event.stage == "smooth":
        os.kill(os.getpid(), signal.SIGKILL)

store = ProjectStore.open(Path(sys.argv[2]), durable=False)
with open_footage(Path(sys.argv[3])) as footage:
    engine = module.actors.engine(module._Restless())
    run_pipeline(store, footage, engine, RunOptions(), Control(), die_at_first_window)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no signal that cannot be caught")
def test_a_run_that_is_killed_while_smoothing_goes_on_with_the_next_window(tmp_path: Path) -> None:
    store, footage = _project(tmp_path)
    store.close()
    footage.close()
    command = [sys.executable, "-c", _KILLED, __file__, str(store.path), str(footage.path)]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    store, footage = open_project(store.path)
    assert not finished(store)
    assert len(smoothed(store, 1)) == 1
    events: list[Event] = []
    again = _Restless()
    run_pipeline(store, footage, actors.engine(again), RunOptions(), Control(), events.append)
    assert again.steps == []
    assert finished(store)
    progress = [e for e in events if isinstance(e, Progress) and e.stage == "smooth"]
    assert 0 < progress[-1].total < FRAMES
    assert len(smoothed(store, 1)) == 2
    store.close()
    footage.close()
