"""Four real cameras: somebody balancing, OpenPose's keypoints, against triangulated markers."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from backends.body import load_body
from backends.camera import Camera
from backends.fitting import BodyFitter, ViewsFit, learn_offsets
from backends.keypoints.layout import INDEX, N_KEYPOINTS
from backends.keypoints.types import Keypoints
from backends.multiview import associate, triangulate

BODY_25B = [*range(17), *range(19, 25)]
"""OpenPose's BODY_25B has COCO's 17, neck, top of the head, and the feet in our order."""


def cameras(folder: Path) -> list[Camera]:
    table = tomllib.loads((folder / "calibration.toml").read_text())
    made = []
    for i in range(1, 5):
        c = table[f"cam_0{i}"]
        R = cv2.Rodrigues(np.array(c["rotation"]))[0]
        made.append(
            Camera(
                np.array(c["matrix"]), 1088, 1920, R, np.array(c["translation"]),
                np.append(c["distortions"], 0.0),
            )
        )  # fmt: skip
    return made


def people(folder: Path, view: int, frame: int) -> np.ndarray:
    name = f"cam0{view + 1}"
    data = json.loads((folder / "openpose_json" / name / f"{name}.{frame:04d}.json").read_text())
    rows = [np.array(p["pose_keypoints_2d"]).reshape(25, 3)[BODY_25B] for p in data["people"]]
    found = np.stack(rows) if rows else np.zeros((0, N_KEYPOINTS, 3))
    found[found[..., 2] <= 0] = np.nan
    return found


def markers(folder: Path) -> tuple[list[str], np.ndarray]:
    """Names and (frames, 21, 3) places, world coordinates: the file has y up."""
    lines = (folder / "markers.trc").read_text().splitlines()
    names = [n for n in lines[3].split("\t")[2:] if n]
    rows = [[float(v) for v in line.split("\t")[2:65]] for line in lines[5:] if line.strip()]
    return names, np.array(rows).reshape(len(rows), len(names), 3)[:, :, [2, 0, 1]]


def default_name(marker: str) -> str:
    side = {"R": "right_", "L": "left_"}.get(marker[0], "") if marker != "Nose" else ""
    part = marker[1:] if side else marker
    return side + {"BigToe": "big_toe", "SmallToe": "small_toe"}.get(part, part.lower())


def observed(folder: Path, frame: int, views: list[Camera]) -> list[Keypoints]:
    """The keypoints of the person whom most views show; absent where a view does not."""
    found = [people(folder, v, frame) for v in range(4)]
    groups = associate([p[..., :2] for p in found], [np.nan_to_num(p[..., 2]) for p in found], views)
    result = []
    for v in range(4):
        p = found[v][groups[0][v]] if v in groups[0] else np.full((N_KEYPOINTS, 3), np.nan)
        seen = np.isfinite(p[:, 0])
        xy, score = np.nan_to_num(p[:, :2]).astype(np.float32), np.nan_to_num(p[:, 2]).clip(0, 1)
        visible = np.where(seen, 2, 0).astype(np.uint8)
        result.append(Keypoints(xy, score.astype(np.float32), visible, np.zeros(N_KEYPOINTS, np.uint8)))
    return result


def test_balancing_in_four_views(footage_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = footage_folder / "balancing_4views"
    if not folder.is_dir():
        pytest.skip("balancing_4views is not among the footage")
    views = cameras(folder)
    names, truth = markers(folder)
    pairs = [(i, INDEX[default_name(n)]) for i, n in enumerate(names) if default_name(n) in INDEX]
    assert len(pairs) == 19
    frames = range(0, 100, 10)
    seen = [observed(folder, f, views) for f in frames]
    body = load_body()

    def measure(fits: list[ViewsFit]) -> tuple[float, float]:
        gaps = [
            np.linalg.norm(fit.keypoints_3d[k] - truth[f, i])
            for f, fit in zip(frames, fits)
            for i, k in pairs
        ]
        return 1e3 * float(np.median(gaps)), float(np.nanmedian([f.residual_px for f in fits]))

    plain = BodyFitter(body)
    first = [plain.fit_views(s, views) for s in seen]
    points = [
        triangulate(
            np.stack([np.where(k.visibility[:, None] > 0, k.xy, np.nan) for k in s]),
            np.stack([k.score for k in s]), views,
        ).points
        for s in seen
    ]  # fmt: skip
    offsets = learn_offsets(body, plain.arrays, first, points)
    second = [BodyFitter(body, offsets=offsets).fit_views(s, views) for s in seen]
    (mm, px), (mm2, px2) = measure(first), measure(second)
    with capsys.disabled():
        print(
            f"\n  balancing, OpenPose: 3D joints {mm:.1f} mm, reprojection {px:.1f} px in the median; with "
            f"the estimator's offsets learnt {mm2:.1f} mm, {px2:.1f} px"
        )
    assert mm < 35
    assert px < 10
    assert mm2 < mm
    assert px2 <= 8
