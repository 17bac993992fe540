"""Whatever stands in a json of a data set: it is read, or there is one error that a person can read."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import test_3doh
import test_coco
import test_foreign_layouts
import test_human36m
import test_own
import test_panoptic
from fake_scene import FakeScene

from app.datasets.open import open_truth
from app.errors import UnderstudyError

STRANGE: tuple[Any, ...] = (
    None, True, -1, 0, 3, 2.5, 1e308, 10**400, float("nan"), float("-inf"), "", "x", "../..", "\0", [], {},
    [[]], [None], [1, [2]], [[1, 2], [3]], [[[[1]]]], {"x": 1}, ["x"] * 3, [1e308] * 3, [[0, 0, 0]] * 3,
)  # fmt: skip
TRIES = 120


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to everything within a json value, long lists by their ends."""
    found = [way] if way else []
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*way, key))
    elif isinstance(value, list):
        for k in sorted({0, len(value) - 1} & set(range(len(value)))):
            found += places(value[k], (*way, k))
    return found


def scene(layout: str) -> Callable[[Path], Path]:
    return lambda folder: test_foreign_layouts.write(folder / "x", FakeScene(n_frames=1), layout)


def own(folder: Path) -> Path:
    return test_own.write(folder / "x", FakeScene(n_frames=1, moving=True), clouds=False)


def panoptic(folder: Path) -> Path:
    root = folder / "x"
    poses = root / "hdPose3d_stage1_coco19"
    poses.mkdir(parents=True)
    (root / "calibration_x.json").write_text(json.dumps(test_panoptic.calibration()))
    (poses / "body3DScene_00000000.json").write_text(json.dumps(test_panoptic.scene()))
    return root


CASES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "own description": (own, "dataset.json"),
    "own calibration": (own, "calibration.json"),
    "disguisor": (scene("disguisor"), "cn01/world2camera.json"),
    "disguisor 3d": (scene("disguisor"), "keypoints3d/000000.json"),
    "easymocap": (scene("easymocap"), "annots/cam01/000000.json"),
    "coco of ours": (scene("coco"), "annotations/person_keypoints.json"),
    "coco": (lambda f: test_coco.save(f, test_coco.document()).parent, "person_keypoints_val.json"),
    "3doh50k": (lambda f: test_3doh.save(f, a=test_3doh.entry()), "annots.json"),
    "human3.6m data": (lambda f: test_human36m.save(f, test_human36m.tables()),
                       "annotations/Human36M_subject9_data.json"),
    "human3.6m camera": (lambda f: test_human36m.save(f, test_human36m.tables()),
                         "annotations/Human36M_subject9_camera.json"),
    "human3.6m joints": (lambda f: test_human36m.save(f, test_human36m.tables()),
                         "annotations/Human36M_subject9_joint_3d.json"),
    "panoptic calibration": (panoptic, "calibration_x.json"),
    "panoptic poses": (panoptic, "hdPose3d_stage1_coco19/body3DScene_00000000.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_strange_values_end_in_one_clear_error_or_are_read(tmp_path: Path, name: str) -> None:
    make, file = CASES[name]
    root = make(tmp_path)
    path = root / file
    plain = path.read_text()
    ways = places(json.loads(plain))
    rng = random.Random(name)
    errors = 0
    # Reading a pickle starts a process, so that there are fewer tries.
    tries = TRIES // 8 if name.startswith("disguisor") else TRIES
    for _ in range(tries):
        value = json.loads(plain)
        *way, last = rng.choice(ways)
        inner = value
        for key in way:
            inner = inner[key]
        inner[last] = rng.choice(STRANGE)
        path.write_text(json.dumps(value))
        try:
            for view in open_truth(root).views:
                view.frame(0)
        except UnderstudyError:
            errors += 1
    assert errors > tries // 10, "much of what is strange should be noticed"
