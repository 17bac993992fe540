"""Several cameras through the command: people told apart, fitted together, written, put into projects."""

from __future__ import annotations

import csv
import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from app.cli.program import run as command
from app.datasets.errors import DataSetError
from app.datasets.read.pose2sim import read_trc
from app.errors import Cancelled
from app.multiview.calibration import cameras_for, read_calibration
from app.multiview.hands import RoomHands
from app.multiview.keypoints import read_keypoints
from app.multiview.people import project
from app.multiview.run import run_views
from app.multiview.types import Seen, ViewsError, ViewsRequest
from app.multiview.write import marker_name
from app.pipeline.events import Event, Progress, Warned
from app.pipeline.job import Control
from app.project.notes import from_views
from app.review.opening import open_project
from app.review.session import Session
from backends.body import posed_joints
from backends.fitting.hands import HandBender
from backends.fitting.problem import resting_hands
from backends.keypoints.details import Details, HandLandmarks
from backends.keypoints.layout import KEYPOINT_NAMES
from backends.keypoints.types import Visibility


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


room = _load(Path(__file__).with_name("room.py"))


def joints_mm(joints: np.ndarray, frames: np.ndarray) -> float:
    """Mean distance to the nearer of the two people, joint by joint."""
    best = []
    for person in range(2):
        true = np.stack([posed_joints(room.BODY, room.PEOPLE[person][f])[:22] for f in frames])
        best.append(1e3 * np.linalg.norm(joints - true, axis=2).mean())
    return float(min(best))


def quiet(event: Event) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("room")
    room.own_json(folder / "calibration.json")
    room.write_openpose(folder / "openpose")
    return folder


