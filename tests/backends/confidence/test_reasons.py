"""Each named reason is found where it was planted, and nothing on a clean movement."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from backends.body.skeleton import JOINT_INDEX
from backends.confidence.reasons import Reason, ReasonKind, TrackView, find_reasons, track_view
from backends.errors import InputError
from backends.keypoints.layout import INDEX, MIRROR

from .reasons_track import CAMERA, FRAMES, shown, the_sites


@lru_cache(maxsize=1)
def clean() -> TrackView:
    return track_view(the_sites(), shown(FRAMES), range(100, 100 + FRAMES), CAMERA)


def still() -> TrackView:
    """Somebody whose keypoints do not move."""
    return replace(clean(), xy=np.repeat(clean().xy[:1], FRAMES, axis=0))


def only(view: TrackView, kind: ReasonKind) -> list[Reason]:
    return [r for r in find_reasons(view) if r.kind is kind]


def changed(name: str, frames: slice, index: object, value: object) -> TrackView:
    array = getattr(clean(), name).copy()
    array[frames][:, index] = value
    return replace(clean(), **{name: array})


def test_nothing_on_a_clean_movement() -> None:
    assert find_reasons(clean()) == []


def test_keypoint_far_from_the_mesh_names_the_joint_and_the_frames() -> None:
    k = INDEX["left_wrist"]
    xy = clean().xy.copy()
    xy[10:18, k] += (90.0, 0.0)
    (reason,) = only(replace(clean(), xy=xy), ReasonKind.KEYPOINT_FAR)
    assert (reason.joint, reason.first, reason.last) == ("left_wrist", 110, 117)
    assert "left wrist" in reason.sentence
    assert reason.title == "Left wrist far from the mesh"


def test_left_and_right_swapped() -> None:
    xy = clean().xy.copy()
    legs = [INDEX[f"{s}_{n}"] for s in ("left", "right") for n in ("hip", "knee", "ankle")]
    xy[5:15, legs] = xy[5:15][:, [MIRROR[k] for k in legs]]
    (reason,) = only(replace(clean(), xy=xy), ReasonKind.SIDES_SWAPPED)
    assert (reason.first, reason.last) == (105, 114)
    assert "legs" in reason.sentence


def test_legs_that_change_sides_from_one_frame_to_the_next() -> None:
    joints = clean().joints.copy()
    left, right = ([JOINT_INDEX[f"{s}_{n}"] for n in ("hip", "knee", "ankle")] for s in ("left", "right"))
    joints[15:, left], joints[15:, right] = joints[15:, right], joints[15:, left]
    (reason,) = only(replace(clean(), joints=joints), ReasonKind.SIDES_SWAPPED)
    assert (reason.first, reason.last) == (115, 115)
    assert "legs" in reason.sentence


@pytest.mark.parametrize("joint", ["left_knee", "right_elbow"])
def test_limb_bent_the_wrong_way(joint: str) -> None:
    above = {"left_knee": "left_hip", "right_elbow": "right_shoulder"}[joint]
    below = {"left_knee": "left_ankle", "right_elbow": "right_wrist"}[joint]
    joints = clean().joints.copy()
    a, j, b = (JOINT_INDEX[n] for n in (above, joint, below))
    bone = joints[8:20, j] - joints[8:20, a]
    unit = bone / np.linalg.norm(bone, axis=1, keepdims=True)
    lower = joints[8:20, b] - joints[8:20, j]
    # Mirrored at the line of the upper bone, the limb bends by the same angle the other way.
    joints[8:20, b] = joints[8:20, j] + 2 * (lower * unit).sum(axis=1, keepdims=True) * unit - lower
    (reason,) = only(replace(clean(), joints=joints), ReasonKind.BENT_WRONG)
    assert (reason.joint, reason.first, reason.last) == (joint, 108, 119)
    assert reason.sentence.endswith("bends the wrong way.")


def test_sudden_jump_of_one_frame() -> None:
    joints = clean().joints.copy()
    joints[12, JOINT_INDEX["right_ankle"]] += (0.6, 0.0, 0.0)
    (reason,) = only(replace(clean(), joints=joints), ReasonKind.JUMP)
    assert reason.joint == "right_ankle"
    assert 112 <= reason.first <= reason.last <= 113


def test_foot_that_slides_while_it_stands() -> None:
    joints = clean().joints.copy()
    joints[10:25] += np.arange(15)[:, None, None] * np.array([0.03, 0.0, 0.0])
    found = only(replace(still(), joints=joints), ReasonKind.FOOT_SLIDES)
    assert {r.joint for r in found} == {"left_ankle", "right_ankle"}
    assert all(r.first >= 110 and r.last <= 125 and "foot slides" in r.sentence for r in found)


def test_feet_that_move_in_the_picture_too_do_not_slide() -> None:
    joints, xy = still().joints.copy(), still().xy.copy()
    joints[10:25] += np.arange(15)[:, None, None] * np.array([0.03, 0.0, 0.0])
    xy[10:25] += np.arange(15)[:, None, None] * np.array([6.0, 0.0])
    assert only(replace(still(), joints=joints, xy=xy), ReasonKind.FOOT_SLIDES) == []


def test_two_tracks_on_one_person() -> None:
    other = replace(clean(), xy=clean().xy + 3.0)
    (reason,) = [r for r in find_reasons(clean(), [("Person 2", other)]) if r.kind is ReasonKind.TWO_TRACKS]
    assert reason.sentence.startswith("Person 2")
    beside = replace(clean(), xy=clean().xy + np.array([200.0, 0.0]))
    assert find_reasons(clean(), [("Person 3", beside)]) == []


def test_mesh_outside_the_mask() -> None:
    view = changed("in_mask", slice(3, 20), JOINT_INDEX["right_knee"], 0.0)
    (reason,) = only(view, ReasonKind.OUTSIDE_MASK)
    assert (reason.joint, reason.first, reason.last) == ("right_knee", 103, 119)


def test_person_cut_by_the_border() -> None:
    xy = clean().joints_xy.copy()
    legs = [JOINT_INDEX[f"{s}_{n}"] for s in ("left", "right") for n in ("ankle", "foot")]
    xy[:, legs, 1] += 400.0
    (reason,) = only(replace(clean(), joints_xy=xy), ReasonKind.CUT_OFF)
    assert (reason.first, reason.last) == (100, 129)
    assert "border" in reason.sentence
    assert "foot" in reason.sentence


def test_estimators_disagree() -> None:
    view = clean()
    world = view.world.copy()
    world[4:20, INDEX["left_ankle"], 2] += 0.7
    found = only(replace(view, world=world), ReasonKind.DISAGREE)
    assert [r.joint for r in found] == ["left_ankle"]
    assert "cm apart" in found[0].sentence


def test_low_score_of_a_limb_and_of_everybody() -> None:
    view = changed("score", slice(0, 20), INDEX["left_elbow"], 0.05)
    (limb,) = only(view, ReasonKind.LOW_SCORE)
    assert limb.sentence == "The left elbow is hard to see."
    (body,) = only(replace(clean(), presence=np.full(FRAMES, 0.2)), ReasonKind.LOW_SCORE)
    assert body.joint == ""
    assert "not sure" in body.sentence


def test_what_a_person_has_placed_is_not_called_unsure() -> None:
    view = changed("score", slice(0, 20), INDEX["left_elbow"], 0.05)
    view = replace(view, by_person=np.ones_like(view.by_person))
    assert only(view, ReasonKind.LOW_SCORE) == []


def test_stretches_with_a_short_pause_are_one_and_blinks_are_none() -> None:
    far = clean().xy.copy()
    k = INDEX["left_wrist"]
    far[2:10, k] += (90.0, 0.0)
    far[14:22, k] += (90.0, 0.0)
    assert len(only(replace(clean(), xy=far), ReasonKind.KEYPOINT_FAR)) == 1
    blink = clean().xy.copy()
    blink[6, k] += (90.0, 0.0)
    assert only(replace(clean(), xy=blink), ReasonKind.KEYPOINT_FAR) == []


def test_the_worst_come_first_and_no_more_than_asked_for() -> None:
    view = changed("score", slice(0, 20), slice(None), 0.01)
    view = replace(view, presence=np.full(FRAMES, 0.1))
    found = find_reasons(view)
    assert [r.severity for r in found] == sorted((r.severity for r in found), reverse=True)
    assert find_reasons(view, most=2) == found[:2]


@pytest.mark.parametrize(
    ("name", "value"),
    [("joints", np.full((FRAMES, 22, 3), np.nan)), ("time", np.zeros(FRAMES)), ("score", np.zeros((3, 23)))],
)
def test_broken_arrays_are_refused(name: str, value: np.ndarray) -> None:
    with pytest.raises(InputError):
        find_reasons(replace(clean(), **{name: value}))


def test_a_view_needs_a_number_for_each_frame() -> None:
    for frames in ([1, 2], []):
        with pytest.raises(InputError, match="frame numbers"):
            track_view(the_sites(), shown(3), frames, CAMERA)
    with pytest.raises(InputError, match="one at least"):
        track_view(the_sites(), [], [], CAMERA)


def test_a_limb_is_named_once_by_its_worst_joint() -> None:
    xy = clean().xy.copy()
    xy[10:20, INDEX["left_elbow"]] += (50.0, 0.0)
    xy[10:20, INDEX["left_wrist"]] += (120.0, 0.0)
    (reason,) = only(replace(clean(), xy=xy), ReasonKind.KEYPOINT_FAR)
    assert (reason.joint, reason.first, reason.last) == ("left_wrist", 110, 119)


def test_a_depth_sensor_that_has_a_hand_elsewhere_says_how_far() -> None:
    apart = clean().apart.copy()
    apart[8:20, INDEX["left_wrist"]] = -0.23
    apart[:, INDEX["right_knee"]] = 0.05  # clothes
    (reason,) = only(replace(clean(), apart=apart), ReasonKind.DEPTH_APART)
    assert (reason.first, reason.last, reason.joint) == (108, 119, "left_wrist")
    assert reason.title == "Depth sensor disagrees at the left wrist"
    assert reason.sentence == "The depth sensor has the left wrist 23 cm nearer than the mesh."
    assert np.isnan(clean().apart).all(), "without a sensor nothing is said of depth"
