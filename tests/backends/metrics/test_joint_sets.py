"""Joint sets and gathering by name."""

from __future__ import annotations

import numpy as np
import pytest

from backends.body.skeleton import JOINT_NAMES
from backends.errors import InputError
from backends.keypoints.convert import LAYOUTS
from backends.metrics.joint_sets import JOINT_SETS, gather, joint_set, known_joints


@pytest.mark.parametrize("name", list(JOINT_SETS))
def test_a_set_gathers_itself_unchanged_and_has_its_root(name: str) -> None:
    chosen = joint_set(name)
    points = np.random.default_rng(1).normal(size=(2, len(chosen), 3))
    assert np.array_equal(gather(points, chosen.joints, chosen.joints), points)
    assert len(set(chosen.joints)) == len(chosen)
    assert [chosen.joints[i] for i in chosen.root_index] == list(chosen.root)


def test_the_sizes_are_the_ones_in_the_names() -> None:
    sizes = {name: len(s) for name, s in JOINT_SETS.items()}
    assert sizes == {
        "default23": 23, "coco17": 17, "body25": 25, "halpe26": 26, "h36m17": 17, "h36m14": 14, "lsp14": 14,
        "mpi17": 17, "smpl22": 22, "smpl24": 24, "smplx55": 55,
    }  # fmt: skip


def test_the_fourteen_are_in_the_order_of_confidence_on_mesh() -> None:
    words = "RAnkle RKnee RHip LHip LKnee LAnkle RWrist RElbow RShoulder LShoulder LElbow LWrist Neck Head"
    short = {"right": "R", "left": "L"}
    ours = []
    for name in joint_set("h36m14").joints:
        side, _, part = name.partition("_")
        ours.append(short[side] + part.capitalize() if side in short else side.capitalize())
    assert ours == words.split()


def test_by_name_whatever_the_order_and_nan_where_there_is_none() -> None:
    coco = np.arange(34.0).reshape(17, 2)
    found = gather(coco, LAYOUTS["coco17"], LAYOUTS["h36m17"])
    names = LAYOUTS["h36m17"]
    assert np.array_equal(found[names.index("left_wrist")], coco[9])
    assert np.isnan(found[names.index("spine")]).all()
    assert np.array_equal(found[names.index("mid_hip")], (coco[11] + coco[12]) / 2)
    assert np.array_equal(found[names.index("neck")], (coco[5] + coco[6]) / 2)
    assert known_joints(LAYOUTS["coco17"], names).sum() == 17 - 3


def test_a_neck_of_its_own_is_taken_before_the_middle_of_the_shoulders() -> None:
    points = np.random.default_rng(2).normal(size=(55, 3))
    found = gather(points, JOINT_NAMES, joint_set("h36m14").joints)
    assert np.array_equal(found[12], points[JOINT_NAMES.index("neck")])
    assert np.isnan(found[13]).all()  # the skeleton has no top of the head


def test_the_hands_of_smpl_are_the_middle_fingers_of_smplx() -> None:
    points = np.random.default_rng(3).normal(size=(55, 3))
    found = gather(points, JOINT_NAMES, joint_set("smpl24").joints)
    assert np.array_equal(found[22], points[JOINT_NAMES.index("left_middle1")])
    back = gather(found, joint_set("smpl24").joints, ("right_middle1",))
    assert np.array_equal(back[0], points[JOINT_NAMES.index("right_middle1")])


def test_a_point_that_is_not_known_makes_no_middle() -> None:
    coco = np.ones((17, 2))
    coco[5] = np.nan
    assert np.isnan(gather(coco, LAYOUTS["coco17"], ("neck",))).all()


def test_unknown_sets_and_wrong_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="h36m14"):
        joint_set("h36m")
    with pytest.raises(InputError, match="17 joints"):
        gather(np.zeros((18, 2)), LAYOUTS["coco17"], ("nose",))
    with pytest.raises(InputError, match="twice"):
        gather(np.zeros((2, 2)), ("nose", "nose"), ("nose",))