def test_openpose_and_calibration_become_people_in_the_room(place: Path, tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "out"
    words = [
        "views",
        "-c",
        str(place / "calibration.json"),
        "--keypoints",
        str(place / "openpose"),
        "-o",
        str(out),
    ]
    assert command([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["people"] == 2
    assert told["moments"] == 2 * room.N
    assert told["all"]["median_px"] < 4
    assert [c["name"] for c in told["cameras"]] == list(room.NAMES)
    with np.load(out / "people.npz", allow_pickle=False) as data:
        assert data["people"].tolist() == [1, 2]
        for n in (1, 2):
            frames = data[f"{n}/frames"]
            assert joints_mm(data[f"{n}/joints"], frames) < 18
            assert data[f"{n}/body_pose"].shape == (room.N, 63)
            assert np.ptp(data[f"{n}/betas"], axis=0).max() == 0, "one person has one shape"
            assert (data[f"{n}/joint_sd_mm"] > 0).all()
        assert np.allclose(data["camera/cam02/R"], room.CAMERAS[1].R)
        first = data["1/keypoints"]
    markers = read_trc(out / "person1.trc")
    assert markers.layout.joints == KEYPOINT_NAMES
    assert np.abs(markers.points - first).max() < 1e-5
    with (out / "points.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * room.N * 45
    nose = next(r for r in rows if r["name"] == "nose" and r["person"] == "1")
    assert np.allclose([float(nose[k]) for k in ("x_m", "y_m", "z_m")], first[0, 0], atol=1e-5)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["cameras"] == told["cameras"]
    assert command(words) == 0
    shown = capsys.readouterr().out
    assert "2 people" in shown
    assert "cam03" in shown


def test_footage_becomes_projects_with_the_same_people(tmp_path: Path) -> None:
    videos = room.write_videos(tmp_path)
    calibration = room.own_json(tmp_path / "calibration.json")
    request = ViewsRequest(tuple(videos), calibration, tmp_path / "out")
    # The third camera never sees the second person in the first frames, and loses the first one's number.
    scripts = [
        room.Perception(0), room.Perception(1), room.Perception(2, hides=((1, 0, 6),), breaks=8),
    ]  # fmt: skip
    events: list[Event] = []
    told = run_views(request, Control(), events.append, engine=room.engine(scripts))
    assert told["people"] == 2
    assert any(isinstance(e, Progress) and e.stage == "views" for e in events)
    assert [Path(p).name for p in told["projects"]] == [f"{n}.understudy" for n in room.NAMES]
    where: dict[str, list[np.ndarray]] = {}
    guessed = 0
    for v, path in enumerate(map(Path, told["projects"])):
        store, footage = open_project(path)
        assert from_views(store) == 3
        assert store.camera().calibrated
        tracks = {t.track_id: t.name for t in store.tracks()}
        assert sorted(tracks.values()) == ["Person 1", "Person 2"]
        for frame in (2, 10):
            people = store.people(frame)
            assert len(people) == 2
            for p in people:
                assert p.body is not None
                assert p.confidence is not None
                assert 0 < p.confidence.mean_mm < 100
                c = store.camera()
                joints = (posed_joints(room.BODY, p.body.params)[:22] - c.t) @ c.R
                where.setdefault(f"{tracks[p.track_id]} {frame}", []).append(joints)
                if p.estimate.score < 0.5:  # only the other cameras know
                    assert (v, frame) == (2, 2)
                    assert (p.estimate.keypoints.visibility == Visibility.OCCLUDED).sum() > 11
                    guessed += 1
        store.close()
        footage.close()
    assert guessed == 1
    for name, places in where.items():
        assert len(places) == 3
        assert max(np.abs(p - places[0]).max() for p in places) < 2e-3, name
        assert joints_mm(places[0][None], np.array([int(name.split()[-1])])) < 20
    session = Session.open_project(Path(told["projects"][0]))
    try:
        assert "3 cameras" in session.confidence_note
        assert len(session.scene(4).people) == 2
    finally:
        session.close()
    # Once more: nothing is looked for again, and the same comes out.
    again = run_views(request, Control(), quiet, engine=room.engine([]))
    assert (again["people"], again["moments"]) == (told["people"], told["moments"])


def test_what_was_stopped_goes_on(tmp_path: Path) -> None:
    videos = room.write_videos(tmp_path)
    request = ViewsRequest(tuple(videos), room.own_json(tmp_path / "calibration.json"), tmp_path / "out")
    control = Control()

    def stop(event: Event) -> None:
        if isinstance(event, Progress) and event.stage == "views":
            control.stop()

    scripts = [room.Perception(v) for v in range(3)]
    with pytest.raises(Cancelled):
        run_views(request, control, stop, engine=room.engine(scripts))
    assert not (tmp_path / "out" / "people.npz").exists()
    told = run_views(request, Control(), quiet, engine=room.engine([]))
    assert told["people"] == 2


@pytest.mark.parametrize("kind", ["own", "easymocap", "toml", "disguisor"])
def test_every_calibration_says_the_same(tmp_path: Path, kind: str) -> None:
    path = {
        "own": lambda: room.own_json(tmp_path / "calibration.json").parent,
        "easymocap": lambda: room.easymocap(tmp_path / "e") / "intri.yml",
        "toml": lambda: room.toml(tmp_path / "Calib.toml"),
        "disguisor": lambda: room.disguisor(tmp_path / "d"),
    }[kind]()
    known = read_calibration(path)
    names = ["cn01", "cn02", "cn03"] if kind == "disguisor" else list(room.NAMES)
    found = cameras_for(names, [(1280, 720)] * 3, known, "there")
    for a, b in zip(found, room.CAMERAS):
        assert (a.width, a.height) == (1280, 720)
        lens = np.zeros(5) if kind == "disguisor" else b.dist  # its pictures are undistorted
        for x, y in ((a.K, b.K), (a.R, b.R), (a.t, b.t), (a.dist, lens)):
            assert np.allclose(x, y, atol=1e-6)


def test_cameras_that_begin_at_different_moments(tmp_path: Path) -> None:
    calibration = room.own_json(tmp_path / "calibration.json")
    late = (0, 4, 1)
    room.write_openpose(tmp_path / "late", late)
    wrong = ViewsRequest((), calibration, tmp_path / "a", tmp_path / "late")
    right = replace(wrong, output=tmp_path / "b", offsets=late)
    a, b = (run_views(r, Control(), quiet) for r in (wrong, right))
    assert b["all"]["median_px"] < 4
    assert b["all"]["median_px"] < (a["all"]["median_px"] or 99)
    assert b["moments"] == 2 * room.N


def test_a_knocked_camera_is_told_and_touched_up(place: Path, tmp_path: Path) -> None:
    c = room.CAMERAS[2]
    R = Rotation.from_euler("xyz", [1.4, -1.1, 0.4], degrees=True).as_matrix() @ c.R
    off = [*room.CAMERAS[:2], replace(c, R=R, t=R @ c.R.T @ c.t)]
    calibration = room.own_json(tmp_path / "calibration.json", off)
    request = ViewsRequest((), calibration, tmp_path / "a", place / "openpose")
    events: list[Event] = []
    before = run_views(request, Control(), events.append)
    after = run_views(replace(request, output=tmp_path / "b", refine_cameras=True), Control(), events.append)
    assert before["cameras"][2]["median_px"] > 8 > 3 > after["cameras"][2]["median_px"]
    assert after["cameras"][2]["keypoints_used"] > 1.5 * before["cameras"][2]["keypoints_used"]
    turned = [r["turned_deg"] for r in after["refined"]]
    assert int(np.argmax(turned)) == 2
    assert before["refined"] == []
    assert any(isinstance(e, Warned) and "cam03 does not agree" in e.text for e in events)


def test_markers_are_called_as_opensim_calls_them() -> None:
    assert [marker_name(n) for n in ("nose", "left_eye", "right_big_toe")] == ["Nose", "LEye", "RBigToe"]


def test_layouts_are_told_apart_by_themselves(place: Path, tmp_path: Path) -> None:
    names = list(room.NAMES)
    auto = read_keypoints(place / "openpose", names, "auto")
    said = read_keypoints(place / "openpose", names, "body25")
    for a, b in zip(auto, said):
        assert sorted(a) == list(range(room.N))
        for frame in (0, 5):
            for x, y in zip(a[frame], b[frame]):
                assert np.array_equal(x.keypoints.xy, y.keypoints.xy)
    true = room.keypoints_of(0, 0, 5)
    there = true.visibility > 0
    assert np.abs(auto[0][5][0].keypoints.xy[there] - true.xy[there]).max() < 0.01


def _spoilt(place: Path, folder: Path, what: str) -> ViewsRequest:
    calibration, keypoints = room.own_json(folder / "calibration.json"), folder / "k"
    room.write_openpose(keypoints)
    request = ViewsRequest((), calibration, folder / "out", keypoints)
    first = sorted((keypoints / "cam01").iterdir())[0]
    if what == "no calibration":
        return replace(request, calibration=folder / "gone.toml")
    if what == "not one":
        (folder / "notes.txt").write_text("hello")
        return replace(request, calibration=folder / "notes.txt")
    if what == "nan":
        said = json.loads(calibration.read_text())
        said["cameras"][1]["t"][0] = float("nan")
        calibration.write_text(json.dumps(said))
    elif what == "skewed":
        said = json.loads(calibration.read_text())
        said["cameras"][1]["R"][0][0] += 0.3
        calibration.write_text(json.dumps(said))
    elif what == "one place":
        room.own_json(calibration, [room.CAMERAS[0]] * 3)
    elif what == "no folder":
        (keypoints / "cam02").rename(keypoints / "other")
    elif what == "empty":
        for path in (keypoints / "cam03").iterdir():
            path.unlink()
    elif what == "broken json":
        first.write_text("{")
    elif what == "other points":
        first.write_text(json.dumps({"people": [{"pose_keypoints_2d": [1.0] * 3 * 11}]}))
    elif what == "no people":
        first.write_text(json.dumps({"persons": []}))
    elif what == "layout":
        return replace(request, layout="openpose")
    elif what == "offsets":
        return replace(request, offsets=(1, 2))
    elif what == "range":
        return replace(request, first=500)
    elif what == "one view":
        return ViewsRequest((first,), calibration, folder / "out")
    return request


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("no calibration", r"gone\.toml"), ("not one", r"notes\.txt is no calibration"), ("nan", "cam02"),
        ("skewed", "cam02"), ("one place", "stand in one place"), ("no folder", "camera cam02"),
        ("empty", "cam03 holds no json"), ("broken json", r"keypoints\.json"), ("other points", "points"),
        ("no people", "neither OpenPose"), ("layout", "no layout 'openpose'"), ("offsets", "3 cameras need"),
        ("range", "no frames"), ("one view", "."),
    ],
)  # fmt: skip
def test_what_does_not_belong_together_is_said(place: Path, tmp_path: Path, what: str, said: str) -> None:
    from app.errors import UnderstudyError

    with pytest.raises(UnderstudyError, match=said):
        run_views(_spoilt(place, tmp_path, what), Control(), quiet)
    assert not (tmp_path / "out" / "people.npz").exists()


def test_nobody_in_common_is_said_and_written(tmp_path: Path) -> None:
    calibration = room.own_json(tmp_path / "calibration.json")
    for name in room.NAMES:
        (tmp_path / "k" / name).mkdir(parents=True)
        (tmp_path / "k" / name / "0.json").write_text(json.dumps({"people": []}))
    events: list[Event] = []
    told = run_views(
        ViewsRequest((), calibration, tmp_path / "out", tmp_path / "k"), Control(), events.append
    )
    assert told["people"] == 0
    assert any(isinstance(e, Warned) and "two cameras at once" in e.text for e in events)
    assert (tmp_path / "out" / "report.json").is_file()


def test_sizes_and_names_must_fit(tmp_path: Path) -> None:
    known = read_calibration(room.toml(tmp_path / "Calib.toml"))
    with pytest.raises(ViewsError, match="1280 x 720"):
        cameras_for(list(room.NAMES), [(640, 360)] * 3, known, "Calib.toml")
    with pytest.raises(ViewsError, match="no camera called door"):
        cameras_for(["cam01", "door", "cam03"], [(1280, 720)] * 3, known, "Calib.toml")
    by_order = cameras_for(["left", "door", "right"], [(1280, 720)] * 3, known, "Calib.toml")
    assert np.allclose(by_order[1].t, room.CAMERAS[1].t)
    with pytest.raises(DataSetError):
        read_calibration(_cut(room.easymocap(tmp_path / "e")))[0].camera(1280, 720)


def _cut(folder: Path) -> Path:
    path = folder / "extri.yml"
    path.write_text(path.read_text()[:200])
    return folder


def test_hands_that_two_cameras_show_are_bent() -> None:
    bender = HandBender(room.BODY)
    wanted = room.PEOPLE[0][3]
    pose = wanted.pose.copy()
    pose[25:55] *= 0.0
    flat = replace(wanted, pose=pose)
    curled = wanted.pose.copy()
    curled[22:] = resting_hands()
    true = bender.points(replace(wanted, pose=curled), "left")
    seen = {}
    for v, c in enumerate(room.CAMERAS):
        hand = HandLandmarks(project(c, true).astype(np.float32), np.zeros((21, 3), np.float32), 0.9)
        seen[v] = Seen(room.keypoints_of(v, 0, 3), 1, Details(left_hand=hand))
    hands = RoomHands(room.BODY, room.CAMERAS)
    bent = hands.bend(flat, seen)
    away = [np.linalg.norm(bender.points(p, "left") - true, axis=1).mean() for p in (flat, bent)]
    assert away[1] < 0.35 * away[0]
    assert np.array_equal(bent.pose[40:55], flat.pose[40:55]), "the other hand was not seen"
    assert hands.bend(flat, {0: seen[0]}) is flat, "one camera tells no depth"
