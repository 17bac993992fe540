"""The focal length at the end of a run: told by people who are near, left assumed by those far away."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.footage import Footage
from app.pipeline import focal_stage
from app.pipeline.events import Event, StageStarted
from app.pipeline.job import Control
from app.pipeline.run import TrackedPose, run_pipeline
from app.project.store import ProjectStore
from app.review.opening import create_project
from app.review.session import Session
from app.review.types import RunOptions
from backends.body import BodyParams, posed_keypoints
from backends.camera import Camera, assumed_camera
from backends.fitting.start import ray_frame
from backends.fitting.trial import random_pose
from backends.keypoints.types import Keypoints, PoseEstimate

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)

FRAMES, FOCAL = 30, 170.0


def lens(focal: float) -> Camera:
    guess = assumed_camera(actors.WIDTH, actors.HEIGHT)
    K = guess.K.copy()
    K[0, 0] = K[1, 1] = focal
    return Camera(K, guess.width, guess.height)


class Filmed(actors.Script):
    """Two people who turn and bend before a camera with a short lens, or a long one far away."""

    def __init__(self, focal: float, distance: float) -> None:
        super().__init__()
        self._camera, self._distance = lens(focal), distance

    def step(self, index: int, image_rgb: object) -> list[TrackedPose]:
        return [TrackedPose(1, self._seen(index, 1, -0.7)), TrackedPose(2, self._seen(index, 2, 0.6))]

    def _seen(self, index: int, who: int, aside: float) -> PoseEstimate:
        rng = np.random.default_rng([index // 3, who])
        pose = random_pose(actors.BODY, rng, 0.6)
        facing = Rotation.from_euler("xy", [180, float(rng.uniform(-70, 70))], degrees=True)
        pose[0] = facing.as_rotvec()
        params = BodyParams(np.full(10, 0.2 * who - 0.3), pose, np.array([aside, 0.3, self._distance]))
        points = posed_keypoints(actors.BODY, params)
        xy = self._camera.project(points)
        world = (points - points[11:13].mean(axis=0)) @ ray_frame(self._camera, xy.mean(axis=0))
        keypoints = Keypoints(
            xy.astype(np.float32), np.full(23, 0.9, np.float32), np.full(23, 2, np.uint8),
            np.zeros(23, np.uint8),
        )  # fmt: skip
        box = np.array([*xy.min(axis=0), *xy.max(axis=0)], np.float32)
        return PoseEstimate(keypoints, box, 0.95, world.astype(np.float32))


def project(folder: Path) -> tuple[ProjectStore, Footage]:
    clip = actors.write_clip(folder / "clip.mp4", FRAMES)
    return create_project(clip, folder / "p.understudy")


@pytest.fixture(scope="module")
def near(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ProjectStore, Footage]]:
    """A finished run of people who are near."""
    store, footage = project(tmp_path_factory.mktemp("focal"))
    engine = actors.engine(Filmed(FOCAL, 1.9))
    summary = run_pipeline(store, footage, engine, RunOptions(), Control(), lambda e: None)
    assert summary["focal_is"] == "estimated"
    yield store, footage
    store.close()
    footage.close()


def test_people_who_are_near_tell_the_lens(near: tuple[ProjectStore, Footage]) -> None:
    store, _ = near
    camera = store.camera()
    assert camera.estimated
    assert not camera.assumed
    assert not camera.calibrated
    assert camera.fx == pytest.approx(FOCAL, rel=0.2)
    assert camera.fx < 0.65 * assumed_camera(actors.WIDTH, actors.HEIGHT).fx


def test_bodies_stand_where_the_new_lens_sees_them(near: tuple[ProjectStore, Footage]) -> None:
    store, _ = near
    camera = store.camera()
    distances, misses = [], []
    for track in (1, 2):
        for person in store.track_people(track, 0, FRAMES - 1):
            assert person.body is not None
            xy = camera.project(posed_keypoints(actors.BODY, person.body.params))
            misses.append(np.abs(xy - person.body.reprojected).max())
            distances.append(person.body.params.transl[2])
    assert max(misses) < 0.1
    assert np.median(distances) == pytest.approx(1.9, rel=0.2)


def test_a_second_run_changes_nothing(near: tuple[ProjectStore, Footage]) -> None:
    store, footage = near
    before, betas = store.camera(), [t.betas for t in store.tracks()]
    bodies = [p.body for p in store.people(12)]
    events: list[Event] = []
    engine = actors.engine(Filmed(FOCAL, 1.9))
    run_pipeline(store, footage, engine, RunOptions(), Control(), events.append)
    assert store.camera().fx == before.fx
    for old, track in zip(betas, store.tracks()):
        np.testing.assert_array_equal(old, track.betas)
    for old_body, person in zip(bodies, store.people(12)):
        assert old_body is not None
        assert person.body is not None
        np.testing.assert_array_equal(old_body.params.pose, person.body.params.pose)
    assert "smooth" not in [e.stage for e in events if isinstance(e, StageStarted)]


def test_starting_anew_forgets_the_estimate(near: tuple[ProjectStore, Footage], tmp_path: Path) -> None:
    store, _ = near
    copy = tmp_path / "copy.understudy"
    with store.transaction():
        pass
    store.connection.execute("VACUUM INTO ?", (str(copy),))
    other = ProjectStore.open(copy)
    other.clear_results()
    assert other.camera().assumed
    assert other.camera().fx == assumed_camera(actors.WIDTH, actors.HEIGHT).fx
    other.close()


def test_people_far_away_leave_it_assumed(tmp_path: Path) -> None:
    store, footage = project(tmp_path)
    engine = actors.engine(Filmed(900.0, 12.0))
    summary = run_pipeline(store, footage, engine, RunOptions(), Control(), lambda e: None)
    assert summary["focal_is"] == "assumed"
    assert store.camera().assumed
    store.close()
    footage.close()


def test_what_somebody_has_corrected_keeps_the_camera(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, footage = project(tmp_path)
    session = Session(store, footage)
    monkeypatch.setattr(focal_stage, "estimate_focal", lambda *a: pytest.fail("asked"))
    with monkeypatch.context() as quiet:
        quiet.setattr(ProjectStore, "corrected_tracks", lambda self: {1})
        engine = actors.engine(Filmed(FOCAL, 1.9))
        run_pipeline(store, footage, engine, RunOptions(), Control(), lambda e: None)
    assert store.camera().assumed
    session.close()


def test_the_window_learns_of_the_new_lens(tmp_path: Path) -> None:
    store, footage = project(tmp_path)
    session = Session(store, footage)
    before = session.camera
    engine = actors.engine(Filmed(FOCAL, 1.9))
    worker = ProjectStore.open(session.project_path, durable=False)
    run_pipeline(worker, footage, engine, RunOptions(), Control(), lambda e: None)
    worker.close()
    session.refresh()
    assert session.camera is not before
    assert not session.camera.assumed
    assert session.camera.K[0, 0] == store.camera().fx
    assert session.camera.R[1, 2] == before.R[1, 2], "a camera that nobody has placed is taken to be level"
    session.close()
