"""MPI-INF-3DHP's training set, written small by the test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from app.datasets.errors import DataSetError
from app.datasets.open import open_truth

N = 4
R = Rotation.from_euler("xyz", (3.0, 0.4, 0.2)).as_matrix()
T = np.array([-562.8, 1398.1, 3852.6])
K = np.array([[1497.7, 0.0, 1024.7], [0.0, 1497.1, 1051.4], [0.0, 0.0, 1.0]])


def calibration(cameras: int) -> str:
    blocks = ["Skeletool Camera Calibration File V1.0"]
    for number in range(cameras):
        inside, outside = np.eye(4), np.eye(4)
        inside[:3, :3] = K
        outside[:3, :3], outside[:3, 3] = R, T + number
        words = [" ".join(repr(float(v)) for v in m.ravel()) for m in (inside, outside)]
        blocks.append(
            f"name          {number}\n  sensor      10 10\n  size        2048 2048\n  animated    0\n"
            f"  intrinsic   {words[0]} \n  extrinsic   {words[1]} \n  radial      0"
        )
    return "\n".join(blocks) + "\n"


def cells(arrays: list[np.ndarray]) -> np.ndarray:
    out = np.empty((len(arrays), 1), object)
    for k, array in enumerate(arrays):
        out[k, 0] = array
    return out


def points(cameras: int = 2) -> tuple[list[np.ndarray], list[np.ndarray]]:
    rng = np.random.default_rng(1)
    three = [rng.normal((0, 0, 4000), 400, (N, 28, 3)) for _ in range(cameras)]
    two = [(p @ K.T)[..., :2] / p[..., 2:] for p in three]
    return [p.reshape(N, 56) for p in two], [p.reshape(N, 84) for p in three]


def save(folder: Path, two: list[np.ndarray], three: list[np.ndarray]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "annot.mat", {"annot2": cells(two), "annot3": cells(three), "frames": np.arange(N)})
    (folder / "camera.calibration").write_text(calibration(len(three)))
    return folder


def test_joints_come_in_each_cameras_coordinates_in_metres(tmp_path: Path) -> None:
    two, three = points()
    two[1][0, :2] = -5, 10
    truth = open_truth(save(tmp_path / "S1" / "Seq1", two, three))
    assert truth.kind == "mpi-inf-3dhp"
    assert [(v.name, v.n_frames, v.fps, v.source) for v in truth.views] == [
        ("camera00", N, None, None), ("camera01", N, None, None),
    ]  # fmt: skip
    for k, view in enumerate(truth.views):
        frame = view.frame(0)
        assert frame.camera is not None
        np.testing.assert_allclose(frame.camera.t, (T + k) / 1000)
        (person,) = frame.people
        np.testing.assert_allclose(person.points_3d[0].xyz, three[k][0].reshape(28, 3) / 1000)
        np.testing.assert_array_equal(person.points_2d[0].xy, two[k][0].reshape(28, 2))
        assert person.points_2d[0].layout.joints[4] == "mid_hip"
        known = slice(1, None)
        projected = frame.camera.project(person.points_3d[0].xyz)
        np.testing.assert_allclose(projected[known], person.points_2d[0].xy[known], atol=1e-9)
    assert person.points_2d[0].visibility[0] == 0, "out of the picture"
    assert (person.points_2d[0].visibility[1:] == 2).all()


def test_the_whole_set_is_opened_by_its_folder(tmp_path: Path) -> None:
    for subject in (1, 2):
        save(tmp_path / f"S{subject}" / "Seq1", *points(1))
    truth = open_truth(tmp_path)
    assert [v.name for v in truth.views] == ["S1_Seq1_camera00", "S2_Seq1_camera00"]


def test_the_test_set_is_explained(tmp_path: Path) -> None:
    (tmp_path / "TS1").mkdir()
    (tmp_path / "TS1" / "annot_data.mat").write_bytes(b"MATLAB 7.3 MAT-file, and so on")
    with pytest.raises(DataSetError, match=r"MATLAB 7\.3 file \(HDF5\).*save -v7"):
        open_truth(tmp_path)


def test_a_matlab_7_3_file_under_the_usual_name_is_explained(tmp_path: Path) -> None:
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM"
    (tmp_path / "annot.mat").write_bytes(head + b"\x89HDF\r\n\x1a\n" + b"\0" * 512)
    with pytest.raises(DataSetError, match=r"MATLAB 7\.3"):
        open_truth(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"nonsense" * 100, b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM\xff" * 9]
)
def test_what_is_no_matlab_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "annot.mat").write_bytes(content)
    with pytest.raises(DataSetError, match=r"annot\.mat is damaged"):
        open_truth(tmp_path)


def test_wrong_arrays_get_one_clear_error(tmp_path: Path) -> None:
    two, three = points()
    for a, b, says in (
        ([p[:, :55] for p in two], three, "annot2 should be numbers, n x 56"),
        (two, [p[:3] for p in three], "different lengths"),
        (two, [np.full_like(p, np.nan) for p in three], "NaN"),
        (two[:1], three, "different lengths"),
    ):
        with pytest.raises(DataSetError, match=says):
            open_truth(save(tmp_path, a, b))
    savemat(tmp_path / "annot.mat", {"annot2": np.zeros((N, 56))})
    with pytest.raises(DataSetError, match="'annot2' should be one cell a camera"):
        open_truth(tmp_path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: "", "holds no cameras"),
        (lambda text: text.replace("name          1", "name          7"), "camera 1 is missing"),
        (lambda text: text.replace("size        2048 2048", "size        0 2048"), "0 x 2048"),
        (lambda text: text.replace("extrinsic", "elsewhere"), "lacks its name"),
        (lambda text: text.replace("1497.7", "nan"), "NaN"),
        (lambda text: text.replace("1497.7", "what"), "lacks its name"),
    ],
)
def test_a_damaged_calibration_gets_one_clear_error(tmp_path: Path, change: object, says: str) -> None:
    save(tmp_path, *points())
    path = tmp_path / "camera.calibration"
    path.write_text(change(path.read_text()))  # type: ignore[operator]
    with pytest.raises(DataSetError, match=says):
        open_truth(tmp_path)
    path.unlink()
    with pytest.raises(DataSetError, match=r"camera\.calibration cannot be read"):
        open_truth(tmp_path)
