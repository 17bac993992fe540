from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from backends.confidence.agreement import (
    AGREEMENT_JOINTS,
    MIRROR,
    check_rows,
    compare,
    fit_for_training,
    is_good,
    mask_missing,
    mesh_error,
    nearest_person,
    project_spin,
    published_distances,
    skeleton_from_coco18,
    skeleton_from_keypoints,
    skeleton_from_points23,
    skeleton_from_spin,
    spin_translation,
    worst_joint,
)
from backends.errors import InputError
from backends.keypoints.layout import INDEX
from backends.keypoints.types import Keypoints, Visibility

SPIN_ORDER = [11, 10, 9, 12, 13, 14, 4, 3, 2, 5, 6, 7, 40, 0]
COCO18_ORDER = [10, 9, 8, 11, 12, 13, 4, 3, 2, 5, 6, 7, 1, 0]
F8 = npt.NDArray[np.float64]


def points_at(where: F8, order: list[int], n: int) -> F8:
    """A layout of ``n`` points whose 14 joints lie at ``where`` (14, 2), with confidence 0.8."""
    rows = np.zeros((n, 3))
    rows[order, :2] = where
    rows[order, 2] = 0.8
    return rows


@pytest.fixture
def places() -> F8:
    return np.random.default_rng(3).uniform(40.0, 180.0, (14, 2))


def test_there_are_14_joints_in_the_papers_order() -> None:
    assert AGREEMENT_JOINTS[0] == "right_ankle"
    assert AGREEMENT_JOINTS[5] == "left_ankle"
    assert AGREEMENT_JOINTS[6] == "right_wrist"
    assert AGREEMENT_JOINTS[12:] == ("neck", "head")
    for i, name in enumerate(AGREEMENT_JOINTS):
        other = name.replace("right", "#").replace("left", "right").replace("#", "left")
        assert AGREEMENT_JOINTS[MIRROR[i]] == other


def test_a_joint_on_the_axis_projects_to_the_middle_of_the_crop() -> None:
    camera = np.array([0.9, 0.0, 0.0])
    assert np.allclose(project_spin(np.zeros((1, 3)), camera), 112.0)


def test_a_joint_beside_the_axis_projects_as_by_hand() -> None:
    # s = 1: the body stands at z = 2 * 5000 / 224 = 44.64 m, where a metre has 5000 / 44.64 = 112 pixels.
    depth = 2 * 5000 / 224
    assert spin_translation([1.0, 0.1, -0.2]) == pytest.approx([0.1, -0.2, depth])
    xy = project_spin(np.array([[0.4, 0.7, 0.0]]), np.array([1.0, 0.1, -0.2]))
    assert xy == pytest.approx(np.array([[112 + 112 * 0.5, 112 + 112 * 0.5]]), rel=1e-9)


def test_spins_joints_are_taken_from_its_superset() -> None:
    joints = np.random.default_rng(0).normal(0, 0.3, (49, 3))
    camera = np.array([0.8, 0.05, 0.1])
    skeleton = skeleton_from_spin(joints, camera)
    projected = project_spin(joints, camera)
    assert np.allclose(skeleton.xy, projected[SPIN_ORDER])
    assert np.allclose(skeleton.spine, projected[41])


def test_openposes_joints_are_taken_from_coco18_and_the_spine_is_made_of_hips_and_neck(places: F8) -> None:
    skeleton = skeleton_from_coco18(points_at(places, COCO18_ORDER, 18))
    assert np.allclose(skeleton.xy, places)
    spine = ((places[2] + places[3]) / 2 + 1.3 * places[12]) / 2.3
    assert np.allclose(skeleton.spine, spine)
    assert np.allclose(skeleton.confidence, 0.8)


