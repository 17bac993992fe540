"""DisguisOR's, COCO's and EasyMocap's layouts: what is written of a scene is what is read."""

from __future__ import annotations

import json
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from fake_scene import FakeScene, H, W
from scipy.spatial.transform import Rotation

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth
from app.datasets.pictures import read_grey
from app.datasets.scene import SceneInfo, SceneWriter
from app.datasets.types import TruthSet
from app.datasets.write.coco import CocoWriter
from app.datasets.write.disguisor import DisguisorWriter
from app.datasets.write.easymocap import EasyMocapWriter
from app.errors import ExportError
from backends.keypoints.convert import from_default
from backends.synthetic.types import SceneFrame

N = 2


def feet(folder: Path, info: SceneInfo) -> SceneWriter:
    return CocoWriter(folder, info, feet=True)


MAKERS: dict[str, Callable[[Path, SceneInfo], SceneWriter]] = {
    "disguisor": DisguisorWriter, "coco": feet, "easymocap": EasyMocapWriter,
}  # fmt: skip


def write(folder: Path, scene: FakeScene, layout: str) -> Path:
    """Write a whole scene."""
    folder.mkdir()
    info = SceneInfo("fake", 7, scene.fps, scene.n_frames, scene.camera_names, W, H, scene.plates())
    writer = MAKERS[layout](folder, info)
    for frame in scene.frames():
        writer.add(frame)
    writer.finish()
    return folder


@pytest.fixture(scope="module")
def frames() -> list[SceneFrame]:
    return list(FakeScene(n_frames=N).frames())


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("layouts")
    return {layout: write(base / layout, FakeScene(n_frames=N), layout) for layout in MAKERS}


@pytest.fixture(params=list(MAKERS))
def truth(request: pytest.FixtureRequest, roots: dict[str, Path]) -> TruthSet:
    return open_truth(roots[request.param])


def test_each_layout_is_recognised_with_its_pictures(truth: TruthSet) -> None:
    assert truth.kind in MAKERS
    assert len(truth.views) == 2
    for view in truth.views:
        assert view.n_frames == N
        assert isinstance(view.source, tuple)
        assert all(path.is_file() for path in view.source)
        assert len(view.source) == N


def test_keypoints_come_back_with_their_visibility(truth: TruthSet, frames: list[SceneFrame]) -> None:
    seen = 0
    for k, view in enumerate(truth.views):
        for frame in frames:
            for a, b in zip(view.frame(frame.index).people, frame.views[k].people):
                assert a.person_id == b.person_id
                points = a.points_2d[-1]
                name = points.layout.name
                n = len(points.layout.joints)
                if name == "body25":
                    both = from_default(np.column_stack([b.keypoints_2d, b.visibility]), name)
                    true_xy, true_v = both[:, :2], both[:, 2]
                    true_v[[1, 8]] = b.visibility[[5, 6]].min(), b.visibility[[11, 12]].min()
                else:
                    true_xy, true_v = b.keypoints_2d[:n], b.visibility[:n]
                np.testing.assert_array_equal(points.visibility, true_v)
                known = true_v > 0
                np.testing.assert_array_equal(points.xy[known], true_xy[known])
                seen += int(known.sum())
    assert seen > 100


def test_boxes_and_masks_come_back(roots: dict[str, Path], frames: list[SceneFrame]) -> None:
    for layout in ("coco", "easymocap"):
        person = open_truth(roots[layout]).views[1].frame(1).people[1]
        true = frames[1].views[1].people[1]
        np.testing.assert_array_equal(person.box, true.box)
        if layout == "coco":
            assert person.mask is not None
            assert true.mask is not None
            np.testing.assert_array_equal(person.mask.decode(), true.mask.decode())


def test_cameras_and_world_points_come_back(roots: dict[str, Path], frames: list[SceneFrame]) -> None:
    for layout in ("disguisor", "easymocap"):
        for k, view in enumerate(open_truth(roots[layout]).views):
            read, true = view.frame(0), frames[0].views[k]
            assert read.camera is not None
            assert (read.camera.width, read.camera.height) == (W, H)
            np.testing.assert_array_equal(read.camera.K, true.camera.K)
            np.testing.assert_allclose(read.camera.R, true.camera.R, atol=1e-15)
            np.testing.assert_allclose(read.camera.t, true.camera.t, atol=1e-14)
            for a, b in zip(read.people, true.people):
                points = a.points_3d[0]
                at = [points.layout.joints.index(name) for name in ("nose", "right_ankle")]
                np.testing.assert_allclose(points.xyz[at], b.keypoints_3d[[0, 16]], atol=1e-12)


