"""Hands and faces on their way through a run: asked for, stored, in the body, calm, kept by edits."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.errors import ModelError
from app.models.store import ModelStore
from app.pipeline.detail_stage import DetailStage
from app.pipeline.engine import require_networks
from app.pipeline.hand_motion import calm_hands
from app.pipeline.job import Control
from app.pipeline.run import TrackedPose, run_pipeline
from app.project.store import ProjectStore
from app.review.opening import create_project
from app.review.session import Session
from app.review.types import RunOptions
from backends.body.skeleton import JOINT_NAMES
from backends.keypoints.details import Details, FaceLandmarks, HandLandmarks
from backends.keypoints.hands import pixels_per_metre
from backends.tracking.stream import PeopleStream

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)

JAW = JOINT_NAMES.index("jaw")
UNSEEN = (20, 21, 40)


class _Finder:
    """A mouth that opens and closes, trembling; away in a few frames."""

    def __init__(self) -> None:
        self.looked = 0

    def look(self, image: object, people: list[TrackedPose]) -> list[TrackedPose]:
        frame = self.looked
        self.looked += 1
        if frame in UNSEEN:
            return people
        return [replace(p, estimate=replace(p.estimate, details=_speaking(frame))) for p in people]


def _speaking(frame: int) -> Details:
    points = np.zeros((468, 3), np.float32)
    points[152, 1] = 100.0
    tremble = np.random.default_rng(frame).normal(0.0, 2.0)
    points[14, 1] = 14.0 + 8.0 * np.sin(frame / 8) + tremble
    return Details(face=FaceLandmarks(points, 0.9))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("details")
    store, footage = create_project(actors.write_clip(folder / "clip.mp4"), folder / "p.understudy")
    engine = replace(actors.engine(actors.Script(people=1)), details=_Finder)
    run_pipeline(store, footage, engine, RunOptions(hands_face=True), Control(), lambda event: None)
    store.close()
    footage.close()
    return folder / "p.understudy"


def test_they_are_looked_for_only_where_asked(tmp_path: Path) -> None:
    store, footage = create_project(actors.write_clip(tmp_path / "clip.mp4", 12), tmp_path / "p.understudy")
    finder = _Finder()
    engine = replace(actors.engine(actors.Script(people=1)), details=lambda: finder)
    run_pipeline(store, footage, engine, RunOptions(), Control(), lambda event: None)
    assert finder.looked == 0
    assert store.people(5)[0].estimate.details is None
    options = RunOptions(restart=True, hands_face=True)
    run_pipeline(store, footage, engine, options, Control(), lambda event: None)
    assert finder.looked == 12
    assert store.people(5)[0].estimate.details is not None
    store.close()
    footage.close()


def test_the_jaw_moves_calmly_and_bridges_what_is_not_seen(finished: Path) -> None:
    store = ProjectStore.open(finished)
    people = store.track_people(1, 0, 59)
    assert [p.frame for p in people if p.estimate.details is None] == list(UNSEEN)
    jaw = np.array([p.body.params.pose[JAW, 0] for p in people if p.body is not None])
    raw = np.array([float(_speaking(f).face.xyz[14, 1]) for f in range(60)])  # type: ignore[union-attr]
    assert np.ptp(jaw) > 0.1
    assert np.corrcoef(jaw, np.sin(np.arange(60) / 8))[0, 1] > 0.97
    tremble = [float(np.abs(np.diff(v, n=2)).mean() / np.ptp(v)) for v in (jaw, raw)]
    assert tremble[0] < 0.2 * tremble[1]
    assert min(jaw[list(UNSEEN)]) > 0.0
    store.close()


def test_a_drag_keeps_the_mouth_and_the_scene_shows_the_face(finished: Path) -> None:
    session = Session.open_project(finished)
    person = session.scene(10).people[0]
    assert person.face is not None
    assert person.face.shape == (468, 2)
    assert person.left_hand is None
    session.begin_drag(10, 1, 9)
    moved = session.drag(float(person.xy[9, 0]) + 8, float(person.xy[9, 1]) - 6)
    assert moved.face is not None
    session.end_drag()
    store = ProjectStore.open(finished)
    stored = store.person(10, 1)
    assert stored is not None
    assert stored.body is not None
    assert stored.body.params.pose[JAW, 0] > 0.05
    assert stored.estimate.details is not None
    store.close()
    session.undo()
    before = session.scene(10).people[0].face
    session.move_person(10, 1, 7.0, -3.0)
    after = session.scene(10).people[0].face
    assert before is not None
    assert after is not None
    assert np.allclose(after - before, [7.0, -3.0], atol=0.07), "the face goes along with the person"
    session.undo()
    session.close()


def test_frames_without_details_are_left_as_they_are(finished: Path) -> None:
    store = ProjectStore.open(finished)
    people = [
        replace(p, estimate=replace(p.estimate, details=None)) for p in store.track_people(1, 0, 9)
    ]  # fmt: skip
    assert calm_hands(people) == people
    nobody = [replace(p, body=None) for p in store.track_people(1, 0, 9)]
    assert calm_hands(nobody) == nobody
    store.close()


def test_networks_of_hands_and_face_are_needed_only_where_asked(tmp_path: Path) -> None:
    models = ModelStore()
    if not all(models.has(m) for m in ("blazepose-detector", "blazepose-landmarks")):
        pytest.skip("the default networks are not installed (understudy models install)")

    class _Without(ModelStore):
        def path(self, model_id: str) -> Path:
            if model_id in ("hand-landmarks", "face-landmarks"):
                raise ModelError(f"{model_id} is not installed.")
            return super().path(model_id)

    require_networks(_Without())
    with pytest.raises(ModelError, match="hand-landmarks"):
        require_networks(_Without(), hands_face=True)


@pytest.mark.network_weights
def test_hands_and_faces_of_people_close_by_are_found_and_followed() -> None:
    models = ModelStore()
    needed = ("blazepose-detector", "blazepose-landmarks", "hand-landmarks", "face-landmarks")
    if not all(models.has(m) for m in needed):
        pytest.skip("the networks are not installed (understudy models install)")
    from backends.synthetic import open_scene

    scene = open_scene("interview", people=2, cameras=1, seconds=0.3, fps=20, width=1280, height=720, seed=1)
    stream = PeopleStream(models.path(needed[0]), models.path(needed[1]))
    stage = DetailStage(models.path(needed[2]), models.path(needed[3]))
    hands = faces = 0
    for frame in scene.frames():
        image = frame.views[0].image
        for person in stage.look(image, stream.step(frame.index, image)):
            details, kp = person.estimate.details, person.estimate.keypoints
            if details is None:
                continue
            faces += details.face is not None
            for hand, wrist in ((details.left_hand, 9), (details.right_hand, 10)):
                if hand is not None:
                    assert isinstance(hand, HandLandmarks)
                    hands += 1
                    near = 0.1 * pixels_per_metre(person.estimate)
                    assert np.linalg.norm(hand.xy[0] - kp.xy[wrist]) < near
    assert hands >= 6
    assert faces >= 6
    assert stage.look(image, []) == []
