"""What is said of cameras before anything runs: what they are, and what does not fit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.footage.writer import VideoWriter
from app.multiview.inspection import FoundCamera, Inspection, gather, inspect, look_at, request_for
from app.multiview.run import resolve
from app.project.store import ProjectStore
from app.review.opening import create_project

NAMES = ("cam01", "cam02", "cam03")
SIZE = (160, 96)


def clip(path: Path, n: int = 6, fps: int = 25, size: tuple[int, int] = SIZE) -> Path:
    writer = VideoWriter(path, *size, np.arange(n) * (12800 // fps), Fraction(1, 12800))
    for i in range(n):
        writer.write(np.full((size[1], size[0], 3), 40 + 20 * i, np.uint8))
    writer.close()
    return path


def calibration(path: Path, names: tuple[str, ...] = NAMES) -> Path:
    entries = [
        {
            "name": n,
            "K": [[150, 0, 80], [0, 150, 48], [0, 0, 1]],
            "R": np.eye(3).tolist(),
            "t": [float(i), 0, 3],
        }
        for i, n in enumerate(names)
    ]
    path.write_text(json.dumps({"cameras": entries}))
    return path


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for name in NAMES:
        clip(folder / f"{name}.mp4")
    calibration(folder / "calibration.json")
    return folder


def seen(folder: Path) -> Inspection:
    sources, names, found = gather([folder])
    return inspect([look_at(p, n) for p, n in zip(sources, names)], found)


def by_name(found: Inspection, name: str) -> FoundCamera:
    return next(c for c in found.cameras if c.name == name)


def test_a_folder_with_everything_is_ready(three: Path, tmp_path: Path) -> None:
    found = seen(three)
    assert found.ready
    assert found.trouble == found.calibration_trouble == ""
    assert [c.name for c in found.cameras] == list(NAMES)
    assert [c.calibrated for c in found.cameras] == list(NAMES)
    one = found.cameras[0]
    assert (one.width, one.height, one.n_frames, round(one.fps)) == (*SIZE, 6, 25)
    assert one.thumbnail is not None
    assert one.thumbnail.shape[2] == 3
    request = request_for(found, tmp_path / "out", [0, 2, 0], hands_face=False, body="free", refine=True)
    views, fps = resolve(request)
    assert [v.name for v in views] == list(NAMES)
    assert [v.offset for v in views] == [0, 2, 0]
    assert round(fps) == 25
    assert request.refine_cameras


def test_files_dropped_one_by_one_are_told_apart(three: Path) -> None:
    files = [three / "cam02.mp4", three / "calibration.json", three / "cam01.mp4", three / "x.understudy"]
    sources, names, found = gather(files)
    assert sources == [three / "cam02.mp4", three / "cam01.mp4"]
    assert names == ["cam02", "cam01"]
    assert found == three / "calibration.json"


def test_folders_of_pictures_are_cameras(three: Path, tmp_path: Path) -> None:
    for name in NAMES[:2]:
        (tmp_path / name).mkdir()
        assert cv2.imwrite(str(tmp_path / name / "0.png"), np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    sources, names, found = gather([tmp_path])
    assert names == list(NAMES[:2])
    assert [p.name for p in sources] == names
    assert found is None
    assert gather([tmp_path / "cam01"])[0] == [tmp_path / "cam01"]


def test_other_lengths_are_a_doubt_and_no_obstacle(three: Path, tmp_path: Path) -> None:
    shutil.copytree(three, tmp_path / "t")
    clip(tmp_path / "t" / "cam03.mp4", n=4)
    found = seen(tmp_path / "t")
    assert found.ready
    assert "4 frames, others 6" in by_name(found, "cam03").doubt
    assert by_name(found, "cam01").doubt == ""


def test_another_frame_rate_is_an_obstacle(three: Path, tmp_path: Path) -> None:
    shutil.copytree(three, tmp_path / "t")
    clip(tmp_path / "t" / "cam02.mp4", fps=50)
    found = seen(tmp_path / "t")
    assert not found.ready
    assert "50 frames a second, others 25" in by_name(found, "cam02").trouble
    assert "cam02" in found.trouble


def test_a_camera_that_the_calibration_lacks(three: Path) -> None:
    cameras = seen(three).cameras
    found = inspect([*cameras[:2], replace(cameras[2], name="door", calibrated="")], three)
    assert not found.ready
    assert "no camera called door; it has cam01, cam02, cam03" in by_name(found, "door").trouble
    assert by_name(found, "cam01").trouble == ""


def test_other_names_are_taken_by_order_and_that_is_said(three: Path) -> None:
    cameras = [replace(c, name=n) for c, n in zip(seen(three).cameras, ("left", "door", "right"))]
    found = inspect(cameras, three / "calibration.json")
    assert found.ready
    assert "Taken for cam02, by order" in by_name(found, "door").doubt


def test_a_damaged_video_among_three(three: Path, tmp_path: Path) -> None:
    shutil.copytree(three, tmp_path / "t")
    whole = (three / "cam02.mp4").read_bytes()
    (tmp_path / "t" / "cam02.mp4").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "t" / "cam03.mp4").write_bytes(b"")
    found = seen(tmp_path / "t")
    assert not found.ready
    assert "cam02.mp4" in by_name(found, "cam02").trouble
    assert "empty" in by_name(found, "cam03").trouble
    assert by_name(found, "cam01").calibrated == "cam01"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("none", "Add the videos"), ("one", "One camera alone"), ("no calibration", "Choose the calibration"),
        ("bad calibration", "Choose another"), ("twice", "cam01 cannot be used"),
    ],
)  # fmt: skip
def test_why_nothing_can_begin(three: Path, tmp_path: Path, change: str, said: str) -> None:
    cameras = list(seen(three).cameras)
    bad = tmp_path / "bad.json"
    bad.write_text('{"cameras": [{"name": "cam01", "K": "no"}]}')
    found = {
        "none": lambda: inspect([], None),
        "one": lambda: inspect(cameras[:1], three),
        "no calibration": lambda: inspect(cameras, None),
        "bad calibration": lambda: inspect(cameras, bad),
        "twice": lambda: inspect([*cameras, replace(cameras[0], path=bad)], three),
    }[change]()
    assert not found.ready
    assert said in found.trouble
    assert bool(found.calibration_trouble) == (change == "bad calibration")


def test_pictures_of_another_size_than_calibrated(tmp_path: Path) -> None:
    for name in NAMES[:2]:
        clip(tmp_path / f"{name}.mp4")
    (tmp_path / "c.toml").write_text(
        "".join(
            f'[{n}]\nname = "{n}"\nsize = [640.0, 384.0]\nmatrix = [[600.0, 0.0, 320.0], '
            "[0.0, 600.0, 192.0], [0.0, 0.0, 1.0]]\ndistortions = [0.0, 0.0, 0.0, 0.0]\n"
            f"rotation = [0.0, {i}.0, 0.0]\n"
            f"translation = [{i}.0, 0.0, 3.0]\nfisheye = false\n\n"
            for i, n in enumerate(NAMES[:2])
        )
    )
    found = seen(tmp_path)
    assert not found.ready
    assert "calibrated at 640 x 384" in found.cameras[0].trouble


def test_results_of_an_earlier_start_are_noticed(three: Path, tmp_path: Path) -> None:
    cameras = seen(three).cameras
    assert not inspect(cameras, three, tmp_path).goes_on
    store, footage = create_project(three / "cam02.mp4", tmp_path / "cam02.understudy")
    assert isinstance(store, ProjectStore)
    store.close()
    footage.close()
    assert inspect(cameras, three, tmp_path).goes_on