def test_disguisor_files_are_as_its_code_reads_them(roots: dict[str, Path], frames: list[SceneFrame]) -> None:
    root, view = roots["disguisor"], frames[1].views[1]
    depth = read_grey(root / "cn02" / "0000000001_rgbd.tiff", np.uint16)
    np.testing.assert_array_equal(depth, view.depth_mm)
    picture = cv2.imread(str(root / "cn02" / "0000000001_color.jpg"))
    assert np.abs(picture[..., ::-1].astype(int) - view.image).mean() < 6
    head = (root / "cn02" / "0001_pointcloud.ply").read_bytes().split(b"end_header")[0].decode()
    assert f"element vertex {int((view.depth_mm > 0).sum())}" in head
    # Its own arithmetic, from the published code's description: camera to world by two turns about x.
    said = json.loads((root / "cn02" / "world2camera.json").read_text())
    q = said["rotation"]
    W2C = np.eye(4)
    W2C[:3, :3] = Rotation.from_quat([q["x"], q["y"], q["z"], q["w"]]).as_matrix()
    W2C[:3, 3] = list(said["translation"].values())
    turn = [np.eye(4), np.eye(4)]
    for matrix, degrees in zip(turn, (90, 180)):
        matrix[:3, :3] = Rotation.from_euler("x", degrees, degrees=True).as_matrix()
    world_to_camera = np.linalg.inv(turn[0] @ W2C @ turn[1])
    np.testing.assert_allclose(world_to_camera[:3, :3], view.camera.R, atol=1e-12)
    np.testing.assert_allclose(world_to_camera[:3, 3], view.camera.t, atol=1e-12)
    storage = cv2.FileStorage(str(root / "cn02" / "camera_calibration.yml"), cv2.FILE_STORAGE_READ)
    np.testing.assert_array_equal(storage.getNode("undistorted_color_camera_matrix").mat(), view.camera.K)
    assert storage.getNode("color_distortion_coefficients").mat().shape == (8, 1)
    assert not storage.getNode("depth2color_translation").mat().any()