def test_distances_are_counted_in_half_crops_after_the_spines_are_laid_together(places: F8) -> None:
    person = skeleton_from_coco18(points_at(places, COCO18_ORDER, 18))
    off = places + np.array([30.0, -12.0])  # the whole mesh is shifted ...
    off[6] += [56.0, 0.0]  # ... and its right wrist is half a half crop off
    mesh = skeleton_from_coco18(points_at(off, COCO18_ORDER, 18))
    agreement = compare(mesh, person)
    assert agreement.aligned
    assert agreement.ed[6] == pytest.approx(0.5)
    assert np.delete(agreement.ed, 6) == pytest.approx(np.zeros(13), abs=1e-12)


def test_the_alignment_without_truth_equals_the_papers_alignment_onto_the_true_spine(places: F8) -> None:
    rng = np.random.default_rng(1)
    mesh = skeleton_from_coco18(points_at(places + rng.normal(0, 8, (14, 2)), COCO18_ORDER, 18))
    person = skeleton_from_coco18(points_at(places + rng.normal(0, 8, (14, 2)), COCO18_ORDER, 18))
    true_spine = np.array([101.0, 87.0])
    a = (mesh.xy + (true_spine - mesh.spine) - 112) / 112
    b = (person.xy + (true_spine - person.spine) - 112) / 112
    assert np.allclose(compare(mesh, person).ed, np.linalg.norm(a - b, axis=1))


def test_a_missing_joint_stays_missing_and_moves_no_other(places: F8) -> None:
    mesh = skeleton_from_coco18(points_at(places, COCO18_ORDER, 18))
    rows = points_at(places, COCO18_ORDER, 18)
    rows[4] = 0.0  # the right wrist was not found
    agreement = compare(mesh, skeleton_from_coco18(rows))
    assert np.isnan(agreement.ed[6])
    assert agreement.confidence[6] == 0.0
    assert np.delete(agreement.ed, 6) == pytest.approx(np.zeros(13), abs=1e-12)


def test_as_published_a_missing_joint_looks_far_off_instead(places: F8) -> None:
    mesh = skeleton_from_coco18(points_at(places, COCO18_ORDER, 18))
    rows = points_at(places, COCO18_ORDER, 18)
    rows[4] = 0.0
    published = published_distances(mesh, skeleton_from_coco18(rows))
    assert published[6] == pytest.approx(np.linalg.norm(224 - places[6]) / 112)
    assert np.delete(published, 6) == pytest.approx(np.zeros(13), abs=1e-12)


def test_without_hips_nothing_is_shifted_and_it_is_said(places: F8) -> None:
    mesh = skeleton_from_coco18(points_at(places + 11.2, COCO18_ORDER, 18))
    rows = points_at(places, COCO18_ORDER, 18)
    rows[8] = 0.0
    agreement = compare(mesh, skeleton_from_coco18(rows))
    assert not agreement.aligned
    assert np.nanmax(agreement.ed) == pytest.approx(0.1 * np.sqrt(2))


def test_a_person_without_any_keypoint_has_no_distance_at_all(places: F8) -> None:
    mesh = skeleton_from_coco18(points_at(places, COCO18_ORDER, 18))
    agreement = compare(mesh, skeleton_from_coco18(np.zeros((18, 3))))
    assert np.isnan(agreement.ed).all()
    assert not agreement.confidence.any()


def test_the_nearest_of_several_people_is_taken_and_none_where_nobody_has_joints(places: F8) -> None:
    mesh = skeleton_from_coco18(points_at(places, COCO18_ORDER, 18))
    near = skeleton_from_coco18(points_at(places + 3.0, COCO18_ORDER, 18))
    far = skeleton_from_coco18(points_at(places + 40.0, COCO18_ORDER, 18))
    nobody = skeleton_from_coco18(np.zeros((18, 3)))
    assert nearest_person(mesh, [far, nobody, near]) == 2
    assert nearest_person(mesh, [nobody]) is None
    assert nearest_person(mesh, []) is None


