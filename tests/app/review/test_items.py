"""What waits for review: stretches of low confidence with their reasons, and reasons that stand alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from app.review.items import TrackEnds, review_items
from app.review.lanes import TrackSeries
from backends.confidence.reasons import Reason, ReasonKind
from backends.keypoints.layout import INDEX

N = 100


def series(**mm: slice) -> Any:
    """One person, sure of everything but the keypoints named, which are 160 mm off in their frames."""
    keypoints = np.full((N, 23), 20.0, np.float16)
    for name, frames in mm.items():
        keypoints[frames, INDEX[name]] = 160.0
    nowhere = np.zeros(N, np.bool_)
    track = TrackSeries(
        np.full(N, 25.0, np.float32),
        keypoints,
        np.ones(N, np.bool_),
        ~nowhere,
        nowhere.copy(),
        nowhere.copy(),
    )
    return SimpleNamespace(tracks={1: track}, processed=np.ones(N, np.bool_))


def reason(
    kind: ReasonKind, joint: str, first: int, last: int, severity: float = 0.5, **words: str
) -> Reason:
    sentence = words.get("sentence", f"The {joint} is odd.")
    return Reason(kind, joint, first, last, first, severity, "Odd", sentence)


def items(data: Any, *reasons: Reason, people: tuple[tuple[int, str], ...] = ((1, "Person 1"),)) -> list[Any]:
    return review_items(data, people, (), lambda track: TrackEnds(False, False), 25, lambda track: reasons)


def test_low_confidence_names_its_reason_and_is_found_by_both_filters() -> None:
    far = reason(ReasonKind.KEYPOINT_FAR, "left_wrist", 32, 40)
    (item,) = items(series(left_wrist=slice(30, 45)), far)
    assert item.title == "Left arm not to be believed"
    assert item.reasons == ("Not to be believed", "Keypoint far from the mesh")
    assert item.sentence == far.sentence
    assert item.detail.endswith("keypoint far from the mesh")
    assert item.keypoint == INDEX["left_wrist"]


def test_a_reason_elsewhere_is_an_item_of_its_own() -> None:
    knee = reason(ReasonKind.BENT_WRONG, "right_knee", 32, 40, 0.9)
    found = items(series(left_wrist=slice(30, 45)), knee)
    assert [i.reasons for i in found] == [("Limb bent the wrong way",), ("Not to be believed",)]
    assert found[0].severity == 2
    assert (found[0].first_frame, found[0].last_frame) == (32, 40)
    assert found[0].keypoint == INDEX["right_knee"]


def test_a_longer_reason_is_not_hidden_by_a_short_doubt() -> None:
    cut = reason(ReasonKind.CUT_OFF, "left_ankle", 0, 99)
    found = items(series(left_ankle=slice(30, 45)), cut)
    assert [i.title for i in found] == ["Left leg not to be believed", "Odd"]
    assert "Person cut off by the border" in found[0].reasons


def test_what_a_person_has_corrected_is_not_asked_about_again() -> None:
    data = series()
    data.tracks[1].corrected[30:50] = True
    assert items(data, reason(ReasonKind.JUMP, "left_wrist", 32, 33)) == []
    assert len(items(data, reason(ReasonKind.JUMP, "left_wrist", 48, 52))) == 1


def test_two_tracks_on_one_person_are_told_by_name() -> None:
    twice = reason(ReasonKind.TWO_TRACKS, "", 10, 40, sentence="2 lies on the same person.")
    (item,) = items(series(), twice, people=((1, "Anna"), (2, "Berta")))
    assert item.sentence == "Berta lies on the same person."
    assert items(series(), twice) == [], "of somebody who was deleted nothing is said"


def test_a_doubt_reaches_over_a_short_gap_in_the_track() -> None:
    data = series(left_wrist=slice(30, 45))
    track = data.tracks[1]
    track.keypoint_mm[36:39] = np.nan
    track.mm[36:39] = np.nan
    track.seen[36:39] = False
    (item,) = items(data)
    assert (item.first_frame, item.last_frame) == (30, 44)
    assert item.keypoint == INDEX["left_wrist"]


def test_one_doubt_that_comes_and_goes_is_one_item() -> None:
    data = series(left_wrist=slice(30, 34))
    keypoints = data.tracks[1].keypoint_mm
    keypoints[42:46, INDEX["left_wrist"]] = 160.0
    (item,) = items(data)
    assert (item.first_frame, item.last_frame) == (30, 45)
    assert item.title == "Left arm not to be believed", "the good frames in between do not count"
    keypoints[80:84, INDEX["left_wrist"]] = 160.0
    found = items(data)
    assert [i.first_frame for i in found] == [30, 80], "what is a second away is something else"
    assert found[0].group == found[1].group, "but it is the same again"


def test_what_lasts_and_is_bad_comes_before_what_is_short() -> None:
    data = series(left_wrist=slice(10, 14), right_ankle=slice(40, 90))
    found = items(data)
    assert [i.title for i in found] == ["Right leg not to be believed", "Left arm not to be believed"]
    assert found[0].worth > found[1].worth > 0.0
    swapped = reason(ReasonKind.SIDES_SWAPPED, "left_elbow", 20, 21, 0.9)
    assert [i.first_frame for i in items(data, swapped)] == [40, 20, 10]


def test_a_reason_that_the_expected_error_contradicts_is_not_asked_about() -> None:
    sure, unsure = series(), series()
    unsure.tracks[1].keypoint_mm[:, INDEX["left_wrist"]] = 95.0
    far = reason(ReasonKind.KEYPOINT_FAR, "left_wrist", 20, 60)
    assert items(sure, far) == []
    (item,) = items(unsure, far)
    assert item.reasons == ("Keypoint far from the mesh",)
    hard = reason(ReasonKind.LOW_SCORE, "left_wrist", 20, 60)
    assert items(unsure, hard) == [], "what is hard to see is no worse for it"
    jump = reason(ReasonKind.JUMP, "left_wrist", 20, 22)
    assert len(items(sure, jump)) == 1, "a jump is no matter of doubt"
    nobody = reason(ReasonKind.LOW_SCORE, "", 20, 60)
    assert len(items(sure, nobody)) == 1, "nor is that it may be nobody"


def test_somebody_lost_from_sight_comes_first_of_all() -> None:
    data = series(left_wrist=slice(0, 60))
    track = data.tracks[1]
    track.seen[62:95] = False
    found = items(data)
    assert [i.title for i in found] == ["Person lost from sight", "Left arm not to be believed"]


def test_limbs_of_a_body_that_is_not_believed_are_not_asked_about_as_well() -> None:
    data = series(left_wrist=slice(20, 80))
    data.tracks[1].mm[20:40] = data.tracks[1].mm[50:80] = 130.0
    (item,) = items(data)
    assert item.title == "Body not to be believed"
    assert (item.first_frame, item.last_frame) == (20, 79)