def test_the_pickled_keypoints_hold_plain_lists_only(roots: dict[str, Path]) -> None:
    data = (roots["disguisor"] / "hard_2d_kps.pkl").read_bytes()
    used = {opcode.name for opcode, _, _ in pickletools.genops(data)}
    assert not used & {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ"}
    table = pickle.loads(data)
    assert set(table) == {"0_0", "0_1", "1_0", "1_1"}
    assert np.shape(table["1_0"]) == (2, 17, 3)


def test_coco_is_as_its_tools_want_it(roots: dict[str, Path], frames: list[SceneFrame]) -> None:
    value = json.loads((roots["coco"] / "annotations" / "person_keypoints.json").read_text())
    assert [c["id"] for c in value["categories"]] == [1]
    assert len(value["categories"][0]["keypoints"]) == 17
    assert len({a["id"] for a in value["annotations"]}) == len(value["annotations"]) == 2 * N * 2
    entry = value["annotations"][0]
    true = frames[0].views[0]
    mine = true.instances == 1
    assert entry["area"] == mine.sum()
    ys, xs = np.nonzero(mine)
    assert entry["bbox"] == [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
    assert sum(entry["segmentation"]["counts"]) == W * H
    assert entry["num_keypoints"] == (true.people[0].visibility[:17] > 0).sum()
    assert len(entry["foot_kpts"]) == 18
    image = value["images"][-1]
    assert image["file_name"] == "cam02/000001.jpg"
    assert (roots["coco"] / "images" / image["file_name"]).is_file()


def test_easymocap_is_as_its_code_reads_it(roots: dict[str, Path], frames: list[SceneFrame]) -> None:
    storage = cv2.FileStorage(str(roots["easymocap"] / "extri.yml"), cv2.FILE_STORAGE_READ)
    names = storage.getNode("names")
    assert [names.at(k).string() for k in range(names.size())] == ["cam01", "cam02"]
    R = cv2.Rodrigues(storage.getNode("R_cam02").mat())[0]
    np.testing.assert_allclose(R, frames[0].views[1].camera.R, atol=1e-12)
    entry = json.loads((roots["easymocap"] / "annots" / "cam01" / "000000.json").read_text())
    assert set(entry) >= {"filename", "height", "width", "annots"}
    assert np.shape(entry["annots"][0]["keypoints"]) == (25, 3)
    assert len(entry["annots"][0]["bbox"]) == 5


@pytest.mark.parametrize("layout", ["disguisor", "easymocap"])
def test_a_moving_camera_is_refused_where_the_layout_has_no_place_for_it(tmp_path: Path, layout: str) -> None:
    with pytest.raises(ExportError, match=r"cam02 moves.*understudy"):
        write(tmp_path / "x", FakeScene(n_frames=2, moving=True), layout)


def test_people_of_whom_nothing_is_seen_keep_their_3d_points(tmp_path: Path) -> None:
    root = write(tmp_path / "x", FakeScene(n_frames=1), "easymocap")
    path = root / "annots" / "cam01" / "000000.json"
    value = json.loads(path.read_text())
    del value["annots"][0]
    path.write_text(json.dumps(value))
    first, second = open_truth(root).views[0].frame(0).people
    assert first.person_id == 1
    assert first.points_2d == ()
    assert len(first.points_3d) == len(second.points_2d) == 1


def test_disguisor_people_without_3d_points_are_numbered_by_their_place(tmp_path: Path) -> None:
    root = write(tmp_path / "x", FakeScene(n_frames=1), "disguisor")
    (root / "keypoints3d" / "000000.json").unlink()
    people = open_truth(root).views[0].frame(0).people
    assert [p.person_id for p in people] == [1, 2]
    assert people[0].points_3d == ()


def test_disguisor_people_take_the_id_of_the_3d_person_that_projects_onto_them(tmp_path: Path) -> None:
    root = write(tmp_path / "x", FakeScene(n_frames=1), "disguisor")
    path = root / "hard_2d_kps.pkl"
    table = pickle.loads(path.read_bytes())
    table["0_0"] = [*reversed(table["0_0"]), (np.full((17, 3), 0.9) * 1000).tolist()]
    path.write_bytes(pickle.dumps(table, 2))
    before = open_truth(write(tmp_path / "y", FakeScene(n_frames=1), "disguisor")).views[0].frame(0).people
    after = open_truth(root).views[0].frame(0).people
    assert [p.person_id for p in after] == [1, 2, 3]
    for a, b in zip(after, before):
        np.testing.assert_array_equal(a.points_2d[0].xy, b.points_2d[0].xy)


def spoil(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("hard_2d_kps.pkl", pickle.dumps({"0_0": [[[1, 2, 3]] * 5]}), "n x 17 x 3"),
        ("hard_2d_kps.pkl", pickle.dumps({"0_0": [[[1, 2, 3]] * 17, [[1, 2, 3]] * 5]}), "different numbers"),
        ("hard_2d_kps.pkl", pickle.dumps({"0_0": [[[1, 2, float("nan")]] * 17]}), "NaN"),
        ("hard_2d_kps.pkl", b"cos\nsystem\n.", "os.system"),
        ("other_2d_kps.pkl", b"", "one file of keypoints"),
        ("cn01/camera_calibration.yml", b"%YAML:1.0\n---\nx: [", "no OpenCV file"),
        ("cn01/camera_calibration.yml", b"%YAML:1.0\n---\nx: 1\n", "color_camera_matrix' is missing"),
        ("cn01/world2camera.json", b'{"translation": {"x": 0}, "rotation": {}}', "translation"),
        ("cn01/world2camera.json", b'{"translation": {"x": 0, "y": 0, "z": 0}, "rotation": {"x": 9, "y": 0, '
         b'"z": 0, "w": 0}}', "no unit quaternion"),
        ("keypoints3d/000000.json", b'[{"id": 1, "keypoints3d": [[0, 0, 0, 1]]}]', "people of 1 points"),
        ("keypoints3d/000000.json", b'[{"id": -1, "keypoints3d": []}]', "id should be"),
    ],
)  # fmt: skip
def test_damage_in_disguisors_layout(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    root = write(tmp_path / "x", FakeScene(n_frames=1), "disguisor")
    (root / name).write_bytes(content)
    with pytest.raises(DataSetError, match=says):
        open_truth(root).views[0].frame(0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda v: v["annots"][0].update(keypoints=[[1, 2]] * 25), "n x 3"),
        (lambda v: v["annots"][0].update(keypoints=[[1, 2, 1]] * 7), "people of 7 points"),
        (lambda v: v["annots"][0].update(visibility=[9] * 25), "other than 0, 1 and 2"),
        (lambda v: v["annots"][0].update(bbox=[1, 2]), "bbox should be"),
        (lambda v: v["annots"][0].update(personID="x"), "personID"),
        (lambda v: v.update(width=0), "width should be"),
        (lambda v: v.pop("annots"), "'annots' is missing"),
    ],
)
def test_damage_in_easymocaps_layout(
    tmp_path: Path, change: Callable[[dict[str, object]], object], says: str
) -> None:
    root = write(tmp_path / "x", FakeScene(n_frames=1), "easymocap")
    spoil(root / "annots" / "cam01" / "000000.json", change)
    with pytest.raises(DataSetError, match=says):
        open_truth(root).views[0].frame(0)


def test_easymocap_without_a_cameras_calibration_or_frames(tmp_path: Path) -> None:
    root = write(tmp_path / "x", FakeScene(n_frames=1), "easymocap")
    text = (root / "intri.yml").read_text()
    (root / "intri.yml").write_text(text.replace("K_cam02", "K_cam09"))
    with pytest.raises(DataSetError, match="'K_cam02' is missing"):
        open_truth(root).views[1].frame(0)
    (root / "annots" / "cam02" / "000000.json").unlink()
    with pytest.raises(DataSetError, match="annots/cam02 holds no json"):
        open_truth(root)
