"""The project's own layout: what is written is read, exactly; what is damaged is said to be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fake_scene import FakeScene, H, W

from app.datasets.errors import DataSetError
from app.datasets.npz import read_npz, save_npz
from app.datasets.open import open_truth
from app.datasets.pictures import read_grey
from app.datasets.scene import SceneInfo
from app.datasets.types import TruthSet
from app.datasets.write.own import OwnWriter
from app.footage import open_footage
from backends.body import load_body, posed_joints, posed_keypoints, posed_vertices
from backends.synthetic.types import SceneFrame

N = 3


def write(folder: Path, scene: FakeScene, **options: bool) -> Path:
    """Write a whole scene."""
    folder.mkdir()
    info = SceneInfo("fake", 7, scene.fps, scene.n_frames, scene.camera_names, W, H, scene.plates())
    writer = OwnWriter(folder, info, **options)
    for frame in scene.frames():
        writer.add(frame)
    writer.finish()
    return folder


@pytest.fixture(scope="module")
def scene() -> FakeScene:
    return FakeScene(n_frames=N, moving=True)


@pytest.fixture(scope="module")
def frames(scene: FakeScene) -> list[SceneFrame]:
    return list(scene.frames())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, scene: FakeScene) -> Path:
    return write(tmp_path_factory.mktemp("own") / "scene", scene, vertices=True)


@pytest.fixture(scope="module")
def truth(written: Path) -> TruthSet:
    return open_truth(written)


def test_the_set_is_recognised_with_its_views(truth: TruthSet, written: Path) -> None:
    assert (truth.kind, truth.root) == ("understudy", written)
    assert [(v.name, v.n_frames, v.fps) for v in truth.views] == [("cam01", N, 25.0), ("cam02", N, 25.0)]
    for view in truth.views:
        assert isinstance(view.source, Path)
        with open_footage(view.source) as video:
            assert (video.n_frames, video.width, video.height, video.fps) == (N, W, H, 25.0)
    with pytest.raises(IndexError):
        truth.views[0].frame(N)


def test_everything_comes_back_exactly(truth: TruthSet, frames: list[SceneFrame]) -> None:
    hidden_faces = 0
    for k, view in enumerate(truth.views):
        for frame in frames:
            true, read = frame.views[k], view.frame(frame.index)
            assert read.camera is not None
            for name in ("K", "R", "t", "dist"):
                np.testing.assert_array_equal(getattr(read.camera, name), getattr(true.camera, name))
            assert [p.person_id for p in read.people] == [1, 2]
            for a, b in zip(read.people, true.people):
                assert a.params is not None
                assert a.body == "free"
                for name in ("betas", "pose", "transl"):
                    np.testing.assert_array_equal(getattr(a.params, name), getattr(b.params, name))
                np.testing.assert_array_equal(a.points_2d[0].xy, b.keypoints_2d)
                np.testing.assert_array_equal(a.points_2d[0].visibility, b.visibility)
                np.testing.assert_array_equal(a.points_3d[0].xyz, b.keypoints_3d)
                np.testing.assert_array_equal(a.points_3d[1].xyz, b.joints)
                assert (a.seen, a.face_seen) == (b.seen, b.face_seen)
                for mine, theirs in ((a.box, b.box), (a.face_box, b.face_box), (a.head_box, b.head_box)):
                    assert (mine is None) == (theirs is None)
                    if mine is not None:
                        np.testing.assert_array_equal(mine, theirs)
                hidden_faces += a.face_box is None
                assert a.mask is not None
                assert b.mask is not None
                assert (a.mask.x0, a.mask.y0) == (b.mask.x0, b.mask.y0)
                np.testing.assert_array_equal(a.mask.decode(), b.mask.decode())
                head = np.zeros_like(true.heads, bool)
                assert a.head_mask is not None
                a.head_mask.paint(head)
                np.testing.assert_array_equal(head, true.heads == a.person_id)
    assert hidden_faces == 2 * N


def test_parameters_in_camera_coordinates_pose_the_body_where_it_is(truth: TruthSet) -> None:
    body = load_body()
    for view in truth.views:
        for person in view.frame(1).people:
            assert person.params is not None
            keypoints, joints = person.points_3d
            assert (keypoints.layout.name, joints.layout.name) == ("keypoints23", "smplx55")
            np.testing.assert_allclose(posed_joints(body, person.params), joints.xyz, atol=1e-12)
            np.testing.assert_allclose(posed_keypoints(body, person.params), keypoints.xyz, atol=1e-12)
            np.testing.assert_allclose(posed_vertices(body, person.params), person.vertices, atol=1e-6)


def test_pictures_depth_clouds_and_plates_are_there(
    written: Path, truth: TruthSet, frames: list[SceneFrame]
) -> None:
    for k, name in enumerate(("cam01", "cam02")):
        for frame in frames:
            depth = read_grey(written / "depth" / name / f"{frame.index:06d}.png", np.uint16)
            np.testing.assert_array_equal(depth, frame.views[k].depth_mm)
            ids = read_grey(written / "truth" / "masks" / name / f"{frame.index:06d}.png", np.uint8)
            np.testing.assert_array_equal(ids, frame.views[k].instances)
            heads = read_grey(written / "truth" / "heads" / name / f"{frame.index:06d}.png", np.uint8)
            np.testing.assert_array_equal(heads, frame.views[k].heads)
        np.testing.assert_array_equal(truth.views[k].plate(), FakeScene().plates()[k])
    data = (written / "clouds" / "000001.ply").read_bytes()
    head, body = data.split(b"end_header\n")
    points = np.frombuffer(body, [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    holes = sum(int((v.depth_mm == 0).sum()) for v in frames[1].views)
    assert f"element vertex {len(points)}".encode() in head
    assert len(points) == 2 * W * H - holes
    # A point of the cloud projects back onto the pixel it came from, at its depth.
    first = frames[1].views[0]
    row, column = 10, 20
    at = int((first.depth_mm[:row] > 0).sum() + (first.depth_mm[row, :column] > 0).sum())
    in_camera = first.camera.R @ points["xyz"][at].astype(np.float64) + first.camera.t
    np.testing.assert_allclose(first.camera.project(in_camera), (column, row), atol=1e-3)
    assert in_camera[2] == pytest.approx(first.depth_mm[row, column] / 1000, abs=1e-5)
    np.testing.assert_array_equal(points["rgb"][at], first.image[row, column])


def test_the_same_scene_gives_the_same_bytes_of_truth(
    written: Path, tmp_path: Path, scene: FakeScene
) -> None:
    again = write(tmp_path / "again", scene, vertices=True)

    def hashes(root: Path) -> dict[str, str]:
        files = sorted(p for p in root.rglob("*") if p.is_file())
        return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    assert hashes(again) == hashes(written)
    assert not list(written.rglob(".*")), "no scratch file stays"


def test_clouds_and_vertices_can_be_left_out_and_a_still_camera_is_written_once(tmp_path: Path) -> None:
    root = write(tmp_path / "plain", FakeScene(n_frames=2), clouds=False)
    assert not (root / "clouds").exists()
    assert not (root / "truth" / "vertices").exists()
    assert open_truth(root).views[0].frame(0).people[0].vertices is None
    cameras = json.loads((root / "calibration.json").read_text())["cameras"]
    assert [np.shape(c["R"]) for c in cameras] == [(3, 3), (3, 3)]


def test_an_empty_room_is_written_and_read(tmp_path: Path) -> None:
    truth = open_truth(write(tmp_path / "empty", FakeScene(n_frames=2, people=0), vertices=True))
    assert truth.views[1].frame(1).people == ()


def test_another_body_file_means_that_parameters_are_not_said(tmp_path: Path) -> None:
    root = write(tmp_path / "other", FakeScene(n_frames=1))
    edit_json(root / "dataset.json", lambda d: d["body"].update(sha256="0" * 64))
    person = open_truth(root).views[0].frame(0).people[0]
    assert person.params is None
    assert person.body is None
    assert len(person.points_3d) == 2


def edit_json(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def edit_npz(path: Path, **arrays: object) -> None:
    value = {**read_npz(path), **arrays}
    save_npz(path, {k: np.asarray(v) for k, v in value.items() if v is not None})


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    return write(tmp_path / "victim", FakeScene(n_frames=1, cameras=1), clouds=False)


Harm = Callable[[Path], object]


def described(**values: object) -> Harm:
    return lambda root: edit_json(root / "dataset.json", lambda d: d.update(values))


def calibrated(**values: object) -> Harm:
    return lambda root: edit_json(root / "calibration.json", lambda d: d["cameras"][0].update(values))


def stored(name: str, **arrays: object) -> Harm:
    return lambda root: edit_npz(root / "truth" / name, **arrays)


def put(name: str, content: bytes) -> Harm:
    return lambda root: (root / name).write_bytes(content)


def gone(name: str) -> Harm:
    return lambda root: (root / name).unlink()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (described(schema=99), "newer Understudy"),
        (described(format="x"), "does not describe"),
        (lambda r: edit_json(r / "dataset.json", lambda d: d.pop("fps")), "'fps' is missing"),
        (described(fps=float("nan")), "no numbers"),
        (described(fps=-1), "no frame rate"),
        (described(frames=10**12), "whole number"),
        (described(frames=10**6), "has the shape"),
        (described(people=3), "has the shape"),
        (described(cameras=["../../x"]), "plain names"),
        (described(cameras=["cam09"]), "cam09 is missing"),
        (put("dataset.json", b"{"), "no JSON"),
        (put("dataset.json", b"[" * 100_000), "no JSON"),
        (put("dataset.json", b"\xff\xfe\x00"), "no text"),
        (put("dataset.json", b"[1]"), "should be a table"),
        (gone("calibration.json"), "cannot be read"),
        (calibrated(K=[[1]]), "3 x 3"),
        (calibrated(R=np.ones((3, 3)).tolist()), "no rotation"),
        (calibrated(t=[0, None, 0]), "t of cam01"),
        (calibrated(t=[0, float("inf"), 0]), "t of cam01"),
        (gone("truth/world.npz"), r"world\.npz is missing"),
        (stored("world.npz", pose=None), "'pose' is missing"),
        (stored("world.npz", pose=np.full((1, 2, 55, 3), np.nan)), "NaN or infinity"),
        (stored("world.npz", ids=np.array([1, 1])), "people's numbers"),
        (stored("cam01.npz", ids=np.array([1, 3])), "other people"),
        (stored("cam01.npz", visibility=np.full((1, 2, 23), 3, np.uint8)), "0, 1 or 2"),
        (stored("cam01.npz", seen=np.array([[2.0, 0.5]])), "shares from 0 to 1"),
        (put("truth/masks/cam01/000000.png", b"no picture"), "no picture"),
        (gone("truth/masks/cam01/000000.png"), "cannot be read"),
        (gone("truth/heads/cam01/000000.png"), "cannot be read"),
    ],
)
def test_damage_gets_one_clear_error(victim: Path, harm: Harm, says: str) -> None:
    harm(victim)
    with pytest.raises(DataSetError, match=says) as raised:
        open_truth(victim).views[0].frame(0)
    assert raised.value.exit_code == 3


def test_a_picture_of_ids_of_another_size_is_refused(victim: Path) -> None:
    from app.datasets.pictures import write_grey

    write_grey(victim / "truth" / "masks" / "cam01" / "000000.png", np.zeros((5, 5), np.uint8))
    with pytest.raises(DataSetError, match="5 x 5 pixels"):
        open_truth(victim).views[0].frame(0)


def test_a_plate_that_is_none_is_refused_and_one_that_is_gone_is_not_said(victim: Path) -> None:
    plate = victim / "plates" / "cam01.png"
    plate.write_bytes(b"no picture")
    with pytest.raises(DataSetError, match="no picture"):
        open_truth(victim).views[0].plate()
    plate.unlink()
    assert open_truth(victim).views[0].plate() is None


def test_a_video_that_was_taken_away_is_said_to_be_missing(victim: Path) -> None:
    (victim / "videos" / "cam01.mp4").unlink()
    assert open_truth(victim).views[0].source is None


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match="There is no nothing"):
        open_truth(tmp_path / "nothing")
    with pytest.raises(DataSetError, match="no data set that this program knows"):
        open_truth(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(DataSetError, match="no data set that this program knows"):
        open_truth(tmp_path / "notes.txt")
