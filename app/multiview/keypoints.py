"""Keypoints that were found elsewhere: OpenPose's json, EasyMocap's annots, this program's COCO export."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.datasets.errors import damaged
from app.datasets.files import MAX_JSON_BYTES, integer, numbers, read_json, rows, table
from app.multiview.calibration import plain
from app.multiview.types import Seen, ViewsError
from backends.keypoints.convert import to_default
from backends.keypoints.layout import N_KEYPOINTS
from backends.keypoints.types import Keypoints

F8 = npt.NDArray[np.float64]

_BODY_25B: Final = [*range(17), *range(19, 25)]
"""BODY_25B has COCO's 17, neck, top of the head, and the feet in our order."""
LAYOUTS: Final = ("auto", "body25", "body25b", "coco17", "coco18", "halpe26", "default")
_BY_COUNT: Final = {17: "coco17", 18: "coco18", 23: "default", 26: "halpe26"}
_MIDDLE = 0.15
"""BODY_25's neck and mid-hip lie in the middle of shoulders and hips within this share of their distance."""
_TOLD_BY = 40

Frames = Mapping[int, list[Seen]]


def read_keypoints(folder: Path, names: list[str], layout: str) -> list[Frames]:
    """Everybody by frame, for each camera.

    Args:
        folder: holds a folder of json files a camera (OpenPose, EasyMocap's ``annots``), or one json a camera
            (``NAME_keypoints.json``, an export of this program).
        names: of the cameras.
        layout: one of :data:`LAYOUTS`.

    Raises:
        ViewsError: a camera's keypoints are missing, or nobody knows their layout. DataSetError: damaged.
    """
    if layout not in LAYOUTS:
        raise ViewsError(f"There is no layout '{layout}'. Choose one of {', '.join(LAYOUTS)}.")
    if not folder.is_dir():
        raise ViewsError(f"There is no folder of keypoints {folder.name}. Check the path.")
    places = [_place(folder, name) for name in names]
    if layout == "auto":
        layout = _tell(places)
    return [_coco(p) if p.is_file() else _frames(p, layout) for p in places]


def _place(folder: Path, name: str) -> Path:
    inside = sorted(p for p in folder.iterdir() if p.is_dir() or p.suffix == ".json")
    for path in inside:
        stem = path.stem.removesuffix("_keypoints") if path.is_file() else path.name
        if plain(stem.removesuffix("_json")) == plain(name):
            return path
    raise ViewsError(
        f"{folder.name} holds no keypoints of the camera {name}: neither a folder {name} of json files nor a "
        f"file {name}_keypoints.json."
    )


def _tell(places: list[Path]) -> str:
    """The layout of what lies there, from the number of points and, of 25, from where they lie."""
    counts: set[int] = set()
    fits = []
    for place in places:
        if place.is_file():
            continue
        for path in _files(place)[:_TOLD_BY]:
            for points in _people(path):
                counts.add(len(points))
                if len(points) == 25:
                    fits += _middles(points)
    if not counts:
        return "default"
    if len(counts) > 1:
        raise ViewsError(f"The keypoints have people of {' and '.join(map(str, sorted(counts)))} points.")
    n = counts.pop()
    if n == 25:
        return "body25" if not fits or float(np.mean(fits)) > 0.5 else "body25b"
    if n not in _BY_COUNT:
        raise ViewsError(f"The keypoints have people of {n} points, which is no layout that is known.")
    return _BY_COUNT[n]


def _middles(points: F8) -> list[bool]:
    found = []
    for middle, a, b in ((1, 2, 5), (8, 9, 12)):
        if (points[[middle, a, b], 2] > 0.3).all():
            apart = float(np.linalg.norm(points[a, :2] - points[b, :2]))
            away = float(np.linalg.norm(points[middle, :2] - (points[a, :2] + points[b, :2]) / 2))
            found.append(away < max(_MIDDLE * apart, 8.0))
    return found


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.json"))
    if not found:
        raise ViewsError(f"{folder.name} holds no json files of keypoints.")
    return found


def _frames(folder: Path, layout: str) -> Frames:
    found: dict[int, list[Seen]] = {}
    for path in _files(folder):
        # The frame is the last number of the name: NAME_000000000012_keypoints.json, cam01.0012.json.
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise ViewsError(f"{path.name} has no number of its frame in its name.")
        found[int(digits[-1])] = [Seen(_keypoints(_ours(path, p, layout))) for p in _people(path)]
    return found


def _people(path: Path) -> list[F8]:
    """(K, 3) x, y, confidence of everybody in a file of OpenPose's or EasyMocap's."""
    value = table(path, read_json(path), "the file")
    if "people" in value:
        key, people = "pose_keypoints_2d", rows(path, value["people"], "people")
    elif "annots" in value:
        key, people = "keypoints", rows(path, value["annots"], "annots")
    else:
        raise damaged(path, "it holds neither OpenPose's 'people' nor EasyMocap's 'annots'")
    found = []
    for person in people:
        flat = table(path, person, "a person").get(key)
        array = np.asarray(flat, dtype=np.float64).reshape(-1) if isinstance(flat, list) else np.zeros(1)
        if len(array) % 3 or not len(array):
            raise damaged(path, f"a person's '{key}' are no x, y and confidence")
        found.append(array.reshape(-1, 3))
    return found


def _ours(path: Path, points: F8, layout: str) -> F8:
    if layout == "body25b":
        if len(points) != 25:
            raise damaged(path, f"it has people of {len(points)} points, not 25")
        return points[_BODY_25B]
    try:
        return to_default(points, layout)
    except ValueError as error:
        raise damaged(path, str(error)) from error


def _keypoints(points: F8) -> Keypoints:
    there = np.isfinite(points).all(axis=1) & (points[:, 2] > 0)
    clean = np.where(there[:, None], points, 0.0)
    return Keypoints(
        clean[:, :2].astype(np.float32), clean[:, 2].clip(0.0, 1.0).astype(np.float32),
        np.where(there, 2, 0).astype(np.uint8), np.zeros(N_KEYPOINTS, np.uint8),
    )  # fmt: skip


def _coco(path: Path) -> Frames:
    """This program's own export, which is COCO's with the feet."""
    value = table(path, read_json(path, MAX_JSON_BYTES), "the file")
    found: dict[int, list[Seen]] = {}
    for entry in rows(path, value.get("annotations", []), "annotations"):
        said: dict[str, Any] = table(path, entry, "an annotation")
        frame = integer(path, said.get("image_id"), "image_id")
        body = numbers(path, said.get("keypoints"), "keypoints", (51,)).reshape(17, 3)
        feet = numbers(path, said.get("foot_kpts", [0.0] * 18), "foot_kpts", (18,)).reshape(6, 3)
        points = np.concatenate([body, feet])
        score = numbers(path, said.get("keypoint_scores", [1.0] * 23), "keypoint_scores", (23,))
        keypoints = Keypoints(
            points[:, :2].astype(np.float32), np.where(points[:, 2] > 0, score, 0.0).astype(np.float32),
            points[:, 2].clip(0, 2).astype(np.uint8), np.zeros(N_KEYPOINTS, np.uint8),
        )  # fmt: skip
        found.setdefault(frame, []).append(Seen(keypoints, int(said.get("track_id", 0))))
    return found
