"""Runs with a depth sensor."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import FootageError, ProjectError
from app.pipeline.depth import DepthChoice, DepthStage, choose_depth, chosen_depth, project_depth
from app.pipeline.events import Event, Warned
from app.pipeline.fit_stage import FitStage
from app.pipeline.job import Control
from app.pipeline.run import TrackedPose, run_pipeline
from app.project.rows import observation_row
from app.project.store import VIEW, ProjectStore
from app.review.opening import create_project
from app.review.session import Session
from app.review.types import RunOptions
from app.review.warm import warm_up
from backends.camera import assumed_camera
from backends.fitting.depth import Skin

_spec = importlib.util.spec_from_file_location("actors", Path(__file__).with_name("actors.py"))
assert _spec is not None
assert _spec.loader is not None
actors = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(actors)

FRAMES, AWAY_M = 12, 3.8
SIZE = (actors.WIDTH, actors.HEIGHT)
plain = Skin.told
Made = Callable[..., tuple[ProjectStore, object]]


@pytest.fixture
def ward(tmp_path: Path) -> Made:
    """A clip with a project, and a board where the people stand: no pictures of frames 4 and 5."""
    clip = actors.write_clip(tmp_path / "ward.mp4", FRAMES)
    folder = tmp_path / "ward_depth"
    folder.mkdir()
    for i in range(FRAMES):
        if i not in (4, 5):
            board = np.full((actors.HEIGHT, actors.WIDTH), round(1000 * AWAY_M), np.uint16)
            cv2.imwrite(str(folder / f"{i:04d}.png"), board)
    return lambda name="p": create_project(clip, tmp_path / f"{name}.understudy")


def run(store: ProjectStore, footage: object, **options: object) -> tuple[dict, list[Event]]:
    events: list[Event] = []
    summary = run_pipeline(
        store, footage, actors.engine(actors.Script(people=1)), RunOptions(**options), Control(),
        events.append,
    )  # fmt: skip
    return summary, events


def distance(store: ProjectStore, frame: int) -> float:
    person = store.person(frame, 1)
    assert person is not None
    assert person.body is not None
    return float(person.body.params.transl[2])


def test_people_stand_where_the_sensor_has_them(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    choose_depth(store, footage, DepthChoice(tmp_path / "ward_depth"))
    summary, _ = run(store, footage)
    assert summary["depth"] == "ward_depth, in 10 of 12 frames"
    # Size and distance tell the lens.
    assert summary["focal_is"] == "estimated"
    assert summary["focal_px"] < 0.85 * 1.2 * actors.WIDTH
    for frame in range(FRAMES):
        assert distance(store, frame) == pytest.approx(AWAY_M + 0.1, abs=0.15), frame
    assert store.person(4, 1).estimate.depth is None
    assert store.person(3, 1).estimate.depth is not None
    other, same = ward("other")
    run(other, same)
    assert distance(other, 3) > AWAY_M + 0.8


def test_a_refit_and_an_edit_keep_the_distance(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    choose_depth(store, footage, DepthChoice(tmp_path / "ward_depth"))
    run(store, footage)
    store.close()
    footage.close()
    session = Session.open_project(tmp_path / "p.understudy")
    try:
        session.begin_drag(2, 1, 9)
        session.drag(150.0, 120.0)
        session.end_drag()
        assert distance(session._store, 2) == pytest.approx(AWAY_M + 0.1, abs=0.2)
    finally:
        session.close()


def test_a_stored_patch_comes_back_and_an_older_row_has_none(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    choose_depth(store, footage, DepthChoice(tmp_path / "ward_depth"))
    run(store, footage)
    person = store.person(3, 1)
    assert person is not None
    patch = person.estimate.depth
    assert patch is not None
    assert set(np.unique(patch.mm)) == {round(1000 * AWAY_M)}
    again = observation_row(VIEW, person)
    row = store.query("SELECT * FROM observations WHERE frame = 3")[0]
    assert (row["depth_place"], row["depth_mm"]) == (again["depth_place"], again["depth_mm"])
    bare = replace(person, estimate=replace(person.estimate, depth=None))
    store.put_person(bare)
    assert store.person(3, 1).estimate.depth is None


def test_depth_is_chosen_before_bodies_are_fitted(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    choice = DepthChoice(tmp_path / "ward_depth")
    with pytest.raises(FootageError, match="Check the path"):
        choose_depth(store, footage, DepthChoice(tmp_path / "missing"))
    assert chosen_depth(store) is None
    run(store, footage)
    with pytest.raises(ProjectError, match="without depth"):
        choose_depth(store, footage, choice)
    choose_depth(store, footage, choice, restart=True)
    assert chosen_depth(store) == choice
    run(store, footage, restart=True)
    with pytest.raises(ProjectError, match="with depth"):
        choose_depth(store, footage, None)
    (tmp_path / "ward_depth").rename(tmp_path / "moved")
    with pytest.raises(FootageError, match="not where it was"):
        project_depth(store, footage)


def test_depth_of_something_else_makes_no_lens_and_no_monsters(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    for i, path in enumerate(sorted((tmp_path / "ward_depth").iterdir())):
        board = np.full((actors.HEIGHT, actors.WIDTH), 220 if i % 2 else 260, np.uint16)
        cv2.imwrite(str(path), board)
    choose_depth(store, footage, DepthChoice(tmp_path / "ward_depth"))
    summary, _ = run(store, footage)
    assert summary["focal_px"] > 0.3 * actors.WIDTH
    for frame in range(FRAMES):
        person = store.person(frame, 1)
        assert person is not None
        assert person.body is not None
        assert np.isfinite(person.body.params.pose).all()
        assert np.abs(person.body.params.betas).max() < 4.1
        assert 0.1 < person.body.params.transl[2] < 20


def test_a_picture_that_cannot_be_read_costs_its_frame_only(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    choose_depth(store, footage, DepthChoice(tmp_path / "ward_depth"))
    (tmp_path / "ward_depth" / "0007.png").write_bytes(b"\x89PNG nothing")
    _, events = run(store, footage)
    assert any(isinstance(e, Warned) and "0007.png" in e.text for e in events)
    assert store.person(7, 1).estimate.depth is None
    assert store.person(8, 1).estimate.depth is not None


def test_the_lens_may_be_calibrated(tmp_path: Path, ward: Made) -> None:
    store, footage = ward()
    K = [[260, 0, 159.5], [0, 260, 119.5], [0, 0, 1]]
    lens = {
        "name": "color", "width": SIZE[0], "height": SIZE[1], "K": K,
        "dist": [0.0] * 5, "R": np.eye(3).tolist(), "t": [0.0] * 3,
    }  # fmt: skip
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"cameras": [lens]}))
    choose_depth(store, footage, DepthChoice(tmp_path / "ward_depth", calibration=path))
    camera = store.camera()
    assert (camera.fx, camera.assumed, camera.placed) == (260.0, False, False)
    summary, _ = run(store, footage)
    assert summary["focal_is"] == "known"
    assert distance(store, 3) == pytest.approx(AWAY_M + 0.1, abs=0.15)


def test_nobody_and_no_depth_cost_nothing() -> None:
    class Nothing:
        def frame(self, index: int) -> None:
            return None

    stage = DepthStage(Nothing(), SIZE)
    people = [TrackedPose(1, actors.standing(0, 0.0))]
    assert stage.look(0, people) == people
    assert stage.used == 0


def test_a_window_gets_ready_for_depth_too(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    body = actors.BODY
    stage = FitStage(body, assumed_camera(*SIZE))
    monkeypatch.setattr(Skin, "told", lambda self, *a: told.append(1) or plain(self, *a))
    warm_up(stage, depth=True).join()
    ready = len(told)
    assert ready >= 2
    warm_up(stage).join()
    assert len(told) == ready