def test_our_23_keypoints_give_the_neck_between_the_shoulders() -> None:
    xy = np.random.default_rng(5).uniform(0, 224, (23, 2))
    score = np.linspace(0.2, 1.0, 23)
    skeleton = skeleton_from_points23(xy, score)
    shoulders = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
    assert np.allclose(skeleton.xy[12], xy[shoulders].mean(axis=0))
    assert skeleton.confidence[12] == pytest.approx(score[shoulders].min())
    assert np.allclose(skeleton.xy[13], xy[INDEX["nose"]])
    assert np.allclose(skeleton.xy[0], xy[INDEX["right_ankle"]])


def test_keypoints_are_brought_into_the_crop_and_absent_ones_are_missing() -> None:
    xy = np.random.default_rng(6).uniform(0, 500, (23, 2)).astype(np.float32)
    visibility = np.full(23, Visibility.VISIBLE, np.uint8)
    visibility[INDEX["left_knee"]] = Visibility.ABSENT
    keypoints = Keypoints(xy, np.ones(23, np.float32), visibility, np.zeros(23, np.uint8))
    skeleton = skeleton_from_keypoints(keypoints, [[0.5, 0.0, 3.0], [0.0, 0.5, -4.0]])
    assert np.allclose(skeleton.xy[0], 0.5 * xy[INDEX["right_ankle"]] + [3.0, -4.0], atol=1e-4)
    assert not skeleton.found[AGREEMENT_JOINTS.index("left_knee")]
    with pytest.raises(InputError, match=r"\(2, 3\)"):
        skeleton_from_keypoints(keypoints, np.eye(3))


def test_the_target_is_the_distance_to_the_truth_with_spines_laid_together(places: F8) -> None:
    truth = places + np.array([20.0, 20.0])
    truth[0] += [0.0, 22.4]
    spine = np.array([100.0, 100.0])
    se = mesh_error(places, truth, spine, spine + 20.0)
    assert se[0] == pytest.approx(0.2)
    assert se[1:] == pytest.approx(np.zeros(13), abs=1e-12)


def test_labels_are_good_up_to_a_tenth_and_the_worst_joint() -> None:
    se = np.full((3, 14), 0.05)
    se[0, 4] = 0.1
    se[1, 7] = 0.1001
    se[2, 9] = 189_818.0
    assert is_good(se).tolist() == [True, False, False]
    assert worst_joint(se).tolist() == [4, 7, 9]


def test_outliers_and_doubtful_hips_or_necks_are_left_out_of_training() -> None:
    se = np.full((5, 14), 0.05)
    confidence = np.full((5, 14), 0.9)
    se[1, 3] = 189_818.0
    se[2, 3] = np.nan
    confidence[3, 2] = 0.05  # right hip
    confidence[4, 6] = 0.0  # a wrist does not matter
    assert fit_for_training(se, confidence).tolist() == [True, False, False, False, True]
    assert fit_for_training(se).tolist() == [True, False, False, True, True]


def test_missing_keypoints_of_published_arrays_are_masked_by_their_confidence() -> None:
    ed, confidence = np.full((2, 14), 0.3), np.full((2, 14), 0.5)
    confidence[0, 6] = 0.0
    masked = mask_missing(ed, confidence)
    assert np.isnan(masked[0, 6])
    assert np.isnan(masked).sum() == 1
    with pytest.raises(InputError, match="length"):
        mask_missing(ed, confidence[:1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: project_spin(np.zeros((49, 2)), np.zeros(3)),
        lambda: project_spin(np.zeros((49, 3)), np.zeros(2)),
        lambda: skeleton_from_spin(np.zeros((24, 3)), np.ones(3)),
        lambda: skeleton_from_coco18(np.zeros((17, 3))),
        lambda: skeleton_from_points23(np.zeros((17, 2)), np.zeros(17)),
        lambda: mesh_error(np.zeros((14, 2)), np.zeros((13, 2)), np.zeros(2), np.zeros(2)),
        lambda: check_rows(np.zeros((3, 13)), "ED"),
        lambda: check_rows(np.zeros(14), "ED"),
        lambda: check_rows([["a"] * 14], "ED"),
    ],
)
def test_arrays_of_other_shapes_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(InputError):
        call()
