"""Keypoints in the picture: closed forms, pycocotools' published behaviour, our own earlier OKS."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backends.errors import InputError
from backends.keypoints.layout import KEYPOINT_NAMES, OKS_SIGMAS
from backends.keypoints.similarity import oks
from backends.metrics.average_precision import FoundInstance, TrueInstance, average_precision
from backends.metrics.pose2d import box_iou, oks_matrix, oks_sigmas, pck

RNG = np.random.default_rng(11)
SIGMAS = oks_sigmas(KEYPOINT_NAMES[:17])
POINTS = RNG.uniform(50, 250, (17, 2))
ALL = np.ones((1, 17), bool)


def test_an_error_of_two_sigma_times_the_size_gives_exp_of_minus_a_half() -> None:
    # d = s * k with k = 2 sigma: exp(-d^2 / (2 s^2 k^2)) = exp(-1/2), the same for every keypoint.
    size = 120.0
    away = POINTS + np.column_stack([size * 2 * SIGMAS, np.zeros(17)])
    value = oks_matrix(away[None], POINTS[None], ALL, [size**2], SIGMAS)
    assert value[0, 0] == pytest.approx(math.exp(-0.5))


def test_it_is_the_similarity_that_the_tracker_uses() -> None:
    a = POINTS + RNG.normal(scale=6, size=(17, 2))
    assert oks_matrix(a[None], POINTS[None], ALL, [9000.0], SIGMAS)[0, 0] == pytest.approx(
        oks(a, POINTS, 9000.0)
    )


def test_only_labelled_points_count_and_an_unknown_one_is_a_miss() -> None:
    estimate = POINTS.copy()
    estimate[:5] += 1e4
    labelled = ALL.copy()
    labelled[0, :5] = False
    assert oks_matrix(estimate[None], POINTS[None], labelled, [9000.0], SIGMAS)[0, 0] == 1.0
    estimate[5:11] = np.nan
    assert oks_matrix(estimate[None], POINTS[None], labelled, [9000.0], SIGMAS)[0, 0] == pytest.approx(0.5)
    nobody = oks_matrix(estimate[None], POINTS[None], np.zeros((1, 17), bool), [9000.0], SIGMAS)
    assert np.isnan(nobody).all()


def test_names_that_coco_has_not_take_the_shoulders_sigma() -> None:
    assert oks_sigmas(("nose", "neck")).tolist() == [OKS_SIGMAS[0], OKS_SIGMAS[5]]


def test_pck_counts_at_the_threshold() -> None:
    truth = np.zeros((1, 4, 2))
    estimate = np.array([[[5.0, 0.0], [0.0, 5.001], [3.0, 4.0], [np.nan, 0.0]]])
    score = pck(estimate, truth, np.ones((1, 4), bool), [100.0], alpha=0.05)
    assert score.value == 0.5
    assert score.n == 4
    three = pck(estimate, truth, np.array([[1, 1, 1, 0]]), [100.0], alpha=0.05)
    assert three.value == pytest.approx(2 / 3)
    assert three.unknown == 1


def test_boxes_that_share_a_third() -> None:
    overlap = box_iou([[0, 0, 10, 10]], [[5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10], [0, 0, 0, 0]])
    assert overlap[0] == pytest.approx([1 / 3, 0, 1, 0])


def person(shift: float = 0.0) -> TrueInstance:
    xy = POINTS + shift
    box = np.concatenate([xy.min(0), xy.max(0)])
    return TrueInstance(box, np.column_stack([xy, np.full(17, 2.0)]), 200.0 * 200.0)


def found(score: float, error: float = 0.0, shift: float = 0.0) -> FoundInstance:
    true = person(shift)
    return FoundInstance(true.box, true.keypoints[:, :2] + error, score)


def test_everybody_found_is_one_and_nobody_found_is_zero() -> None:
    best = average_precision([([person()], [found(0.9)])], SIGMAS)
    assert (best.ap, best.ap50, best.ar, best.n) == (pytest.approx(1), pytest.approx(1), pytest.approx(1), 1)
    none = average_precision([([person()], [])], SIGMAS)
    assert (none.ap, none.ar, none.n) == (0.0, 0.0, 1)
    empty = average_precision([([], [found(0.9)])], SIGMAS)
    assert math.isnan(empty.ap)
    assert empty.n == 0


def test_a_false_person_ranked_first_halves_the_precision() -> None:
    # Ranked F, T: precision 1/2 at every recall up to 1, interpolated: AP = 0.5; recall stays 1.
    score = average_precision([([person()], [found(0.9, shift=1000.0), found(0.5)])], SIGMAS)
    assert score.ap == pytest.approx(0.5)
    assert score.ar == pytest.approx(1.0)


def test_one_of_two_found_has_the_precision_of_51_of_101_recalls() -> None:
    # COCO samples recall at 0, 0.01 ... 1: those up to 0.5 have precision 1, the others 0.
    score = average_precision([([person(), person(300.0)], [found(0.9)])], SIGMAS)
    assert score.ap == pytest.approx(51 / 101)
    assert score.ar == pytest.approx(0.5)


def test_an_error_counts_up_to_the_threshold_that_its_oks_reaches() -> None:
    error = 11.0
    value = oks_matrix((POINTS + error)[None], POINTS[None], ALL, [200.0**2], SIGMAS)[0, 0]
    reached = int((np.linspace(0.5, 0.95, 10) <= value).sum())
    assert 0 < reached < 10
    assert average_precision([([person()], [found(0.9, error)])], SIGMAS).ap == pytest.approx(reached / 10)


def test_people_to_be_ignored_are_neither_found_nor_missed() -> None:
    crowd = TrueInstance(person(300.0).box, person(300.0).keypoints, 4e4, ignore=True)
    images = [([person(), crowd], [found(0.9), found(0.95, shift=300.0)])]
    assert average_precision(images, SIGMAS).ap == pytest.approx(1.0)


def test_boxes_and_23_keypoints_are_taken_too() -> None:
    xy = RNG.uniform(50, 250, (23, 2))
    box = np.array([50.0, 50, 250, 250])
    true = TrueInstance(box, np.column_stack([xy, np.full(23, 2.0)]), 4e4)
    sigmas = oks_sigmas(KEYPOINT_NAMES)
    guess = FoundInstance(box, xy, 1.0)
    assert average_precision([([true], [guess])], sigmas).ap == pytest.approx(1.0)
    assert average_precision([([true], [guess])], sigmas, "boxes").ap == pytest.approx(1.0)


def test_the_second_library_agrees_on_a_crowd() -> None:
    """The numbers are those of pycocotools 2.0.11 on the same 40 pictures."""
    rng = np.random.default_rng(5)
    images = []
    for _ in range(40):
        people = [person(float(s)) for s in rng.uniform(0, 2000, rng.integers(1, 5))]
        guesses = [
            FoundInstance(
                p.box, p.keypoints[:, :2] + rng.normal(scale=12, size=(17, 2)), float(rng.uniform())
            )
            for p in people
            if rng.uniform() < 0.85
        ]
        guesses += [found(float(rng.uniform()), shift=float(rng.uniform(0, 2000))) for _ in range(2)]
        images.append((people, guesses))
    ours = average_precision(images, SIGMAS)
    assert [ours.ap, ours.ap50, ours.ap75, ours.ar] == pytest.approx(
        [0.2667641904364259, 0.4962877491626663, 0.2269241989671075, 0.5142857142857143], abs=1e-9
    )


def test_bad_people_are_refused() -> None:
    with pytest.raises(InputError, match="17 keypoints"):
        average_precision([([person()], [FoundInstance(person().box, np.zeros((16, 2)), 1.0)])], SIGMAS)
    with pytest.raises(InputError, match="finite"):
        average_precision([([person()], [FoundInstance(np.full(4, np.nan), POINTS, 1.0)])], SIGMAS)
    with pytest.raises(InputError, match="score"):
        average_precision([([person()], [found(float("nan"))])], SIGMAS)
    with pytest.raises(InputError, match="area"):
        oks_matrix(POINTS[None], POINTS[None], ALL, [0.0], SIGMAS)
    with pytest.raises(InputError, match="shapes"):
        oks_matrix(POINTS[None, :3], POINTS[None], ALL, [1.0], SIGMAS)
    with pytest.raises(InputError, match="PCK"):
        pck(POINTS, POINTS, ALL, [1.0])
